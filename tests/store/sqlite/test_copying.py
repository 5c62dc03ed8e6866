"""Copies of the database while it is in use."""

import os
import sqlite3
import stat
from typing import Any

from irchat.interfaces.stored import GLOBAL
from irchat.store.sqlite import copying
from irchat.store.sqlite.checking import problems
from irchat.store.sqlite.copying import (
    BadCopy,
    copy_database,
    database_part,
    empty_journal,
    lacks_journal,
    need_sound,
    opened,
)
from tests.helpers.databases import DataFolderCase
from tests.helpers.stores import message


class CopyTests(DataFolderCase):
    """Copies."""

    def test_copy(self) -> None:
        """A copy holds what the database holds, is one file for its owner alone, and what was there before is gone."""
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
        """Commits are done between the steps of a copy; it holds the state at its beginning and does not start over."""
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

    def test_progress_while_verifying(self) -> None:
        """The copy of a large database takes long to verify: the progress is reported meanwhile."""
        self.filled(1_500)
        self.patch(copying, "_VERIFIED_STEPS", 1_000)
        seen: list[tuple[int, int]] = []
        with opened(self.path) as source:
            copy_database(source, self.copy, lambda done, of: seen.append((done, of)))
        whole = seen[-1]
        self.assertEqual(whole[0], whole[1])
        self.assertGreater(seen.count(whole), 3)

    def test_within_a_transaction(self) -> None:
        """A copy can be made inside a transaction, which goes on."""
        self.filled()
        with opened(self.path) as source:
            source.execute("BEGIN")
            copy_database(source, self.copy)
            self.assertTrue(source.in_transaction)

    def test_nothing_half(self) -> None:
        """A copy that cannot be made or is not sound leaves the one before, and no part of itself."""
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
        """The remains of killed copies go with the next one, but not the file that another one is writing."""
        self.filled()
        for name in "copy.0123456789abcdef.part", "copy.0123456789abcdef.part-wal", "copy.part", "other.part":
            (self.folder / name).write_text("half")
        with database_part(self.copy) as (working, _), opened(self.path) as source:
            copy_database(source, self.copy)
            self.assertEqual(self.names(), ["copy", working.name, "irchat.sqlite", "other.part"])

    def test_two_at_once(self) -> None:
        """Two copies to one name at once do not come into each other's way: each is whole, the last one stays."""
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
        """A database that is not there is not made."""
        with self.assertRaises(sqlite3.OperationalError), opened(self.path):
            self.fail("it was opened")
        self.assertEqual(self.names(), [])

    def test_empty_journal(self) -> None:
        """The journal goes into the file, but not while somebody reads what it would change."""
        store = self.filled()
        empty_journal(self.path)
        self.assertEqual(self.path.with_name("irchat.sqlite-wal").stat().st_size, 0)
        with opened(self.path) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM users").fetchone()
            self.commit(store, message(GLOBAL, 1))
            self.patch(copying, "_BUSY_SECONDS", 0.01)
            self.assertRaises(sqlite3.OperationalError, empty_journal, self.path)


class OpenedTests(DataFolderCase):
    """Connections for copies, and the state in which they leave a database."""

    def test_opened(self) -> None:
        """A connection trusts no function of the schema, and is closed after the block, also after an error."""
        self.filled()
        for error in (None, KeyError()):
            try:
                with opened(self.path) as connection:
                    self.assertEqual(connection.execute("PRAGMA trusted_schema").fetchone(), (0,))
                    if error is not None:
                        raise error
            except KeyError as raised:
                self.assertIs(raised, error)
            self.assertRaises(sqlite3.ProgrammingError, connection.execute, "SELECT 1")

    def test_missing(self) -> None:
        """A database that does not exist is not created."""
        with self.assertRaises(sqlite3.OperationalError), opened(self.copy) as connection:
            connection.execute("SELECT 1")
        self.assertFalse(self.copy.exists())

    def test_owner(self) -> None:
        """On demand, a copy gets the owner of its folder."""
        self.filled()
        asked: list[object] = []
        self.patch(copying, "give_to_owner", lambda descriptor, folder: asked.append(folder))
        with opened(self.path) as source:
            for like_folder, expected in ((False, []), (True, [self.copy.parent])):
                copy_database(source, self.copy, like_folder=like_folder)
                self.assertEqual(asked, expected)

    def test_transaction(self) -> None:
        """A copy ends the transaction that it began, and no other one."""
        self.filled()
        with opened(self.path) as source:
            for has_begun in (False, True):
                if has_begun:
                    source.execute("BEGIN")
                copy_database(source, self.copy)
                self.assertEqual(source.in_transaction, has_begun)

    def test_lacking_journal(self) -> None:
        """A file in WAL mode without its journal lacks it. One in another mode needs none."""
        wal = self.copy.with_name(f"{self.copy.name}-wal")
        for head, expected in ((b"\2\2", True), (b"\1\1", False), (b"\2\1", False), (b"", False)):
            self.copy.write_bytes(b"x" * 18 * bool(head) + head + b"\2\2" * bool(head))
            self.assertIs(lacks_journal(self.copy), expected)
        self.copy.write_bytes(b"x" * 18 + b"\2\2")
        wal.touch()
        self.assertFalse(lacks_journal(self.copy))
