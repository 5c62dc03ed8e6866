"""Test cases with the file of an SQLite store: the statements that it runs, and the copies beside it."""

import sqlite3
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.store import PageQuery
from irchat.interfaces.stored import GLOBAL
from irchat.interfaces.writes import (
    GroupCreated,
    UserCreated,
)
from irchat.protocol.errors import Code, Refusal
from irchat.store.sqlite.engine import SQLiteStore
from irchat.store.threads import NoThreads
from tests.helpers.stores import NOW, message


class HeldBack:
    """A connection that notes what it runs and fails the statements that begin so."""

    def __init__(self, connection: sqlite3.Connection, failing: str = "", error: Exception | None = None) -> None:
        self._connection = connection
        self.statements: list[str] = []
        self.failing = failing
        self.error = error or sqlite3.OperationalError("disk I/O error")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        """Run a statement."""
        self._note(sql)
        return self._connection.execute(sql, *values)

    def executemany(self, sql: str, *values: Any) -> sqlite3.Cursor:
        """Run a statement often."""
        self._note(sql)
        return self._connection.executemany(sql, *values)

    def _note(self, sql: str) -> None:
        self.statements.append(sql)
        if self.failing and sql.startswith(self.failing):
            raise self.error


class DatabaseCase(SynchronousTestCase):
    def setUp(self) -> None:
        """Choose the file."""
        self.path = Path(self.mktemp())
        self.connections: list[sqlite3.Connection] = []
        connect = sqlite3.connect

        def noting(*args: Any, **kwargs: Any) -> sqlite3.Connection:
            self.connections.append(connect(*args, **kwargs))
            return self.connections[-1]

        self.patch(sqlite3, "connect", noting)

    def open_store(self) -> SQLiteStore:
        """Open the store with users 1 and 2."""
        store = self.reopened()
        self.successResultOf(store.commit([UserCreated(name, name, None, NOW, None) for name in ("alice", "bob")]))
        return store

    def reopened(self) -> SQLiteStore:
        """Open the store."""
        store = SQLiteStore(self.path, NoThreads(), lambda: NOW)
        self.addCleanup(store.close)
        return store

    def unavailable(self, asked: Deferred[Any]) -> None:
        """Check that a call was refused, and that its reason is in the log, once."""
        refusal = self.failureResultOf(asked, Refusal).value
        self.assertEqual(refusal.code, Code.UNAVAILABLE)

    def look(self, sql: str) -> list[Any]:
        """Ask the file, on a connection of one's own."""
        other = sqlite3.connect(self.path)
        try:
            return other.execute(sql).fetchall()
        finally:
            other.close()

    def texts(self, store: SQLiteStore, user: int = 1) -> list[str]:
        """Return the texts in GLOBAL."""
        return [message.text for message in self.successResultOf(store.page(PageQuery(user, GLOBAL, 50))).messages]


class DataFolderCase(SynchronousTestCase):
    def setUp(self) -> None:
        """Choose a folder."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.path = self.folder / "irchat.sqlite"
        self.copy = self.folder / "copy"

    def open_store(self) -> SQLiteStore:
        """Open the store."""
        store = SQLiteStore(self.path, NoThreads(), lambda: NOW)
        self.addCleanup(store.close)
        return store

    def filled(self, count: int = 3) -> SQLiteStore:
        """A store with two users, a group and so many messages of each in GLOBAL."""
        store = self.open_store()
        self.commit(store, *(UserCreated(name, name, None, NOW, None) for name in ("alice", "bob")))
        self.commit(store, GroupCreated("team", "team", (1, 2), NOW), message((1, 2), 1))
        self.commit(store, *(message(GLOBAL, 1 + number % 2, f"text {number}") for number in range(2 * count)))
        return store

    def commit(self, store: SQLiteStore, *writes: Any) -> list[Any]:
        """Commit."""
        results: list[Any] = self.successResultOf(store.commit(writes))
        return results

    def run_sql(self, *statements: str, path: Path | None = None) -> list[Any]:
        """Run statements on the file, over a connection of its own. Return the rows of the last one."""
        connection = sqlite3.connect(path or self.path, isolation_level=None)
        try:
            rows: list[Any] = []
            for statement in statements:
                rows = connection.execute(statement).fetchall()
            return rows
        finally:
            connection.close()

    def names(self) -> list[str]:
        """The files in the folder, but those that SQLite has beside a database in use."""
        return sorted(path.name for path in self.folder.iterdir() if path.suffix not in (".sqlite-wal", ".sqlite-shm"))
