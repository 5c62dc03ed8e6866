"""Notice that a file of the database was deleted while the server runs: what is committed then is lost at the stop."""

import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

_LOOK_SECONDS = 1.0

_File = tuple[int, int]


class DeletedFiles:
    """Looks at files that SQLite holds open. A file that was moved passes: it can be used at its new place."""

    def __init__(self, paths: Sequence[Path], seconds: Callable[[], float] = time.monotonic) -> None:
        self._paths = paths
        self._seconds = seconds
        self._look_at = 0.0
        self._seen: dict[Path, _File] = {}

    def refuse(self) -> None:
        """Raise sqlite3.OperationalError if one was deleted or replaced. Look at most once a second."""
        now = self._seconds()
        if now < self._look_at:
            return
        for path in self._paths:
            found = _file_at(path)
            seen = self._seen.setdefault(path, found) if found is not None else self._seen.get(path)
            if seen is not None and found != seen and _is_deleted(seen):
                raise sqlite3.OperationalError(
                    f"{path} was deleted while the server ran: stop the server, and restore a backup"
                )
        self._look_at = now + _LOOK_SECONDS


def _file_at(path: Path) -> _File | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _is_deleted(file: _File) -> bool:
    """Return whether this process has ``file`` open, and no folder has it any more."""
    for name in os.listdir("/dev/fd"):
        with suppress(OSError):  # the descriptor of the list itself
            found = os.fstat(int(name))
            if (found.st_dev, found.st_ino) == file:
                return not found.st_nlink
    return False
