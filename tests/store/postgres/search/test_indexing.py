"""The search index takes messages in batches. A search finds all of them at any time."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.stored import GLOBAL
from irchat.interfaces.writes import GroupRemoved, MessagesDeleted
from irchat.store.postgres.connecting import Connection, Database
from irchat.store.postgres.search import indexing
from irchat.store.postgres.search.indexing import index_all, index_batch, remove_words, replace_words, waiting
from tests.helpers.stores import PostgresHands, message
from tests.store.test_postgres_model import stale_words


class IndexTests(PostgresHands, SynchronousTestCase):
    """A store that indexes messages four at a time, and the connection of another node."""

    def setUp(self) -> None:
        """Open them."""
        self.patch(indexing, "INDEXED_TOGETHER", 4)
        super().setUp()
        self.connection = self.connect()

    def connect(self) -> Connection:
        """Open a connection."""
        connection = Database(self.url).connect()
        self.addCleanup(connection.close)
        return connection

    def say(self, *texts: str) -> None:
        """Store texts in GLOBAL, which no search or chore has indexed."""
        self.write(*(message(GLOBAL, self.alice, text) for text in texts))

    def rows(self, sql: str) -> list[Any]:
        """Return the rows of a statement."""
        return self.connection.execute(sql).fetchall()

    def in_index(self) -> int:
        """Return the number of messages in the index, which has the words of all of them."""
        self.assertEqual(stale_words(self.connection), [])
        ((count,),) = self.rows("SELECT count(*) FROM places WHERE words <> ''")
        number: int = count
        return number

    def test_batches(self) -> None:
        """A batch takes the oldest messages, if enough wait."""
        self.say("a", "b", "c", "d", "e")
        self.assertEqual((index_batch(self.connection, 6), self.in_index()), (0, 0))
        self.assertEqual((index_batch(self.connection), self.in_index()), (4, 4))
        self.assertEqual((index_batch(self.connection, 2), self.in_index()), (0, 4))
        self.assertEqual((index_batch(self.connection), self.in_index()), (1, 5))
        self.assertEqual((index_batch(self.connection), self.in_index()), (0, 5))
        indexed, last = waiting(self.connection)
        self.assertEqual(indexed, last)

    def test_long_ones(self) -> None:
        """Batches of long messages are smaller, and have one at least."""
        self.patch(indexing, "_CHARACTERS", 20)
        self.say("a" * 10, "b" * 10, "c" * 30, "d")
        self.assertEqual([index_batch(self.connection) for _ in range(4)], [2, 1, 1, 0])

    def test_search_finds_the_newest(self) -> None:
        """A search indexes all that was committed before it."""
        self.say(*(f"word {number}" for number in range(11)))
        self.assertEqual(len(self.found_texts(self.bob, "word")), 11)
        self.assertEqual(self.in_index(), 11)
        self.say("word 11")
        self.assertEqual(self.found_texts(self.bob, "word")[0], "word 11")

    def test_nodes_share_the_work(self) -> None:
        """A node leaves the work to another one that does it. A search waits for a while, and then does it itself."""
        self.patch(indexing, "_PATIENCE_SECONDS", 0.02)
        other = self.connect()
        other.execute("SELECT pg_advisory_lock(7668, 1)")
        self.say("word", "word")
        self.assertEqual((index_batch(self.connection), self.in_index()), (0, 0))
        self.assertEqual(len(self.found_texts(self.bob, "word")), 2)
        other.execute("SELECT pg_advisory_unlock_all()")
        self.say("word")
        self.assertEqual(index_batch(self.connection), 1)

    def late_batch(self, *changes: Any) -> None:
        """Let another node read a batch, which it writes after changes."""
        made = indexing._make_partitions

        def meanwhile(connection: Connection, ids: Any) -> None:
            self.patch(indexing, "_make_partitions", made)
            self.write(*(change for change in changes if not callable(change)))
            for change in changes:
                if callable(change):
                    change()
            made(connection, ids)

        self.patch(indexing, "_make_partitions", meanwhile)
        index_batch(self.connect())

    def test_deleted_meanwhile(self) -> None:
        """The words of a message that was deleted while a batch with it was on its way stay out of the index."""
        self.say("one", "two", "three")
        self.late_batch(MessagesDeleted(((GLOBAL, 2),)))
        self.assertEqual(self.in_index(), 2)
        self.assertEqual([self.found_texts(self.bob, word) for word in ("one", "two")], [["one"], []])

    def test_edited_meanwhile(self) -> None:
        """The words of an edited message are the new ones, whenever a batch with the old ones comes."""
        self.say("one", "two", "three")
        self.late_batch(lambda: self.edit(GLOBAL, 2, self.alice, "new"))
        self.assertEqual((self.in_index(), index_batch(self.connection)), (3, 0))
        self.assertEqual([self.found_texts(self.bob, word) for word in ("new", "two")], [["new"], []])

    def test_overtaken(self) -> None:
        """A batch that another node has overtaken writes nothing, also where messages were deleted since."""
        self.say("one", "two", "three")
        self.late_batch(
            lambda: index_all(self.connection_without_lock()), lambda: self.write(MessagesDeleted(((GLOBAL, 2),)))
        )
        self.assertEqual(self.in_index(), 2)

    def connection_without_lock(self) -> Connection:
        """Let the next search lose its patience at once: the late batch has the lock."""
        self.patch(indexing, "_PATIENCE_SECONDS", 0)
        return self.connection

    def test_deleted_and_edited(self) -> None:
        """Indexed and waiting messages can be deleted and edited, one by one and with their group."""
        group = self.team(self.alice, self.bob)
        self.say("one", "two", "three", "four")
        self.write(message(group, self.alice, "gone"))
        index_all(self.connection)
        self.say("five", "six")
        self.write(message(group, self.alice, "gone too"))
        self.edit(GLOBAL, 1, self.alice, "1")
        self.edit(GLOBAL, 5, self.alice, "5")
        self.write(MessagesDeleted(((GLOBAL, 2), (GLOBAL, 6))), GroupRemoved(group))
        self.delete(GLOBAL, 3, self.alice)
        index_all(self.connection)
        found = [self.found_texts(self.bob, word) for word in ("1", "5", "one", "five", "two", "six", "three", "four")]
        self.assertEqual(found, [["1"], ["5"], [], [], [], [], [], ["four"]])
        self.assertEqual(self.in_index(), 3)

    def test_nothing_left_to_wait_for(self) -> None:
        """If the last waiting messages are deleted, nobody waits for them."""
        self.say("one", "two")
        index_batch(self.connection)
        self.say("three")
        self.connection.execute("DELETE FROM messages WHERE seq = 3")
        index_all(self.connection)
        self.assertEqual(self.in_index(), 2)

    def test_partitions(self) -> None:
        """Partitions are made as they are needed, the next one in advance, also in a turn of a writer."""
        last = indexing.PARTITION * 3 + 5
        with self.connection.transaction():
            replace_words(self.connection, last, 1, 1, "word")
            remove_words(self.connection, [last - indexing.PARTITION])
        found = "SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = 'places'::regclass"
        names = sorted(name for (name,) in self.rows(found))
        self.assertEqual(names, ["places_0", "places_2", "places_3", "places_4"])
        self.assertEqual(self.rows("SELECT tableoid::regclass::text, id FROM places ORDER BY id"),
                         [("places_2", last - indexing.PARTITION), ("places_3", last)])  # fmt: skip
        self.assertEqual(self.rows("SELECT count(*) FROM pg_indexes WHERE tablename = 'places_4'"), [(2,)])
