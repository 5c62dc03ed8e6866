"""Rebuilding the search index, after an upgrade or a change of text folding."""

import sqlite3
from contextlib import closing
from pathlib import Path
from unittest import mock

from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.store import SearchQuery
from irchat.interfaces.stored import GLOBAL
from irchat.interfaces.writes import MessagesDeleted, UserCreated
from irchat.store.sqlite import properties
from irchat.store.sqlite.checking import problems
from irchat.store.sqlite.copying import opened
from irchat.store.sqlite.engine import SQLiteStore
from irchat.store.sqlite.migrations import SCRIPTS
from irchat.store.sqlite.search import indexing, rebuilding
from irchat.store.threads import NoThreads
from irchat.text.folding import fold
from tests.helpers.stores import NOW, message


def _fail(*_: object) -> None:
    raise sqlite3.OperationalError("database or disk is full")


class RebuildingTests(SynchronousTestCase):
    """A store of seven messages."""

    def setUp(self) -> None:
        """Choose the file, and few messages per transaction."""
        self.path = Path(self.mktemp())
        self.patch(indexing, "INDEXED_TOGETHER", 2)
        self.patch(rebuilding, "_PARTS", 1)
        self.told: list[str] = []

    def opened(self) -> SQLiteStore:
        """Open the store."""
        store = SQLiteStore(self.path, NoThreads(), lambda: NOW, self.told.append)
        self.addCleanup(store.close)
        return store

    def filled(self) -> None:
        """Store the messages, and close."""
        store = self.opened()
        self.successResultOf(store.commit([UserCreated(name, name, None, NOW, None) for name in ("a", "b")]))
        self.successResultOf(store.commit([message(GLOBAL, 1, f"word{n}\U0001f44d") for n in range(7)]))
        store.close()

    def assert_complete(self, store: SQLiteStore) -> None:
        """Check that all messages are found, can be deleted, and are consistent."""
        for word, count in ("\U0001f44d", 7), ("word3", 1):
            self.assertEqual(len(self.successResultOf(store.search(SearchQuery(2, [word], None, (), 50)))[0]), count)
        self.successResultOf(store.commit([MessagesDeleted(((GLOBAL, 1), (GLOBAL, 7)))]))
        self.assertEqual(len(self.successResultOf(store.search(SearchQuery(2, ["\U0001f44d"], None, (), 50)))[0]), 5)
        with opened(self.path) as connection:
            self.assertEqual(list(problems(connection)), [])

    def test_upgrade(self) -> None:
        """A database of version 3, whose index took symbols for letters, is saved and its index rebuilt.

        The rebuild runs in small steps with progress reports, and does not repeat at the next start.
        """
        with closing(sqlite3.connect(self.path, isolation_level=None)) as old:
            old.executescript("".join(SCRIPTS[:3]) + "PRAGMA user_version = 3")
            old.execute("INSERT INTO users (name, key, created_at) VALUES ('a', 'a', 1), ('b', 'b', 1)")
            old.execute("INSERT INTO members VALUES (1, 1, 0, 0, 0), (2, 1, 0, 0, 0)")
            for n in range(1, 8):
                old.execute("INSERT INTO messages VALUES (1, ?, ?, 1, 5, ?)", (n, n, f"word{n - 1}\U0001f44d"))
                old.execute("INSERT INTO message_places VALUES (?, 1, ?)", (n, n))
                old.execute(
                    "INSERT INTO message_words (rowid, chat, text) VALUES (?, 'c1', ?)", (n, f"word{n - 1}\U0001f44d")
                )
            old.execute("UPDATE chats SET last_seq = 7, last_at = 5")
        store = self.opened()
        self.assertEqual(self.told[0], "verifying the copy of the database as it was")
        self.assertEqual(self.told[1], "making the search index: 2 of 7 messages")
        self.assertEqual(len(self.told), 5)
        self.assertTrue(self.path.with_name(f"{self.path.name}.before-version-{len(SCRIPTS)}").exists())
        self.assertTrue(store.epoch)
        self.assert_complete(store)
        store.close()
        self.told.clear()
        self.opened()
        self.assertEqual(self.told, [])

    def test_other_folding(self) -> None:
        """If this Python folds texts differently from the one that built the index, it is rebuilt."""
        self.patch(indexing, "fold", str.upper)
        self.filled()
        self.patch(indexing, "fold", fold)
        self.patch(rebuilding, "FOLDING", "another")
        store = self.opened()
        self.assertEqual(len(self.told), 4)
        self.assert_complete(store)

    def test_killed_meanwhile(self) -> None:
        """Steps completed before a kill are not repeated, and the check does not report damage."""
        self.filled()
        self.patch(rebuilding, "FOLDING", "another")

        def kill(text: str) -> None:
            raise KeyboardInterrupt

        self.assertRaises(KeyboardInterrupt, SQLiteStore, self.path, NoThreads(), lambda: NOW, kill)
        with opened(self.path) as connection:
            self.patch(rebuilding, "FOLDING", "another")
            self.assertEqual(list(problems(connection)), [])
        store = self.opened()
        self.assertEqual(self.told[0], "making the search index: 4 of 7 messages")
        self.assert_complete(store)

    def test_full_disk(self) -> None:
        """A rebuild that cannot begin leaves the old index as it was."""
        self.filled()
        with (
            self.assertRaises(sqlite3.OperationalError),
            mock.patch.multiple(rebuilding, FOLDING="another", properties=mock.Mock(get=properties.get, put=_fail)),
        ):
            self.opened()
        self.assert_complete(self.opened())
        self.assertEqual(self.told, [])

    def test_folding_again_meanwhile(self) -> None:
        """An interrupted rebuild restarts if the folding has changed."""
        self.filled()
        self.patch(rebuilding, "FOLDING", "another")
        self.assertRaises(ZeroDivisionError, SQLiteStore, self.path, NoThreads(), lambda: NOW, lambda _: 1 // 0)
        self.patch(rebuilding, "FOLDING", "yet another")
        store = self.opened()
        self.assertEqual(self.told[0], "making the search index: 2 of 7 messages")
        self.assert_complete(store)
