"""Open files: connections never take the last ones, and the administrator's door gets in all the same."""

import errno
import os
import resource
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from twisted.logger import Logger

# Kept for the database, its copies, the log, the administrator, and a connection on its way to being turned away.
_KEPT = 64
_LOG_SECONDS = 60.0

_log = Logger()


def descriptor_limit() -> int:
    """How many files this process may have open at this moment."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return sys.maxsize if limit == resource.RLIM_INFINITY else limit


class Room:
    """How many connections there is room for. What is turned away is logged in one line a minute, without addresses."""

    def __init__(self, seconds: Callable[[], float], limit: Callable[[], int] = descriptor_limit) -> None:
        self.taken = 0
        self._seconds = seconds
        self._limit = limit
        self._turned_away = 0
        self._logged_at: float | None = None

    @property
    def most(self) -> int:
        """How many connections may be open."""
        limit = self._limit()
        return max(limit - _KEPT, limit // 2)

    def is_there(self) -> bool:
        """Whether one more connection may be made; one that may not is counted."""
        most = self.most
        if self.taken >= most:
            self.turned_away(f"{most:,} are open, and the process may have {self._limit():,} open files")
        return self.taken < most

    def turned_away(self, why: str) -> None:
        """A connection could not be had."""
        self._turned_away += 1
        now = self._seconds()
        if self._logged_at is None or now - self._logged_at >= _LOG_SECONDS:
            _log.error(
                "{count:,} connections were turned away: {why}. Raise LimitNOFILE or ulimit -n, or lower pending.",
                count=self._turned_away,
                why=why,
            )
            self._logged_at = now
            self._turned_away = 0

    def quiet(self, event: Mapping[str, Any]) -> None:
        """Take, in place of the log, the lines that Twisted writes for each connection it cannot accept."""
        why = event.get("acceptError")
        if why is not None or "address" in event:
            self.turned_away(f"the system has no more ({why or errno.errorcode[errno.EMFILE]})")


class SpareDescriptor:
    """A listening socket with an open file to spare: where there is none left, it is used for who comes."""

    def __init__(self, listener: Any) -> None:
        self._listener = listener
        self._spare: int | None = None
        self._keep()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._listener, name)

    def accept(self) -> Any:
        """Accept a connection."""
        self._keep()
        try:
            return self._listener.accept()
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE) or self._spare is None:
                raise
            os.close(self._spare)
            self._spare = None
            return self._listener.accept()

    def close(self) -> None:
        """Close both."""
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None
        self._listener.close()

    def _keep(self) -> None:
        if self._spare is None:
            with suppress(OSError):
                self._spare = os.open(os.devnull, os.O_RDONLY)
