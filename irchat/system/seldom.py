"""Log what each request or connection may cause, without a line for each: the disk may be full already."""

import time
from collections.abc import Callable

from twisted.logger import Logger

_SECONDS = 60.0
# Maximum number of texts that are remembered. They are few, unless they contain something that changes.
_TEXTS_MOST = 100


class Seldom:
    """Counts events, which are then logged at most once a minute."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._told_at: float | None = None
        self._count = 0

    def add(self) -> int:
        """Count one more. Return the number since this was last above zero, or 0 if that was within a minute."""
        self._count += 1
        now = self._seconds()
        if self._told_at is not None and now - self._told_at < _SECONDS:
            return 0
        self._told_at = now
        count, self._count = self._count, 0
        return count


class SeldomLog:
    """Logs each text at most once a minute, with how often it came since the last time."""

    def __init__(self, logger: Logger, seconds: Callable[[], float] = time.monotonic) -> None:
        self._logger = logger
        self._seconds = seconds
        self._logged: dict[str, Seldom] = {}

    def error(self, text: str) -> None:
        """Log ``text``, or count it."""
        seldom = self._logged.get(text)
        if seldom is None:
            if len(self._logged) >= _TEXTS_MOST:
                self._logged.clear()
            seldom = self._logged[text] = Seldom(self._seconds)
        if count := seldom.add():
            self._logger.error(
                "{text}{more}", text=text, more=f" ({count - 1:,} more times before)" if count > 1 else ""
            )
