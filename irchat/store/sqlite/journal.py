"""The write-ahead log. SQLite restarts it only while there is no reader, so the readers are paused for that."""

import os
import sqlite3
import threading
from contextlib import suppress
from pathlib import Path

from irchat.store.sqlite.deleted_files import DeletedFiles

# The journal is written to the database at this length (8 MB). Of a page that was changed again and again, such as the
# end of a busy chat, only the last state is written. Commits cost more as the journal grows, so it is not longer.
_JOURNAL_PAGES = 2_000
# From this length on the readers are paused. Past the greater one the writer waits longer for them.
JOURNAL_BYTES = 16 << 20
_MUCH_BYTES = 64 << 20
_WAIT_SECONDS = 0.01
_WAIT_LONG_SECONDS = 1.0
# If it could not be restarted, the next attempt comes when it has grown by so much.
_AGAIN_BYTES = 1 << 20


class Gate:
    """A gate for readers, which enter it for one query. While it is shut, new readers wait, and the others leave."""

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
        """Shut the gate until `open`. Wait at most ``seconds`` for the readers inside; return whether they left."""
        with self._changed:
            self._shut = True
            return self._changed.wait_for(lambda: not self._inside, seconds)

    def open(self) -> None:
        """Open the gate."""
        with self._changed:
            self._shut = False
            self._changed.notify_all()


class Journal:
    """The journal of the database ``path``, written by ``connection``. Readers enter through ``gate``."""

    def __init__(self, connection: sqlite3.Connection, path: Path, gate: Gate) -> None:
        self._connection = connection
        self._path = str(path.with_name(f"{path.name}-wal"))
        self._deleted = DeletedFiles((path, Path(self._path)))
        self._gate = gate
        self._tried_at = 0
        self.is_long = False
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_JOURNAL_PAGES}")
        # The length after a restart.
        connection.execute(f"PRAGMA journal_size_limit = {JOURNAL_BYTES}")

    def need_files(self) -> None:
        """Raise sqlite3.OperationalError if the journal or the database was deleted. Call it before a commit."""
        self._deleted.refuse()

    def look(self) -> None:
        """Update ``is_long``: whether the journal should be restarted. For the writer's thread, after a commit."""
        length = self._length()
        if length < JOURNAL_BYTES:
            self._tried_at = 0
        self.is_long = length >= max(JOURNAL_BYTES, self._tried_at + _AGAIN_BYTES)

    def restart(self) -> None:
        """Pause the readers and write the journal to the database. Call it in the writer's thread."""
        self._tried_at = self._length()
        self.is_long = False
        try:
            self._gate.shut(_WAIT_SECONDS if self._tried_at < _MUCH_BYTES else _WAIT_LONG_SECONDS)
            self._checkpoint()
        finally:
            self._gate.open()

    def _checkpoint(self) -> None:
        """Write the journal to the database without waiting for other processes, which may read for long."""
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
