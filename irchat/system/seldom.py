"""Log an error that each request may cause, without a line for each: the disk may be full already."""

import time
from collections.abc import Callable

from twisted.logger import Logger

_SECONDS = 60.0
# Maximum number of texts that are remembered. They are few, unless they contain something that changes.
_TEXTS_MOST = 100


class SeldomLog:
    """Logs each text at most once a minute, with how often it came since the last time."""

    def __init__(self, logger: Logger, seconds: Callable[[], float] = time.monotonic) -> None:
        self._logger = logger
        self._seconds = seconds
        # By text: when it was logged last, and how often it came since then.
        self._logged: dict[str, tuple[float, int]] = {}

    def error(self, text: str) -> None:
        """Log ``text``, or count it."""
        now = self._seconds()
        at, count = self._logged.get(text, (None, 0))
        if at is not None and now < at + _SECONDS:
            self._logged[text] = at, count + 1
            return
        if len(self._logged) >= _TEXTS_MOST:
            self._logged.clear()
        self._logged[text] = now, 0
        self._logger.error("{text}{more}", text=text, more=f" ({count:,} more times before)" if count else "")
