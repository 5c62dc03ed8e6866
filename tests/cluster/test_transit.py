"""How late messages are."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.cluster.transit import Transit


class TransitTests(SynchronousTestCase):
    """Messages of a node whose clock is 1,000 seconds behind that of this one."""

    def setUp(self) -> None:
        """Hear a first message, which took 0.3 s."""
        self.transit = Transit()
        self.assertEqual(self.transit.late(0.0, 1_000.3), 0.0)

    def late(self, sent_at: float, took: float, ahead: float = 1_000.0) -> float:
        """Return how late a message is that was sent at a time of its node and took some seconds."""
        return round(self.transit.late(sent_at, sent_at + ahead + took), 6)

    def test_least(self) -> None:
        """The quickest message so far is not late, and others are late by what they took longer."""
        self.assertEqual([self.late(1, 0.5), self.late(2, 0.1), self.late(3, 0.1), self.late(4, 0.6)], [0.2, 0, 0, 0.5])

    def test_old_ones_are_forgotten(self) -> None:
        """Clocks run apart: after a minute only the new difference counts."""
        for second in range(1, 70):
            self.late(second, 0.1, 1_000.0 + second / 100)
        self.assertLessEqual(self.late(70, 0.1, 1_000.7), 0.6)

    def test_jumps(self) -> None:
        """A jump of a clock never makes a message seem quicker than it was."""
        self.late(1, 0.1)
        self.assertEqual(self.late(2, 0.1, 1_050.0), 50.0)  # this node slept: its messages end early, not late
        self.assertEqual(self.late(60, 0.1, 950.0), 0.0)  # the other one slept: its messages have ended there, too
