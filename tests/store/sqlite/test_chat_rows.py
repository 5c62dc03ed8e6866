"""The rows of chats that the writer caches."""

import sqlite3

from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.stored import GLOBAL
from irchat.store.sqlite.chat_rows import ChatRows
from irchat.store.sqlite.migrations import SCRIPTS


class ChatRowsTests(SynchronousTestCase):
    """`ChatRows` on a new database with two users."""

    def setUp(self) -> None:
        """Make it."""
        self.rows = ChatRows()
        self.rows._connection = sqlite3.connect(":memory:", isolation_level=None)
        self.addCleanup(self.rows._connection.close)
        self.rows._connection.executescript("".join(SCRIPTS))
        self.rows._chats = {}
        for name in "alice", "bob":
            self.rows._connection.execute("INSERT INTO users (name, key, created_at) VALUES (?, ?, 5)", (name, name))

    def test_found(self) -> None:
        """A chat is looked up once, and an unknown one every time."""
        self.rows._connection.execute("UPDATE chats SET last_seq = 7, last_at = 8, rev = 9 WHERE id = 1")
        row = self.rows._chat(GLOBAL)
        assert row is not None
        self.assertEqual((row.id, row.last_seq, row.last_at, row.rev), (1, 7, 8, 9))
        self.assertIs(self.rows._chat(GLOBAL), row)
        self.assertIsNone(self.rows._chat(99))
        self.assertIsNone(self.rows._chat((1, 2)))

    def test_made(self) -> None:
        """A private chat is made when it is needed, with both members."""
        row = self.rows._chat_to_write((1, 2))
        self.assertEqual((row.last_seq, row.last_at, row.rev), (0, 0, 0))
        self.assertIs(self.rows._chat_to_write((1, 2)), row)
        members = self.rows._connection.execute("SELECT user FROM members WHERE chat = ?", (row.id,)).fetchall()
        self.assertEqual(members, [(1,), (2,)])
        self.assertRaises(AssertionError, self.rows._chat_to_write, 99)
