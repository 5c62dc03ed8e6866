"""Copies of the database in use, upgrades that keep the old file, and the consistency check."""

import os
import sqlite3
import stat
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.stored import GLOBAL, StoredBan
from irchat.interfaces.writes import (
    BanSet,
    GroupCreated,
    MarkerMoved,
    MessageAdded,
    MessagesDeleted,
    UserCreated,
    UserRemoved,
)
from irchat.store.sqlite import copying, migrations
from irchat.store.sqlite.checking import problems
from irchat.store.sqlite.copying import BadCopy, copy_database, database_part, empty_journal, need_sound, opened
from irchat.store.sqlite.engine import SQLiteStore
from irchat.store.sqlite.migrations import SCRIPTS
from irchat.store.sqlite.threads import NoThreads
from tests.helpers.stores import NOW, message


class _Case(SynchronousTestCase):
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
        """Create a store with two users, a group, and a number of messages of each in GLOBAL."""
        store = self.open_store()
        self.commit(store, *(UserCreated(name, name, None, NOW, None) for name in ("alice", "bob")))
        self.commit(store, GroupCreated("team", "team", (1, 2), NOW), message((1, 2), 1))
        self.commit(store, *(message(GLOBAL, 1 + number % 2, f"text {number}") for number in range(2 * count)))
        return store

    def commit(self, store: SQLiteStore, *writes: Any) -> list[Any]:
        """Commit writes."""
        results: list[Any] = self.successResultOf(store.commit(writes))
        return results

    def run_sql(self, *statements: str, path: Path | None = None) -> list[Any]:
        """Run SQL on a separate connection. Return the last rows."""
        connection = sqlite3.connect(path or self.path, isolation_level=None)
        try:
            rows: list[Any] = []
            for statement in statements:
                rows = connection.execute(statement).fetchall()
            return rows
        finally:
            connection.close()

    def names(self) -> list[str]:
        """Return the files in the folder, except SQLite's companions of an open database."""
        return sorted(path.name for path in self.folder.iterdir() if path.suffix not in (".sqlite-wal", ".sqlite-shm"))


class CopyTests(_Case):
    """Copies."""

    def test_copy(self) -> None:
        """A copy holds the database's contents in one private file, and replaces an older copy."""
        store = self.filled()
        self.copy.write_text("something else")
        with opened(self.path) as source:
            copy_database(source, self.copy)
        self.assertEqual(self.names(), ["copy", "irchat.sqlite"])
        self.assertEqual(stat.S_IMODE(self.copy.stat().st_mode), 0o600)
        self.assertEqual(self.run_sql("SELECT count(*) FROM messages", path=self.copy), [(7,)])
        self.assertEqual(self.run_sql("PRAGMA journal_mode", path=self.copy), [("delete",)])
        self.commit(store, message(GLOBAL, 1))

    def test_commits_go_on(self) -> None:
        """Commits proceed between the steps of a copy. It holds the initial state and does not restart."""
        store = self.filled(1_500)
        self.patch(copying, "_STEP_PAGES", 4)
        seen: list[tuple[int, int]] = []

        def progress(done: int, of: int) -> None:
            seen.append((done, of))
            self.commit(store, message(GLOBAL, 1, f"meanwhile {len(seen)}"))

        with opened(self.path) as source:
            copy_database(source, self.copy, progress)
        self.assertTrue(len(seen) > 10)
        self.assertEqual([done for done, _ in seen], sorted({done for done, _ in seen}))
        self.assertEqual(len({of for _, of in seen}), 1)
        self.assertEqual(seen[-1][0], seen[-1][1])
        self.assertEqual(self.run_sql("SELECT count(*) FROM messages", path=self.copy), [(3_001,)])
        self.assertEqual(self.run_sql("SELECT count(*) FROM messages"), [(3_001 + len(seen),)])
        with opened(self.copy) as copy:
            self.assertEqual(list(problems(copy)), [])

    def test_within_a_transaction(self) -> None:
        """A copy within a transaction holds the transaction's view, and leaves it open."""
        self.filled()
        with opened(self.path) as source:
            source.execute("BEGIN")
            copy_database(source, self.copy)
            self.assertTrue(source.in_transaction)

    def test_nothing_half(self) -> None:
        """If a copy fails or is damaged, the previous one stays, and no partial file is left."""
        self.filled()
        self.copy.write_text("before")

        def fail(*_: Any) -> None:
            raise OSError(28, "No space left on device")

        for name, error in (("need_sound", BadCopy("bad")), ("need_sound", sqlite3.OperationalError("disk I/O error"))):

            def raise_it(*_: Any, error: Exception = error) -> None:
                raise error

            with self.subTest(), opened(self.path) as source:
                original = getattr(copying, name)
                setattr(copying, name, raise_it)
                self.addCleanup(setattr, copying, name, original)
                self.assertRaises(type(error), copy_database, source, self.copy)
                setattr(copying, name, original)
        self.patch(os, "fsync", fail)
        with opened(self.path) as source:
            self.assertRaises(OSError, copy_database, source, self.copy)
        self.assertEqual((self.copy.read_text(), self.names()), ("before", ["copy", "irchat.sqlite"]))

    def test_left_over(self) -> None:
        """Remains of killed copies are deleted by the next one, but not a copy in progress."""
        self.filled()
        for name in "copy.0123456789abcdef.part", "copy.0123456789abcdef.part-wal", "copy.part", "other.part":
            (self.folder / name).write_text("half")
        with database_part(self.copy) as (working, _), opened(self.path) as source:
            copy_database(source, self.copy, verified=False)
            self.assertEqual(self.names(), ["copy", working.name, "irchat.sqlite", "other.part"])

    def test_two_at_once(self) -> None:
        """Two simultaneous copies to one name do not disturb each other: each is complete, the last one stays."""
        store = self.filled()
        counts = []

        def progress(done: int, of: int) -> None:
            if not counts:
                self.commit(store, message(GLOBAL, 1))
                with opened(self.path) as source:
                    copy_database(source, self.copy)
                counts.extend(self.run_sql("SELECT count(*) FROM messages", path=self.copy))

        with opened(self.path) as source:
            copy_database(source, self.copy, progress)
        counts.extend(self.run_sql("SELECT count(*) FROM messages", path=self.copy))
        self.assertEqual((counts, self.names()), ([(8,), (7,)], ["copy", "irchat.sqlite"]))

    def test_sound(self) -> None:
        """Damage is reported in one line."""
        self.filled(100).close()
        with opened(self.path) as source:
            need_sound(source)
        self.damage()
        with opened(self.path) as source:
            refused = str(self.assertRaises(sqlite3.DatabaseError, need_sound, source))
        self.assertNotIn("\n", refused)

    def damage(self) -> None:
        """Overwrite the pages of the messages."""
        (root,) = self.run_sql("SELECT rootpage FROM sqlite_schema WHERE name = 'message_places'")[0]
        (size,) = self.run_sql("PRAGMA page_size")[0]
        with self.path.open("r+b") as file:
            file.seek((root - 1) * size + 8)
            file.write(b"\xff" * 64)

    def test_opened(self) -> None:
        """A missing database is not created."""
        with self.assertRaises(sqlite3.OperationalError), opened(self.path):
            self.fail("it was opened")
        self.assertEqual(self.names(), [])

    def test_empty_journal(self) -> None:
        """The journal is copied into the file, but not while a reader needs the old pages."""
        store = self.filled()
        empty_journal(self.path)
        self.assertEqual(self.path.with_name("irchat.sqlite-wal").stat().st_size, 0)
        with opened(self.path) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM users").fetchone()
            self.commit(store, message(GLOBAL, 1))
            self.patch(copying, "_BUSY_SECONDS", 0.01)
            self.assertRaises(sqlite3.OperationalError, empty_journal, self.path)


class UpgradeTests(_Case):
    """A database of an older version."""

    def make_version_1(self) -> None:
        """Create a database with the first version's script."""
        self.run_sql("PRAGMA journal_mode = WAL")
        connection = sqlite3.connect(self.path, isolation_level=None)
        connection.executescript(SCRIPTS[0] + "PRAGMA user_version = 1;")
        connection.executescript(
            "INSERT INTO users (name, key, created_at) VALUES ('alice', 'alice', 5);"
            "INSERT INTO members VALUES (1, 1, 0, 0, 0);"
        )
        connection.close()

    def test_backup_before(self) -> None:
        """Before an upgrade the old database is saved and verified. The new one works as before."""
        self.make_version_1()
        store = self.open_store()
        kept = self.folder / f"irchat.sqlite.before-version-{len(SCRIPTS)}"
        self.assertEqual(self.names(), ["irchat.sqlite", kept.name])
        self.assertEqual(self.run_sql("PRAGMA user_version", path=kept), [(1,)])
        self.assertEqual(self.run_sql("SELECT name FROM users", path=kept), [("alice",)])
        self.assertEqual([user.name for user in store.snapshot().users], ["alice"])
        self.commit(store, BanSet(StoredBan(1, None, None, ""), NOW), UserRemoved(1, "alice#1", "alice#1", NOW, ()))
        with opened(self.path) as connection:
            self.assertEqual(list(problems(connection)), [])

    def test_no_upgrade_without(self) -> None:
        """If the old database cannot be saved, it is not changed."""
        self.make_version_1()

        def fail(*_: Any, **__: Any) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        self.patch(migrations, "copy_database", fail)
        self.assertRaises(sqlite3.OperationalError, self.open_store)
        self.assertEqual(self.run_sql("PRAGMA user_version"), [(1,)])

    def test_new(self) -> None:
        """A new database, or one of this version, needs no saved copy."""
        self.open_store().close()
        self.open_store()
        self.assertEqual(self.names(), ["irchat.sqlite"])


class CheckTests(_Case):
    """The consistency check."""

    def found(self) -> list[str]:
        """Return the problems."""
        with opened(self.path) as connection:
            return list(problems(connection))

    def test_sound(self) -> None:
        """Everything that the store writes is consistent, and the check changes nothing."""
        store = self.filled()
        self.commit(
            store,
            MarkerMoved(1, GLOBAL, 3),
            UserCreated("carol", "carol", None, NOW, None),
            MessageAdded((1, 3), 1, "x", NOW, None, 0),
        )
        self.commit(
            store,
            UserRemoved(1, "alice#1", "alice#1", NOW, ((2, 2),)),
            MessagesDeleted(((GLOBAL, 1), (GLOBAL, 3), ((1, 3), 1))),
        )
        before = self.run_sql("PRAGMA data_version")
        self.assertEqual(self.found(), [])
        self.assertEqual(self.run_sql("PRAGMA data_version"), before)
        self.commit(store, message(GLOBAL, 2))
        self.assertEqual(self.found(), [])

    def test_each(self) -> None:
        """Each inconsistency is reported."""
        for statement, expected in (
            ("UPDATE chats SET last_seq = 5 WHERE id = 1", "chat 1 ends at 5 but has a message 6"),
            ("UPDATE chats SET last_seq = 7 WHERE id = 1", "chat 1 lacks messages between 0 and 7"),
            ("DELETE FROM messages WHERE chat = 1 AND seq = 2", "chat 1 lacks messages between 0 and 6"),
            ("UPDATE members SET read_seq = 7 WHERE user = 1 AND chat = 1", "user 1 has read chat 1 up to 7"),
            ("UPDATE message_places SET seq = 99 WHERE seq = 6", "message 6 of chat 1 has no place"),
            ("INSERT INTO message_places VALUES (99, 1, 99)", "there are 8 places for 7 messages"),
            ("DELETE FROM message_words_docsize WHERE id = 2", "the search index has 6 messages of 7"),
            ("UPDATE message_words_data SET block = zeroblob(90) WHERE id > 10", "the search index is damaged"),
            ("DELETE FROM members WHERE user = 1 AND chat = 2", "group 2 is owned by user 1, who is not in it"),
            ("DELETE FROM members WHERE user = 2 AND chat = 1", "user 2 is not in GLOBAL"),
            ("UPDATE users SET removed_at = 1 WHERE id = 2", "user 2 was removed but is in a chat"),
            ("INSERT INTO tokens VALUES (x'00', 77, 1, 1)", "of tokens refers to what is not in users"),
        ):
            self.path.unlink(missing_ok=True)
            store = self.filled()
            self.successResultOf(store.search(1, ["x"], None, (), 1))  # which brings all into the index
            store.close()
            self.assertEqual(self.found(), [])
            self.run_sql("PRAGMA foreign_keys = OFF", statement)
            self.assertTrue(any(expected in line for line in self.found()), (statement, self.found()))

    def test_in_use(self) -> None:
        """A database locked by another process is not called damaged."""
        self.filled().close()
        with opened(self.path) as other, opened(self.path) as connection:
            connection.execute("PRAGMA busy_timeout = 1")
            other.execute("PRAGMA locking_mode = EXCLUSIVE")
            other.execute("BEGIN EXCLUSIVE")
            self.assertRaises(sqlite3.OperationalError, list, problems(connection))

    def test_damaged_file(self) -> None:
        """For a damaged file only the damage is reported."""
        self.filled().close()
        (root,) = self.run_sql("SELECT rootpage FROM sqlite_schema WHERE name = 'message_places'")[0]
        with self.path.open("r+b") as file:
            file.seek((root - 1) * 4_096)
            file.write(b"\xff" * 64)
        found = self.found()
        self.assertTrue(found)
        self.assertFalse([line for line in found if "\n" in line or "places for" in line])
