"""The rate of lines."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.limits import Limits
from irchat.server.protocols.irc.line_rate import LineRate


class LineRateTests(SynchronousTestCase):
    """`LineRate`."""

    def setUp(self) -> None:
        """Start with a full bucket."""
        self.clock = Clock()
        self.limits = Limits(rate=10)
        self.freed = 0
        self.rate = LineRate(self.clock, self.limits, self._free)

    def _free(self) -> None:
        self.freed += 1

    def take(self) -> int:
        """Return how many lines may be taken now."""
        count = 0
        while count < 10_000 and self.rate.takes_one():
            count += 1
        return count

    def test_burst(self) -> None:
        """60 at once, then 20 a second. It calls once there is one again."""
        self.assertEqual(self.take(), 60)
        self.assertFalse(self.rate.takes_one())
        self.clock.advance(0.04)
        self.assertEqual(self.freed, 0)
        self.clock.advance(0.02)
        self.assertEqual(self.freed, 1)
        self.assertEqual(self.take(), 1)
        self.clock.advance(1)
        self.assertTrue(19 <= self.take() <= 21)
        self.clock.advance(100)
        self.assertEqual(self.take(), 60)

    def test_part_of_a_line(self) -> None:
        """What has come back already shortens the wait."""
        self.take()
        self.clock.advance(10)
        self.take()
        self.rate.stop()
        self.rate = LineRate(self.clock, self.limits, self._free)
        self.take()
        self.rate._resting = None
        self.clock.advance(0.03)
        self.assertFalse(self.rate.takes_one())
        (call,) = [call for call in self.clock.getDelayedCalls() if call is self.rate._resting]
        self.assertAlmostEqual(call.getTime() - self.clock.seconds(), 0.021, places=3)

    def test_settings(self) -> None:
        """More messages a second allow more lines; no limit allows all."""
        self.limits.rate = 100
        self.take()
        self.clock.advance(0.2)
        self.assertTrue(38 <= self.take() <= 41)
        self.limits.rate = 0
        self.assertEqual(self.take(), 10_000)

    def test_stop(self) -> None:
        """After the end nothing is called, and another end is none."""
        self.take()
        self.rate.stop()
        self.rate.stop()
        self.clock.advance(10)
        self.assertEqual((self.freed, self.clock.getDelayedCalls()), (0, []))
