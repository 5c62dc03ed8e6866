"""The write-ahead log. SQLite restarts it only while nobody reads, so readers are paused for a moment."""

import os
import sqlite3
import threading
from contextlib import suppress
from pathlib import Path

# The journal is copied into the database at this length (8 MB): the end of a busy chat is written again and again, and
# only the last state of each page is copied. A longer journal would make commits slower.
_JOURNAL_PAGES = 2_000
# From the first length on, readers are paused; beyond the second the writer waits longer for running reads.
JOURNAL_BYTES = 16 << 20
_MUCH_BYTES = 64 << 20
_WAIT_SECONDS = 0.01
_WAIT_LONG_SECONDS = 1.0
# After a failed restart, the next is tried when the journal has grown by this much.
_AGAIN_BYTES = 1 << 20


class Gate:
    """Admits readers, each for one query. While it is shut, new readers wait and those inside finish."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._shut = False

    def __enter__(self) -> None:
        with self._changed:
            while self._shut:
                self._changed.wait()
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._inside -= 1
            if self._shut and not self._inside:
                self._changed.notify_all()

    def shut(self, seconds: float) -> bool:
        """Admit nobody until `open`. Wait at most ``seconds`` for those inside; return whether all have left."""
        with self._changed:
            self._shut = True
            return self._changed.wait_for(lambda: not self._inside, seconds)

    def open(self) -> None:
        """Admit readers again."""
        with self._changed:
            self._shut = False
            self._changed.notify_all()


class Journal:
    """The journal of the database ``path``, written on ``connection``. Readers pass through ``gate``."""

    def __init__(self, connection: sqlite3.Connection, path: Path, gate: Gate) -> None:
        self._connection = connection
        self._path = str(path.with_name(f"{path.name}-wal"))
        self._gate = gate
        self._tried_at = 0
        self.is_long = False
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_JOURNAL_PAGES}")
        # A restarted journal is cut to this length.
        connection.execute(f"PRAGMA journal_size_limit = {JOURNAL_BYTES}")

    def look(self) -> None:
        """Check whether it must restart. Called in the writer's thread, after a commit."""
        length = self._length()
        if length < JOURNAL_BYTES:
            self._tried_at = 0
        self.is_long = length >= max(JOURNAL_BYTES, self._tried_at + _AGAIN_BYTES)

    def restart(self) -> None:
        """Copy all of it into the database, if no reader needs it. Called in the writer's thread."""
        self._tried_at = self._length()
        self.is_long = False
        try:
            self._gate.shut(_WAIT_SECONDS if self._tried_at < _MUCH_BYTES else _WAIT_LONG_SECONDS)
            self._checkpoint()
        finally:
            self._gate.open()

    def _checkpoint(self) -> None:
        """Checkpoint without waiting for other processes, which may read for long: then the journal stays for now."""
        busy_ms = self._connection.execute("PRAGMA busy_timeout").fetchone()[0]
        try:
            self._connection.execute("PRAGMA busy_timeout = 0")
            with suppress(sqlite3.OperationalError):
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            self._connection.execute(f"PRAGMA busy_timeout = {busy_ms}")

    def _length(self) -> int:
        try:
            return os.stat(self._path).st_size
        except OSError:
            return 0
