"""File descriptors: some are kept free of connections, so that the administrator can always connect."""

import errno
import os
import resource
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from twisted.logger import Logger

from irchat.system.seldom import Seldom

# Reserved for the database, its copies, the log, the administrator, and a connection being turned away.
_KEPT = 64

_log = Logger()


def descriptor_limit() -> int:
    """Return the current limit of open files of this process."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return sys.maxsize if limit == resource.RLIM_INFINITY else limit


class Room:
    """Counts connections against the limit of open files. Logs refused ones, once a minute and without addresses."""

    def __init__(self, seconds: Callable[[], float], limit: Callable[[], int] = descriptor_limit) -> None:
        self.taken = 0
        self._seldom = Seldom(seconds)
        self._limit = limit

    @property
    def most(self) -> int:
        """The maximum number of open connections."""
        limit = self._limit()
        return max(limit - _KEPT, limit // 2)

    def is_there(self) -> bool:
        """Return whether one more connection is allowed. If not, count it as turned away."""
        most = self.most
        if self.taken >= most:
            self.turned_away(f"{most:,} are open, and the process may have {self._limit():,} open files")
        return self.taken < most

    def turned_away(self, why: str) -> None:
        """Count and log a connection that was turned away."""
        if count := self._seldom.add():
            _log.error(
                "{count:,} connections were turned away: {why}. Raise LimitNOFILE or ulimit -n, or lower pending.",
                count=count,
                why=why,
            )

    def quiet(self, event: Mapping[str, Any]) -> None:
        """Replace the log for the lines that Twisted writes about each connection that it cannot accept."""
        why = event.get("acceptError")
        if why is not None or "address" in event:
            self.turned_away(f"the system has no more ({why or errno.errorcode[errno.EMFILE]})")


class SpareDescriptor:
    """A listening socket with a spare descriptor, which is closed to accept a peer when no other is left."""

    def __init__(self, listener: Any) -> None:
        self._listener = listener
        self._spare: int | None = None
        self._keep()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._listener, name)

    def accept(self) -> Any:
        """Accept a connection, on the spare descriptor if necessary."""
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
