"""Reading the log."""

from irchat.interfaces.log import LogBatch
from irchat.interfaces.stored import GLOBAL
from irchat.interfaces.writes import BlockSet, Entry, MessageAdded, MessagesDeleted
from irchat.store.postgres.log.batches import CannotFollow, Reader
from tests.helpers.postgres_nodes import NodesCase
from tests.helpers.stores import message


class ReaderTests(NodesCase):
    """`Reader` on what two nodes have committed."""

    def read(self, position: int = 0, origin: tuple[int, int] | None = None, most: int = 99) -> list[int]:
        """Return the positions that a third node reads."""
        found = Reader(9, 0).read(self.connect(), position, origin, most)
        positions = [batch.position for batch in found.batches]
        self.assertEqual(list(found.origins), positions)
        self.assertEqual(found.more, len(positions) == most)
        return positions

    def test_span(self) -> None:
        """It reads what follows on a position, up to a number of commits."""
        head = self.a.log.position
        more = [self.commit(store, message(GLOBAL, 1)).position for store in (self.a, self.b, self.a)]
        self.assertEqual(self.read(head), more)
        self.assertEqual(self.read(head, most=2), more[:2])
        self.assertEqual(self.read(more[-1]), [])

    def test_notices(self) -> None:
        """The other nodes know a message of the log that is a notice."""
        head = self.a.log.position
        self.commit(self.a, message(GLOBAL, 1), message(GLOBAL, 1, notice=True), message((1, 2), 1, notice=True))
        (batch,) = Reader(9, 0).read(self.connect(), head, None, 99).batches
        writes = [entry.write for entry in batch.entries]
        self.assertEqual([isinstance(one, MessageAdded) and one.notice for one in writes], [False, True, True])

    def test_does_not_follow(self) -> None:
        """Rows that do not follow on the position are refused, and it is said whether commits were lost."""
        head = self.commit(self.a, message(GLOBAL, 1), message(GLOBAL, 1)).position
        ((node, batch),) = self.sql("SELECT node, batch FROM log WHERE pos = %s", head)
        self.assertEqual(self.read(head, (node, batch)), [])
        for position, origin in ((head, (node, batch + 1)), (head + 1, None)):
            error = self.assertRaises(CannotFollow, self.read, position, origin)
            self.assertTrue(error.went_back, position)
            self.assertEqual(str(error), "the database went back to an older state")
        self.assertTrue(self.assertRaises(CannotFollow, self.read, head - 1).went_back)
        self.sql("DELETE FROM log WHERE pos < %s", head)
        error = self.assertRaises(CannotFollow, self.read, head - 5)
        self.assertEqual((error.went_back, str(error)), (False, "the log no longer holds the next commit"))
        self.assertEqual(self.read(head - 2), [head])

    def test_deleted_meanwhile(self) -> None:
        """A message that was deleted before it was read is not in its commit, also if its chat went with it."""
        self.follow(self.b)
        first = self.commit(self.a, message((1, 2), 1), message(GLOBAL, 1), BlockSet(1, 3, True))
        second = self.commit(self.a, MessagesDeleted((((1, 2), 1), (GLOBAL, 1))))
        self.assertEqual(
            self.follow(self.b),
            [LogBatch(first.position, (Entry(BlockSet(1, 3, True)),)), LogBatch(second.position, ())],
        )
