"""Calls made by the reactor in slices of time."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.system.call_queue import CallQueue


class CallQueueTests(SynchronousTestCase):
    """`CallQueue`."""

    def setUp(self) -> None:
        """Create a queue on a manual clock."""
        self.clock = Clock()
        self.queue = CallQueue(self.clock)
        self.made: list[int] = []

    def add(self, number: int, seconds: float = 0.0) -> None:
        """Add a call that takes ``seconds``."""

        def call() -> None:
            self.made.append(number)
            self.clock.rightNow += seconds

        self.queue.add(call)

    def turn(self) -> None:
        """Run one turn of the reactor. Exactly one delayed call must be scheduled."""
        (scheduled,) = self.clock.getDelayedCalls()
        run = scheduled.func
        scheduled.cancel()
        run()

    def test_slices(self) -> None:
        """A turn begins no call after 5 ms. The others follow in later turns, in order."""
        for number in range(5):
            self.add(number, 0.003)
        self.assertEqual(self.made, [])
        for most in 2, 4, 5:
            self.turn()
            self.assertEqual(self.made, list(range(most)))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_added_by_a_call(self) -> None:
        """A call can add another one, which is made once."""
        self.queue.add(lambda: self.add(1))
        self.turn()
        self.assertEqual((self.made, self.clock.getDelayedCalls()), ([1], []))
        self.add(2)
        self.turn()
        self.assertEqual(self.made, [1, 2])

    def test_failing(self) -> None:
        """A failing call is logged and stops no other."""
        self.queue.add(lambda: int("x") and None)
        self.add(1)
        self.turn()
        self.assertEqual(self.made, [1])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
