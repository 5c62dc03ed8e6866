"""Positions in the log, and what waits for them."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.protocol.errors import Refusal
from irchat.store.postgres.log.positions import Positions


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
