"""The check of what a database holds."""

import sqlite3

from irchat.interfaces.store import SearchQuery
from irchat.interfaces.stored import GLOBAL
from irchat.interfaces.writes import (
    MarkerMoved,
    MarkSet,
    MessageAdded,
    MessageDeleted,
    MessageEdited,
    MessagesDeleted,
    UserCreated,
    UserRemoved,
)
from irchat.store.sqlite.checking import problems
from irchat.store.sqlite.copying import opened
from tests.helpers.databases import DataFolderCase
from tests.helpers.stores import NOW, message


class CheckTests(DataFolderCase):
    """Whether what is in the database fits together."""

    def found(self) -> list[str]:
        """The problems."""
        with opened(self.path) as connection:
            return list(problems(connection))

    def test_sound(self) -> None:
        """A database is sound after all kinds of writes, and the check changes nothing."""
        store = self.filled()
        self.commit(
            store,
            MarkerMoved(1, GLOBAL, 3),
            UserCreated("carol", "carol", None, NOW, None),
            MessageAdded((1, 3), 1, "x", NOW, None, 0, (3,)),
            MessageDeleted(GLOBAL, 2, None, NOW),
            MessageEdited(GLOBAL, 4, 2, "y", NOW, 0),
            *(MarkSet(GLOBAL, seq, 2, "ok", "ok", True, NOW) for seq in (1, 4)),
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
        """Each fault is reported."""
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
            ("UPDATE chats SET rev = 1 WHERE id = 1", "chat 1 has a change 2 but the last one is 1"),
            ("UPDATE amended SET deleted = 1 WHERE seq = 1", "message 1 of chat 1 was deleted but exists"),
            ("UPDATE amended SET deleted = 0 WHERE seq = 2", "message 2 of chat 1 was changed but is missing"),
            (
                "INSERT INTO marks VALUES (1, 3, 'ok', 2, 'ok', 5)",
                "message 3 of chat 1 has a mark but was never changed",
            ),
            ("INSERT INTO mentions VALUES (2, 1, 99)", "message 99 of chat 1 mentions a user but is missing"),
            (
                "INSERT INTO tokens (hash, user, used_at, by_password) VALUES (x'00', 77, 1, 1)",
                "of tokens refers to what is not in users",
            ),
        ):
            self.path.unlink(missing_ok=True)
            store = self.filled()
            if "amended" in statement or "rev" in statement:
                self.commit(store, MarkSet(GLOBAL, 1, 2, "ok", "ok", True, NOW), MessageDeleted(GLOBAL, 2, None, NOW))
            self.successResultOf(store.search(SearchQuery(1, ["x"], None, (), 1)))  # which brings all into the index
            store.close()
            self.assertEqual(self.found(), [])
            self.run_sql("PRAGMA foreign_keys = OFF", statement)
            self.assertTrue(any(expected in line for line in self.found()), (statement, self.found()))

    def test_in_use(self) -> None:
        """A database that another holds for itself is not called damaged."""
        self.filled().close()
        with opened(self.path) as other, opened(self.path) as connection:
            connection.execute("PRAGMA busy_timeout = 1")
            other.execute("PRAGMA locking_mode = EXCLUSIVE")
            other.execute("BEGIN EXCLUSIVE")
            self.assertRaises(sqlite3.OperationalError, list, problems(connection))

    def test_damaged_file(self) -> None:
        """Of a damaged file, only the damage is reported."""
        self.filled().close()
        (root,) = self.run_sql("SELECT rootpage FROM sqlite_schema WHERE name = 'message_places'")[0]
        with self.path.open("r+b") as file:
            file.seek((root - 1) * 4_096)
            file.write(b"\xff" * 64)
        found = self.found()
        self.assertTrue(found)
        self.assertFalse([line for line in found if "\n" in line or "places for" in line])
