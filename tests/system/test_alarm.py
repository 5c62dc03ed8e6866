"""The alarm: one call at a moment of the clock."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.system.alarm import WAKE_SECONDS, Alarm


class AlarmTests(SynchronousTestCase):
    """An alarm calls once, at its moment."""

    def setUp(self) -> None:
        """Make an alarm that notes when it called."""
        self.clock = Clock()
        self.calls: list[float] = []
        self.alarm = Alarm(self.clock, lambda: self.calls.append(self.clock.seconds()))

    def test_call(self) -> None:
        """The call comes at its moment and not again."""
        self.alarm.set(10.0)
        self.clock.pump([0.125] * 79)
        self.assertEqual(self.calls, [])
        self.clock.pump([0.125] * 50)
        self.assertEqual(self.calls, [10.0])

    def test_past(self) -> None:
        """A moment that is over is called at the next turn, not at once."""
        self.clock.advance(5)
        self.alarm.set(1.0)
        self.assertEqual(self.calls, [])
        self.clock.advance(0)
        self.assertEqual(self.calls, [5.0])

    def test_set_again(self) -> None:
        """Only the moment that was set last counts."""
        self.alarm.set(1.0)
        self.alarm.set(0.2)
        self.clock.advance(0.2)
        self.clock.advance(5)
        self.assertEqual(self.calls, [0.2])

    def test_cancel(self) -> None:
        """After cancel no call comes, and to cancel again does no harm."""
        self.alarm.set(1.0)
        self.alarm.cancel()
        self.alarm.cancel()
        self.clock.advance(5)
        self.assertEqual((self.calls, self.clock.getDelayedCalls()), ([], []))

    def test_sleep(self) -> None:
        """A clock that jumped while the reactor did not wake is looked at within a quarter of a second."""
        self.alarm.set(3600.0)
        waits = [call.getTime() - self.clock.seconds() for call in self.clock.getDelayedCalls()]
        self.assertEqual(waits, [WAKE_SECONDS])
        self.clock.rightNow += 4000  # suspended
        self.clock.advance(WAKE_SECONDS)
        self.assertEqual(self.calls, [4000 + WAKE_SECONDS])
