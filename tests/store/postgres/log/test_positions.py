"""Positions in the log, and what waits for them."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.protocol.errors import Refusal
from irchat.store.postgres.log.positions import Head, Positions, head_of, is_same


class HeadTests(SynchronousTestCase):
    """The end of a log."""

    def test_row(self) -> None:
        """The end is that of the last row. An empty log ends at 0."""
        self.assertEqual((head_of((7, 2, 5)), head_of(None)), (Head(7, (2, 5)), Head(0, None)))

    def test_same(self) -> None:
        """Two ends are the same at one position, unless their commits are known to differ."""
        head = Head(7, (2, 5))
        cases = ((7, (2, 5)), (7, None), (7, (2, 4)), (6, (2, 5)), (8, None))
        self.assertEqual([is_same(head, *case) for case in cases], [True, True, False, False, False])


class PositionsTests(SynchronousTestCase):
    """`Positions`."""

    def setUp(self) -> None:
        """Begin at 5."""
        self.positions = Positions()
        self.positions.begin_at(5)

    def test_reached(self) -> None:
        """A wait for a position ends when it is applied, in the order of the positions and of asking."""
        fired: list[str] = []
        for name, position in (("c", 8), ("a", 6), ("b", 8), ("d", 9)):
            self.positions.reached(position).addCallback(lambda _, name=name: fired.append(name))
        self.successResultOf(self.positions.reached(5))
        self.positions.note_applied(8)
        self.assertEqual((fired, self.positions.position), (["a", "c", "b"], 8))
        self.positions.note_applied(7)
        self.assertEqual(self.positions.position, 8)
        self.positions.note_applied(9)
        self.assertEqual(fired[-1], "d")

    def test_origin(self) -> None:
        """The origin of the applied commit is known if it was given before."""
        self.positions.note_given(6, (1, 1))
        self.positions.note_given(7, (2, 1))
        self.positions.note_applied(6)
        self.assertEqual(self.positions.origin, (1, 1))
        self.positions.note_applied(9)
        self.assertIsNone(self.positions.origin)
        self.assertEqual(self.positions._given, {})

    def test_begin_again(self) -> None:
        """After a new snapshot, what waited for more than it has is refused: it may never come."""
        waiting = [self.positions.reached(position) for position in (7, 6, 8)]
        self.positions.begin_at(7, (3, 3))
        self.successResultOf(waiting[0])
        self.successResultOf(waiting[1])
        self.failureResultOf(waiting[2], Refusal)
        self.assertEqual((self.positions.position, self.positions.origin), (7, (3, 3)))

    def test_end_of_the_log(self) -> None:
        """All is applied if the log ends at the position, with the commit that is known to be there."""
        self.assertTrue(self.positions.is_at(Head(5, (9, 9))))
        self.positions.begin_at(5, (1, 1))
        self.assertEqual([self.positions.is_at(Head(*head)) for head in ((5, (1, 1)), (5, (9, 9)), (6, (1, 1)))],
                         [True, False, False])  # fmt: skip

    def test_given_before(self) -> None:
        """A commit that was given before a new snapshot is not the one that is applied after it."""
        self.positions.note_given(9, (1, 1))
        self.positions.begin_at(7)
        self.positions.note_applied(9)
        self.assertIsNone(self.positions.origin)

    def test_order_of_refusals(self) -> None:
        """After a new snapshot, waits end in the order of the positions and of asking, and nothing waits any more."""
        ended: list[str] = []
        for name, position in (("c", 8), ("a", 6), ("b", 8)):
            self.positions.reached(position).addBoth(lambda _, name=name: ended.append(name))
        self.positions.begin_at(7)
        self.assertEqual(ended, ["a", "c", "b"])
        self.positions.note_applied(9)
        self.assertEqual(len(ended), 3)

    def test_at_once(self) -> None:
        """A position that is already applied is not waited for, and an applied one is not applied again."""
        self.positions.begin_at(5, (1, 1))
        self.positions.note_applied(5)
        self.assertEqual(self.positions.origin, (1, 1))
        self.assertNoResult(self.positions.reached(6))
