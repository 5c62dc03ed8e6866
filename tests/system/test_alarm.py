"""The alarm: one call at a time of the clock."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.system.alarm import WAKE_SECONDS, Alarm


class AlarmTests(SynchronousTestCase):
    """An alarm calls once, at the time that was set."""

    def setUp(self) -> None:
        """Make an alarm that records its calls."""
        self.clock = Clock()
        self.calls: list[float] = []
        self.alarm = Alarm(self.clock, lambda: self.calls.append(self.clock.seconds()))

    def test_call(self) -> None:
        """The call comes at its time and is not repeated."""
        self.alarm.set(10.0)
        self.clock.pump([0.125] * 79)
        self.assertEqual(self.calls, [])
        self.clock.pump([0.125] * 50)
        self.assertEqual(self.calls, [10.0])

    def test_past(self) -> None:
        """A time in the past is called in the next turn, not at once."""
        self.clock.advance(5)
        self.alarm.set(1.0)
        self.assertEqual(self.calls, [])
        self.clock.advance(0)
        self.assertEqual(self.calls, [5.0])

    def test_set_again(self) -> None:
        """Only the time that was set last counts."""
        self.alarm.set(1.0)
        self.alarm.set(0.2)
        self.clock.advance(0.2)
        self.clock.advance(5)
        self.assertEqual(self.calls, [0.2])

    def test_cancel(self) -> None:
        """After a cancel no call comes, and a second cancel does no harm."""
        self.alarm.set(1.0)
        self.alarm.cancel()
        self.alarm.cancel()
        self.clock.advance(5)
        self.assertEqual((self.calls, self.clock.getDelayedCalls()), ([], []))

    def test_sleep(self) -> None:
        """If the clock jumped during suspend, the call comes within a quarter of a second of waking."""
        self.alarm.set(3600.0)
        waits = [call.getTime() - self.clock.seconds() for call in self.clock.getDelayedCalls()]
        self.assertEqual(waits, [WAKE_SECONDS])
        self.clock.rightNow += 4000  # suspended
        self.clock.advance(WAKE_SECONDS)
        self.assertEqual(self.calls, [4000 + WAKE_SECONDS])
