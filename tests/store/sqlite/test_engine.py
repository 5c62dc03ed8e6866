"""The SQLite store: its file, its versions, and disk failures."""

import shutil
import sqlite3
from pathlib import Path
from typing import Any
from unittest.mock import patch

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.store import PageQuery
from irchat.interfaces.stored import GLOBAL
from irchat.interfaces.writes import BlockSet, GroupCreated, GroupRemoved, TokenAdded, UserCreated
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import TOKEN_SECONDS
from irchat.store.sqlite import engine, migrations, writing
from irchat.store.sqlite.engine import SQLiteStore
from irchat.store.sqlite.migrations import SCRIPTS, NewerDatabase
from irchat.store.sqlite.search import indexing
from irchat.store.sqlite.threads import NoThreads
from tests.helpers.stores import NOW, message


class _HeldBack:
    """A connection that records statements, and fails those with a given beginning."""

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
        """Run a statement repeatedly."""
        self._note(sql)
        return self._connection.executemany(sql, *values)

    def _note(self, sql: str) -> None:
        self.statements.append(sql)
        if self.failing and sql.startswith(self.failing):
            raise self.error


class _Case(SynchronousTestCase):
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
        """Check that a request is refused, and that the reason is logged once."""
        refusal = self.failureResultOf(asked, Refusal).value
        self.assertEqual(refusal.code, Code.UNAVAILABLE)

    def look(self, sql: str) -> list[Any]:
        """Query the file on a separate connection."""
        other = sqlite3.connect(self.path)
        try:
            return other.execute(sql).fetchall()
        finally:
            other.close()

    def texts(self, store: SQLiteStore, user: int = 1) -> list[str]:
        """Return the texts in GLOBAL."""
        return [message.text for message in self.successResultOf(store.page(PageQuery(user, GLOBAL, 50))).messages]


class OpenTests(_Case):
    """Opening the file."""

    def test_pragmas(self) -> None:
        """The writer's connection uses a write-ahead log, syncs each commit and checks references."""
        self.open_store()
        writer = self.connections[0]
        found = [
            writer.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
        self.assertEqual(found, ["wal", 2, 1])

    def test_readers_write_nothing(self) -> None:
        """A reader's connection refuses writes, and is created once per thread."""
        store = self.open_store()
        self.texts(store)
        self.texts(store)
        self.assertEqual(len(self.connections), 2)
        self.assertRaises(sqlite3.OperationalError, self.connections[1].execute, "DELETE FROM users")

    def test_versions(self) -> None:
        """The database version is the number of scripts. Reopening runs none."""
        self.open_store().close()
        self.assertEqual(self.look("PRAGMA user_version"), [(len(SCRIPTS),)])
        self.patch(migrations, "SCRIPTS", ("no SQL at all",) * len(SCRIPTS))
        self.assertEqual(len(self.reopened().snapshot().users), 2)

    def test_upgrade(self) -> None:
        """An older database gets its missing scripts, in order, and keeps its contents."""
        self.open_store().close()
        self.patch(migrations, "SCRIPTS", (*SCRIPTS, "CREATE TABLE a (b);", "INSERT INTO a VALUES (7);"))
        self.assertEqual(len(self.reopened().snapshot().users), 2)
        self.assertEqual(self.look("SELECT b FROM a"), [(7,)])
        self.assertEqual(self.look("PRAGMA user_version"), [(len(SCRIPTS) + 2,)])

    def test_failing_upgrade(self) -> None:
        """A failing script leaves the previous version, with nothing of the script applied and nothing left open."""
        self.open_store().close()
        self.patch(migrations, "SCRIPTS", (*SCRIPTS, "CREATE TABLE a (b);", "CREATE TABLE c (d); nonsense;"))
        self.assertRaises(sqlite3.OperationalError, self.reopened)
        self.assertEqual(self.look("PRAGMA user_version"), [(len(SCRIPTS) + 1,)])
        self.assertEqual(self.look("SELECT name FROM sqlite_schema WHERE name IN ('a', 'c')"), [("a",)])
        self.assertRaises(sqlite3.ProgrammingError, self.connections[-3].execute, "SELECT 1")

    def test_newer_version(self) -> None:
        """A database of a newer version is refused with the next step, and left unchanged."""
        self.open_store().close()
        self.look(f"PRAGMA user_version = {len(SCRIPTS) + 1}")
        refused = self.assertRaises(NewerDatabase, self.reopened)
        self.assertIn("use the newer IRChat", str(refused))
        self.assertRaises(sqlite3.ProgrammingError, self.connections[-1].execute, "SELECT 1")
        self.assertEqual(self.look("PRAGMA user_version"), [(len(SCRIPTS) + 1,)])

    def test_check(self) -> None:
        """Inspection changes nothing: no file is created, a good file passes, a newer or damaged one is refused."""
        migrations.check(self.path)
        self.assertFalse(self.path.exists())
        self.open_store().close()
        before = self.path.read_bytes()
        migrations.check(self.path)
        self.assertEqual((self.path.read_bytes(), [*self.path.parent.glob(f"{self.path.name}?*")]), (before, []))
        self.look(f"PRAGMA user_version = {len(SCRIPTS) + 1}")
        self.assertRaises(NewerDatabase, migrations.check, self.path)
        self.path.write_bytes(b"not a database " * 1_000)
        self.assertRaises(sqlite3.DatabaseError, migrations.check, self.path)

    def test_check_amid_checkpoint(self) -> None:
        """A server killed during a checkpoint leaves a file that needs its journal.

        Inspection does not report it as damaged, and it opens with all of its contents.
        """
        self.path.parent.joinpath("killed").mkdir()
        killed = self.path.parent / "killed" / self.path.name
        store = self.open_store()
        self.look("PRAGMA wal_autocheckpoint = 0")
        self.successResultOf(store.commit([UserCreated(f"u{n}", f"u{n}", None, 0, None) for n in range(500)]))
        for end in "", "-wal":
            shutil.copy(f"{self.path}{end}", f"{killed}{end}")
        self.look("PRAGMA wal_checkpoint(TRUNCATE)")
        first_page = self.path.read_bytes()[:4096]
        with killed.open("r+b") as file:
            file.write(first_page)
        store.close()
        migrations.check(killed)
        self.path = killed
        self.assertEqual(len(self.reopened().snapshot().users), 502)

    def test_damaged_file(self) -> None:
        """A file that is not a database is refused and left unchanged."""
        self.path.write_bytes(b"not a database " * 1_000)
        self.assertRaises(sqlite3.DatabaseError, self.reopened)
        self.assertEqual(self.path.read_bytes(), b"not a database " * 1_000)

    def test_no_folder(self) -> None:
        """A file in a missing folder cannot be created."""
        self.path = self.path / "irchat.db"
        self.assertRaises(sqlite3.OperationalError, self.reopened)

    def test_old_tokens(self) -> None:
        """Opening deletes the tokens not used for 90 days."""
        self._write_tokens()
        self.assertEqual(self._tokens(NOW), ["new", "newest"])

    def test_old_tokens_by_a_wrong_clock(self) -> None:
        """A clock years ahead expires tokens only relative to the newest known use. One years behind keeps all."""
        self._write_tokens()
        self.assertEqual(self._tokens(0), ["new", "newest", "old"])
        self.assertEqual(self._tokens(NOW + 40 * TOKEN_SECONDS * 1000), ["new", "newest"])

    def _write_tokens(self) -> None:
        oldest = NOW - TOKEN_SECONDS * 1000
        uses = (b"old", oldest - 1), (b"new", oldest), (b"newest", NOW)
        self.successResultOf(self.open_store().commit([TokenAdded(token, 1, at) for token, at in uses]))

    def _tokens(self, now: int) -> list[str]:
        """Return the tokens left after opening the store at that time."""
        SQLiteStore(self.path, NoThreads(), lambda: now).close()
        return sorted(token.decode() for (token,) in self.look("SELECT hash FROM tokens"))


class UnusableDiskTests(_Case):
    """A disk failure is `unavailable` and changes nothing. Afterwards the store works again."""

    def setUp(self) -> None:
        """Open the store with a message in it."""
        super().setUp()
        self.store = self.open_store()
        self.successResultOf(self.store.commit([message(GLOBAL, 1, "before")]))

    def assert_goes_on(self) -> None:
        """Check that nothing changed, and that the next message gets seq 2."""
        self.assertEqual(self.texts(self.store), ["before"])
        (stored,) = self.successResultOf(self.store.commit([message(GLOBAL, 2, "after")]))
        self.assertEqual((stored.seq, self.texts(self.store)), (2, ["before", "after"]))
        self.assertEqual(self.look("PRAGMA integrity_check"), [("ok",)])

    def test_disk_full(self) -> None:
        """A full disk refuses a whole commit that does not fit."""
        writer = self.connections[0]
        pages = writer.execute("PRAGMA page_count").fetchone()[0]
        writer.execute(f"PRAGMA max_page_count = {pages}")
        self.unavailable(self.store.commit([message(GLOBAL, 1, "x" * 4_000) for _ in range(50)]))
        writer.execute(f"PRAGMA max_page_count = {pages + 1_000}")
        self.assert_goes_on()

    def test_locked(self) -> None:
        """While another process locks the database, writes are refused and reads work."""
        self.connections[0].execute("PRAGMA busy_timeout = 1")
        other = sqlite3.connect(self.path, isolation_level=None)
        self.addCleanup(other.close)
        other.execute("BEGIN EXCLUSIVE")
        self.unavailable(self.store.commit([message(GLOBAL, 1)]))
        self.assertEqual(self.texts(self.store), ["before"])
        other.execute("ROLLBACK")
        self.assert_goes_on()

    def test_each_statement(self) -> None:
        """Whichever statement of a commit fails, nothing of the commit takes effect."""
        self.patch(indexing, "INDEXED_TOGETHER", 1)
        writer = self.store._writer
        plain = writer._connection
        for failing in (
            "BEGIN",
            "INSERT INTO messages",
            "INSERT INTO message_words",
            "UPDATE chats",
            "UPDATE members",
            "INSERT INTO nonces",
            "INSERT INTO chats",
            "INSERT INTO blocks",
            "COMMIT",
        ):
            writer._connection = writer._index._connection = _HeldBack(plain, failing)
            self.unavailable(self.store.commit([
                message(GLOBAL, 1, nonce="n"), message((1, 2), 1), BlockSet(1, 2, True),
                GroupCreated("team", "team", (1, 2), NOW),
            ]))  # fmt: skip
            writer._connection = writer._index._connection = plain
            snapshot = self.store.snapshot()
            self.assertEqual((snapshot.groups, snapshot.blocks, self.texts(self.store)), ([], [], ["before"]), failing)
            self.assertEqual(len(self.successResultOf(self.store.chats(1, ()))), 1, failing)
        self.assert_goes_on()

    def test_rolled_back_by_sqlite(self) -> None:
        """If SQLite itself has ended the transaction, there is no rollback."""
        writer = self.store._writer
        plain = writer._connection

        class Ending(_HeldBack):
            def _note(self, sql: str) -> None:
                if sql == "COMMIT":
                    self._connection.execute("ROLLBACK")
                super()._note(sql)

        writer._connection = Ending(plain, "COMMIT")
        self.unavailable(self.store.commit([message(GLOBAL, 1)]))
        writer._connection = plain
        self.assert_goes_on()

    def test_reading(self) -> None:
        """A failing query is refused, and the reader's connection answers the next one."""
        self.texts(self.store)
        reader = self.store._mine.connection
        self.store._mine.connection = _HeldBack(reader, "SELECT")
        for asked in (
            self.store.page(PageQuery(1, GLOBAL, 50)), self.store.chats(1, ()), self.store.password(1),
            self.store.token(b"token"), self.store.search(1, ["before"], None, (), 5),
        ):  # fmt: skip
            self.unavailable(asked)
        self.store._mine.connection = reader
        self.assert_goes_on()

    def test_reader_that_cannot_open(self) -> None:
        """A reader whose connection cannot be opened is refused, and the next attempt opens it."""
        with patch.object(engine, "sqlite3", wraps=sqlite3) as module:
            module.Error, module.OperationalError = sqlite3.Error, sqlite3.OperationalError
            module.DatabaseError, module.IntegrityError = sqlite3.DatabaseError, sqlite3.IntegrityError
            module.ProgrammingError = sqlite3.ProgrammingError
            module.connect.side_effect = sqlite3.OperationalError("unable to open database file")
            self.unavailable(self.store.chats(1, ()))
        self.assert_goes_on()

    def test_mistakes_are_no_disk_errors(self) -> None:
        """An error in a write itself is not reported as a disk failure, and changes nothing either."""
        for error in (sqlite3.IntegrityError("twice"), sqlite3.ProgrammingError("wrong"), ValueError("wrong")):
            writer = self.store._writer
            plain = writer._connection
            writer._connection = _HeldBack(plain, "INSERT INTO messages", error)
            self.failureResultOf(self.store.commit([message(GLOBAL, 1)]), type(error))
            writer._connection = plain
        self.assert_goes_on()

    def test_refusals_pass(self) -> None:
        """A Refusal from a thread stays a Refusal."""
        refusal = Refusal(Code.INTERNAL, "x")
        writer = self.store._writer
        plain = writer._connection
        writer._connection = _HeldBack(plain, "BEGIN", refusal)
        self.assertIdentical(self.failureResultOf(self.store.commit([message(GLOBAL, 1)])).value, refusal)
        writer._connection = plain
        self.assert_goes_on()


class WriterTests(_Case):
    """The statements of the writer."""

    def test_messages_together(self) -> None:
        """The messages of a commit take the same few statements, for any number of messages."""
        store = self.open_store()
        counts = []
        writer = store._writer
        plain = writer._connection
        for count in (1, 2, 200):
            noting = _HeldBack(plain)
            writer._connection = noting
            self.successResultOf(store.commit([message(GLOBAL, 1 + number % 2) for number in range(count)]))
            counts.append(len(noting.statements))
        writer._connection = plain
        self.assertEqual(counts[1], counts[2])

    def test_many_chats(self) -> None:
        """Above a number of known chats all are forgotten and looked up again, without a change of their ids."""
        self.patch(writing, "_KNOWN_MOST", 2)
        store = self.open_store()
        self.successResultOf(store.commit([UserCreated("carol", "carol", None, NOW, None)]))
        chats = [GLOBAL, (1, 2), (1, 3), (2, 3)]
        for seq in (1, 2, 3):
            stored = self.successResultOf(store.commit([message(chat, 2) for chat in chats]))
            self.assertEqual([one.seq for one in stored], [seq] * 4)

    def test_nothing_left(self) -> None:
        """A deleted group leaves no row of its messages, members, words or positions."""
        store = self.open_store()
        (group,) = self.successResultOf(store.commit([GroupCreated("team", "team", (1, 2), NOW)]))
        self.successResultOf(store.commit([message(group, 1, "vanishing", nonce="n")]))
        self.successResultOf(store.commit([GroupRemoved(group)]))
        for table in ("messages", "message_places"):
            self.assertEqual(self.look(f"SELECT count(*) FROM {table}"), [(0,)], table)
        self.assertEqual(self.look("SELECT count(*) FROM members WHERE chat != 1"), [(0,)])
        self.assertEqual(self.look("SELECT rowid FROM message_words WHERE message_words MATCH 'vanishing'"), [])
        self.look("INSERT INTO message_words (message_words) VALUES ('integrity-check')")
