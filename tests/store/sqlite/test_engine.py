"""The store in SQLite: its file, and a disk that cannot be used."""

import contextlib
import sqlite3
from unittest.mock import patch

from irchat.interfaces.store import PageQuery, SearchQuery
from irchat.interfaces.stored import GLOBAL
from irchat.interfaces.writes import BlockSet, GroupCreated, TokenAdded
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import TOKEN_SECONDS
from irchat.store.sqlite import deleted_files, engine
from irchat.store.sqlite.engine import SQLiteStore
from irchat.store.sqlite.search import indexing
from irchat.store.threads import NoThreads
from tests.helpers.databases import DatabaseCase, HeldBack
from tests.helpers.seldom_lines import seldom_lines
from tests.helpers.stores import NOW, message


class OpenTests(DatabaseCase):
    """Opening the file."""

    def test_pragmas(self) -> None:
        """The writer's connection keeps a write-ahead log, waits for the disk at each commit and checks references."""
        self.open_store()
        writer = self.connections[0]
        found = [
            writer.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
        self.assertEqual(found, ["wal", 2, 1])

    def test_readers_write_nothing(self) -> None:
        """A reader's connection refuses to write, and is made once for a thread."""
        store = self.open_store()
        self.texts(store)
        self.texts(store)
        self.assertEqual(len(self.connections), 2)
        self.assertRaises(sqlite3.OperationalError, self.connections[1].execute, "DELETE FROM users")

    def test_readers_in_advance(self) -> None:
        """A connection that was opened in advance is used first."""
        store = self.open_store()
        store.open_readers(1)
        reader = self.connections[-1]
        self.assertEqual((self.texts(store), self.connections[-1]), ([], reader))

    def test_closed(self) -> None:
        """The threads stop before the connections close, for they use them."""
        calls: list[str] = []

        class Threads(NoThreads):
            def stop(self) -> None:
                self_open = store._writer._connection.execute("SELECT 1").fetchone()
                calls.append(f"stopped while open: {self_open}")

        store = SQLiteStore(self.path, Threads(), lambda: NOW)
        store.close()
        self.assertEqual(calls, ["stopped while open: (1,)"])
        self.assertRaises(sqlite3.ProgrammingError, store._writer._connection.execute, "SELECT 1")

    def test_damaged_file(self) -> None:
        """A file that is no database is refused and left as it is."""
        self.path.write_bytes(b"not a database " * 1_000)
        self.assertRaises(sqlite3.DatabaseError, self.reopened)
        self.assertEqual(self.path.read_bytes(), b"not a database " * 1_000)

    def test_no_folder(self) -> None:
        """A file in a folder that is not there cannot be made."""
        self.path = self.path / "irchat.db"
        self.assertRaises(sqlite3.OperationalError, self.reopened)

    def test_old_tokens(self) -> None:
        """Opening forgets the tokens that were not used for 90 days."""
        self._write_tokens()
        self.assertEqual(self._tokens(NOW), ["new", "newest"])

    def test_old_tokens_by_a_wrong_clock(self) -> None:
        """A clock that is years ahead makes no token older than it is by the newest use that is known; one that is
        years behind lets all stay."""
        self._write_tokens()
        self.assertEqual(self._tokens(0), ["new", "newest", "old"])
        self.assertEqual(self._tokens(NOW + 40 * TOKEN_SECONDS * 1000), ["new", "newest"])

    def test_labelled_tokens(self) -> None:
        """A token with a label does not expire."""
        self._write_tokens()
        with contextlib.closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute(
                "UPDATE tokens SET hash = CAST('bot' AS BLOB), label = 'backups' WHERE hash = ?", (b"old",)
            )
        self.assertEqual(self._tokens(NOW), ["bot", "new", "newest"])

    def _write_tokens(self) -> None:
        oldest = NOW - TOKEN_SECONDS * 1000
        uses = (b"old", oldest - 1), (b"new", oldest), (b"newest", NOW)
        self.successResultOf(self.open_store().commit([TokenAdded(token, 1, at) for token, at in uses]))

    def _tokens(self, now: int) -> list[str]:
        """Return the tokens left when the store is opened at that time."""
        SQLiteStore(self.path, NoThreads(), lambda: now).close()
        return sorted(token.decode() for (token,) in self.look("SELECT hash FROM tokens"))


class UnusableDiskTests(DatabaseCase):
    """A disk that cannot be used is `unavailable`, changes nothing, and the store works again when it can."""

    def setUp(self) -> None:
        """Open the store with a message in it."""
        super().setUp()
        self.store = self.open_store()
        self.successResultOf(self.store.commit([message(GLOBAL, 1, "before")]))

    def assert_goes_on(self) -> None:
        """Nothing was changed, and the next message is number 2."""
        self.assertEqual(self.texts(self.store), ["before"])
        (stored,) = self.successResultOf(self.store.commit([message(GLOBAL, 2, "after")]))
        self.assertEqual((stored.seq, self.texts(self.store)), (2, ["before", "after"]))
        self.assertEqual(self.look("PRAGMA integrity_check"), [("ok",)])

    def test_disk_full(self) -> None:
        """A full disk refuses what does not fit, all of it."""
        writer = self.connections[0]
        pages = writer.execute("PRAGMA page_count").fetchone()[0]
        writer.execute(f"PRAGMA max_page_count = {pages}")
        self.unavailable(self.store.commit([message(GLOBAL, 1, "x" * 4_000) for _ in range(50)]))
        writer.execute(f"PRAGMA max_page_count = {pages + 1_000}")
        self.assert_goes_on()

    def test_locked(self) -> None:
        """While another process holds the database, what is written is refused; what is read is not."""
        self.connections[0].execute("PRAGMA busy_timeout = 1")
        other = sqlite3.connect(self.path, isolation_level=None)
        self.addCleanup(other.close)
        other.execute("BEGIN EXCLUSIVE")
        self.unavailable(self.store.commit([message(GLOBAL, 1)]))
        self.assertEqual(self.texts(self.store), ["before"])
        other.execute("ROLLBACK")
        self.assert_goes_on()

    def test_deleted(self) -> None:
        """Nothing is acknowledged once the database or its journal is deleted. What is there can be read."""
        self.patch(deleted_files, "_LOOK_SECONDS", 0.0)
        for suffix in "-wal", "":
            self.path = self.path.with_name(f"without{suffix}.db")
            store = self.open_store()
            self.successResultOf(store.commit([message(GLOBAL, 1, "also before")]))
            self.texts(store)  # opens the reader's connection
            self.path.with_name(self.path.name + suffix).unlink()
            for _ in range(2):
                self.unavailable(store.commit([message(GLOBAL, 1, "lost")]))
            self.assertEqual(self.texts(store)[-1], "also before")

    def test_moved(self) -> None:
        """A folder that is moved takes the database and its journal with it, and the store goes on."""
        self.patch(deleted_files, "_LOOK_SECONDS", 0.0)
        folder = self.path.with_name("folder")
        folder.mkdir()
        self.path = folder / "irchat.db"
        store = self.open_store()
        self.path = folder.rename(folder.with_name("moved")) / "irchat.db"
        self.successResultOf(store.commit([message(GLOBAL, 1, "at the new place")]))
        self.assertEqual(self.look("SELECT text FROM messages"), [("at the new place",)])

    def test_each_statement(self) -> None:
        """Whichever statement of a commit meets the error, nothing of the commit is done."""
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
            writer._connection = writer._index._connection = HeldBack(plain, failing)
            self.unavailable(self.store.commit([
                message(GLOBAL, 1, nonce="n"), message((1, 2), 1), BlockSet(1, 2, True),
                GroupCreated("team", "team", (1, 2), NOW),
            ]))  # fmt: skip
            writer._connection = writer._index._connection = plain
            snapshot = self.store.snapshot()
            self.assertEqual((snapshot.groups, snapshot.blocks, self.texts(self.store)), ([], [], ["before"]), failing)
            self.assertEqual(len(self.successResultOf(self.store.chats(1, ()))), 1, failing)
        self.assert_goes_on()

    def test_log(self) -> None:
        """The reason is logged, but not once for each refused request: the log may be on the full disk."""
        lines = seldom_lines(self, engine)
        self.connections[0].execute(f"PRAGMA max_page_count = {self.look('PRAGMA page_count')[0][0]}")
        for _ in range(10):
            self.unavailable(self.store.commit([message(GLOBAL, 1, "x" * 4_000) for _ in range(50)]))
        plain, self.store._writer._connection = (
            self.store._writer._connection,
            HeldBack(self.connections[0], "BEGIN", MemoryError()),
        )
        self.failureResultOf(self.store.commit([message(GLOBAL, 1)]), Refusal)
        self.store._writer._connection = plain
        self.assertEqual(
            lines, ["the database cannot be used: database or disk is full", "out of memory for the database"]
        )

    def test_rolled_back_by_sqlite(self) -> None:
        """Where SQLite itself has ended the transaction, there is none to end."""
        writer = self.store._writer
        plain = writer._connection

        class Ending(HeldBack):
            def _note(self, sql: str) -> None:
                if sql == "COMMIT":
                    self._connection.execute("ROLLBACK")
                super()._note(sql)

        writer._connection = Ending(plain, "COMMIT")
        self.unavailable(self.store.commit([message(GLOBAL, 1)]))
        writer._connection = plain
        self.assert_goes_on()

    def test_reading(self) -> None:
        """A question that meets the error is refused, and the reader's connection answers the next one."""
        self.texts(self.store)
        reader = self.store._mine.connection
        self.store._mine.connection = HeldBack(reader, "SELECT")
        for asked in (
            self.store.page(PageQuery(1, GLOBAL, 50)), self.store.chats(1, ()), self.store.password(1),
            self.store.token(b"token"), self.store.search(SearchQuery(1, ["before"], None, (), 5)),
        ):  # fmt: skip
            self.unavailable(asked)
        self.store._mine.connection = reader
        self.assert_goes_on()

    def test_reader_that_cannot_open(self) -> None:
        """A reader whose connection cannot be made is refused, and the next try makes it."""
        with patch.object(engine, "sqlite3", wraps=sqlite3) as module:
            module.Error, module.OperationalError = sqlite3.Error, sqlite3.OperationalError
            module.DatabaseError, module.IntegrityError = sqlite3.DatabaseError, sqlite3.IntegrityError
            module.ProgrammingError = sqlite3.ProgrammingError
            module.connect.side_effect = sqlite3.OperationalError("unable to open database file")
            self.unavailable(self.store.chats(1, ()))
        self.assert_goes_on()

    def test_mistakes_are_no_disk_errors(self) -> None:
        """A fault of a write itself is not called an error of the disk, and changes nothing either."""
        for error in (sqlite3.IntegrityError("twice"), sqlite3.ProgrammingError("wrong"), ValueError("wrong")):
            writer = self.store._writer
            plain = writer._connection
            writer._connection = HeldBack(plain, "INSERT INTO messages", error)
            self.failureResultOf(self.store.commit([message(GLOBAL, 1)]), type(error))
            writer._connection = plain
        self.assert_goes_on()

    def test_refusals_pass(self) -> None:
        """A Refusal of a thread stays what it is."""
        refusal = Refusal(Code.INTERNAL, "x")
        writer = self.store._writer
        plain = writer._connection
        writer._connection = HeldBack(plain, "BEGIN", refusal)
        self.assertIdentical(self.failureResultOf(self.store.commit([message(GLOBAL, 1)])).value, refusal)
        writer._connection = plain
        self.assert_goes_on()
