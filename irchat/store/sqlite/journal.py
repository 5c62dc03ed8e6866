"""The write-ahead log. SQLite begins it anew only in a moment in which nobody reads; here such a moment is made."""

import os
import sqlite3
import threading
from contextlib import suppress
from pathlib import Path

# The journal goes over into the database when it is so long (8 MB): the end of a busy chat is written again and again,
# and of each page only the last state goes over. While it grows commits cost more, so it is not longer.
_JOURNAL_PAGES = 2_000
# From this length on the readers pause for it; past the greater one the writer waits longer for those that read.
JOURNAL_BYTES = 16 << 20
_MUCH_BYTES = 64 << 20
_WAIT_SECONDS = 0.01
_WAIT_LONG_SECONDS = 1.0
# Where it could not be begun anew it is tried again when it has grown by so much.
_AGAIN_BYTES = 1 << 20


class Gate:
    """Lets readers in, each for one question. While it is shut those who come wait, and those inside leave."""

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
        """Let nobody in until `open`; return whether nobody is inside, for which it waits at most ``seconds``."""
        with self._changed:
            self._shut = True
            return self._changed.wait_for(lambda: not self._inside, seconds)

    def open(self) -> None:
        """Let in again."""
        with self._changed:
            self._shut = False
            self._changed.notify_all()


class Journal:
    """The journal of the database in ``path``, written on ``connection``, read by those who come through ``gate``."""

    def __init__(self, connection: sqlite3.Connection, path: Path, gate: Gate) -> None:
        self._connection = connection
        self._path = str(path.with_name(f"{path.name}-wal"))
        self._gate = gate
        self._tried_at = 0
        self.is_long = False
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_JOURNAL_PAGES}")
        # When it begins anew it is cut to this length.
        connection.execute(f"PRAGMA journal_size_limit = {JOURNAL_BYTES}")

    def look(self) -> None:
        """See whether it is so long that it is to begin anew. In the writer's thread, after a commit."""
        length = self._length()
        if length < JOURNAL_BYTES:
            self._tried_at = 0
        self.is_long = length >= max(JOURNAL_BYTES, self._tried_at + _AGAIN_BYTES)

    def begin_anew(self) -> None:
        """Bring all of it into the database, if nobody reads from it for a moment. In the writer's thread."""
        self._tried_at = self._length()
        self.is_long = False
        try:
            self._gate.shut(_WAIT_SECONDS if self._tried_at < _MUCH_BYTES else _WAIT_LONG_SECONDS)
            self._checkpoint()
        finally:
            self._gate.open()

    def _checkpoint(self) -> None:
        """It does not wait for other processes, which may read for long; then the journal stays as it is for now."""
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
