"""The search index takes messages in batches. A search finds all of them at any time."""

import sqlite3
from pathlib import Path
from unittest.mock import patch

from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.store import SearchQuery
from irchat.interfaces.stored import GLOBAL
from irchat.interfaces.writes import GroupCreated, GroupRemoved, MessageAdded, MessagesDeleted, UserCreated
from irchat.protocol.errors import Code, Refusal
from irchat.store.sqlite import checking
from irchat.store.sqlite.checking import problems
from irchat.store.sqlite.copying import opened
from irchat.store.sqlite.engine import SQLiteStore
from irchat.store.sqlite.search import indexing
from irchat.store.threads import NoThreads
from tests.helpers.stores import NOW, message

_TOGETHER = 4


class IndexTests(SynchronousTestCase):
    """A store that indexes messages four at a time."""

    def setUp(self) -> None:
        """Open it, with alice and bob."""
        self.patch(indexing, "INDEXED_TOGETHER", _TOGETHER)
        self.path = Path(self.mktemp())
        self.store = self.reopened()
        self.commit(*(UserCreated(name, name, None, NOW, None) for name in ("alice", "bob")))

    def reopened(self) -> SQLiteStore:
        """Return the store, reopened without having been closed."""
        store = SQLiteStore(self.path, NoThreads(), lambda: NOW)
        self.addCleanup(store.close)
        return store

    def commit(self, *writes: object) -> list[int]:
        """Commit writes. Return their results."""
        given: list[int] = self.successResultOf(self.store.commit(writes))  # type: ignore[arg-type]
        return given

    def say(self, *texts: str) -> None:
        """Store texts in GLOBAL, one per commit."""
        for text in texts:
            self.commit(message(GLOBAL, 1, text))

    def found(self, word: str) -> list[str]:
        """Return the results of a search by bob, newest first."""
        messages, _ = self.successResultOf(self.store.search(SearchQuery(2, [word], None, (), 50)))
        return [one.text for one in messages]

    def in_index(self) -> int:
        """Return the number of indexed messages."""
        with opened(self.path) as connection:
            self.assertEqual(list(problems(connection)), [])
            count: int = connection.execute("SELECT count(*) FROM message_words_docsize").fetchone()[0]
        return count

    def test_together(self) -> None:
        """Messages wait for the index until there are enough, in one commit or many."""
        self.say("a one", "a two", "a three")
        self.assertEqual(self.in_index(), 0)
        self.say("a four")
        self.assertEqual(self.in_index(), 4)
        self.commit(*(MessageAdded((1, 2), 2, f"a {number}", NOW, None, 0) for number in range(9)))
        self.assertEqual(self.in_index(), 12)  # three times, of which two were after the commit
        self.assertEqual(len(self.found("a")), 13)

    def test_long_ones(self) -> None:
        """Batches of long messages are smaller, so that none takes long."""
        self.patch(indexing, "INDEXED_CHARACTERS", 20)
        self.say("a 3456789", "a 3456789")
        self.assertEqual(self.in_index(), 0)
        self.say("a 3")
        self.assertEqual(self.in_index(), 3)
        self.say("a 3456789", "a 3456789")
        self.assertEqual(self.in_index(), 3)

    def test_long_commit(self) -> None:
        """A very large commit is indexed in part. The rest follows between other commits, and before a search."""
        self.patch(indexing, "INDEXED_CHARACTERS", 40)
        parts: list[int] = []
        bring_in = indexing.SearchIndex.bring_in

        def noting(index: indexing.SearchIndex) -> None:
            before = index.last_indexed
            bring_in(index)
            parts.append(index.last_indexed - before)

        self.patch(indexing.SearchIndex, "bring_in", noting)
        with patch.object(SQLiteStore, "_work_soon"):
            self.commit(*(message(GLOBAL, 1, "a 3456789") for _ in range(20)))
            self.assertEqual((parts, self.in_index()), ([4], 4))
            self.assertEqual(len(self.found("a")), 20)
        self.assertEqual(parts, [4] * 5)
        self.commit(*(message(GLOBAL, 1, "字" * 10) for _ in range(4)))
        self.assertEqual((parts[5:], self.in_index()), ([2, 2], 24))
        self.commit(*(message(GLOBAL, 1, "字" * 10) for _ in range(3)))  # short, but longer once it is folded
        self.assertEqual((parts[7:], self.in_index()), ([2], 26))

    def test_search_finds_the_newest(self) -> None:
        """A search indexes waiting messages first, once."""
        self.say("a one")
        self.assertEqual(self.found("a"), ["a one"])
        self.assertEqual(self.in_index(), 1)
        self.say("a two", "b")
        self.assertEqual((self.found("a"), self.found("a")), (["a two", "a one"], ["a two", "a one"]))
        self.assertEqual(self.in_index(), 3)

    def test_batches_begin_after_a_search(self) -> None:
        """Messages that a search brought into the index do not count for the next batch."""
        self.say("a one", "a two", "a three")
        self.found("a")
        self.say("a four", "a five", "a six")
        self.assertEqual(self.in_index(), 3)
        self.say("a seven")
        self.assertEqual(self.in_index(), 7)

    def test_search_while_it_is_brought_in(self) -> None:
        """A batch being indexed waits until it is on the disk, and a search does not overtake it."""
        self.say("a one", "a two", "a three")
        writer = self.store._writer
        connection = writer._connection
        waited: list[bool] = []

        class Watched:
            """Wrap the connection to observe the writer before each statement."""

            def execute(self, sql: str, *values: object) -> sqlite3.Cursor:
                waited.append(writer._index.waits)
                return connection.execute(sql, *values)

            def __getattr__(self, name: str) -> object:
                return getattr(connection, name)

        writer._connection = Watched()  # type: ignore[assignment]
        self.say("a four")
        self.assertEqual((set(waited), writer._index.waits), ({True}, False))

    def test_after_a_kill(self) -> None:
        """Messages waiting at a crash are found by the next server, and count as waiting."""
        self.say("a one", "a two", "a three")
        self.store = self.reopened()
        self.assertEqual(self.in_index(), 0)
        self.say("a four")
        self.assertEqual(self.in_index(), 4)
        self.say("a five")
        self.store = self.reopened()
        self.assertEqual(len(self.found("a")), 5)

    def test_deleted_while_it_waits(self) -> None:
        """Indexed and waiting messages can be deleted without losing others."""
        self.say("a one", "a two", "a three", "a four", "a five", "a six")
        self.commit(MessagesDeleted(((GLOBAL, 2), (GLOBAL, 6))))
        self.assertEqual(self.found("a"), ["a five", "a four", "a three", "a one"])
        self.say("a seven")
        self.assertEqual(self.found("a")[0], "a seven")
        self.assertEqual(self.in_index(), 5)

    def test_group_that_ends_while_it_waits(self) -> None:
        """The messages of a dissolved group leave the index, including those still waiting."""
        (group,) = self.commit(GroupCreated("team", "team", (1, 2), NOW))
        self.say("a one")
        self.commit(message(group, 1, "a gone"), message(group, 2, "a gone too"))
        self.commit(GroupRemoved(group))
        self.assertEqual(self.found("a"), ["a one"])
        self.assertEqual(self.in_index(), 1)

    def test_disk_that_cannot_be_used(self) -> None:
        """If waiting messages cannot be indexed, the search is refused, and finds them later."""
        self.say("a one")
        writer = self.store._writer
        plain = writer._connection
        refusing = sqlite3.connect(self.path.with_name("refusing"), isolation_level=None)
        self.addCleanup(refusing.close)
        writer._connection = writer._index._connection = refusing
        refusal = self.failureResultOf(self.store.search(SearchQuery(2, ["a"], None, (), 50)), Refusal).value
        self.assertEqual(refusal.code, Code.UNAVAILABLE)
        writer._connection = writer._index._connection = plain
        self.assertEqual(self.found("a"), ["a one"])

    def test_too_many_waiting(self) -> None:
        """The check reports an index that lacks more messages than may wait."""
        self.patch(checking, "_WAITING_MOST", 3)
        for count, expected in (3, []), (4, ["the search index has 0 messages of 4"]):
            self.commit(*(message(GLOBAL, 1) for _ in range(4 - len(expected) - 1 if count == 3 else 1)))
            with opened(self.path) as connection:
                connection.execute("DELETE FROM message_words_docsize")
                self.assertEqual(list(problems(connection)), expected)
