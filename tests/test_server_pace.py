"""The pace: a burst, then the steady rate, whatever the clock does in between."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.errors import Code, Refusal
from irchat.rules import BURST_SECONDS
from irchat.server.pace import Pace


class PaceTests(SynchronousTestCase):
    """`Pace`."""

    def _admitted(self, pace: Pace, tries: int) -> int:
        admitted = 0
        for _ in range(tries):
            try:
                pace.admit()
            except Refusal as refusal:
                self.assertEqual(refusal.code, Code.TOO_FAST)
            else:
                admitted += 1
        return admitted

    def test_burst_then_rate(self) -> None:
        """Three seconds' worth is taken at once, then as many a second as the rate says."""
        clock = Clock()
        pace = Pace(10.0, clock.seconds)
        self.assertEqual(self._admitted(pace, 100), 30)
        clock.advance(1)
        self.assertEqual(self._admitted(pace, 100), 10)

    def test_burst_does_not_grow(self) -> None:
        """Who was silent for long has no more than one burst."""
        clock = Clock()
        pace = Pace(10.0, clock.seconds)
        clock.advance(3_600)
        self.assertEqual(self._admitted(pace, 100), 30)

    def test_slow_rate(self) -> None:
        """A rate below one message a burst still lets one through at a time."""
        clock = Clock()
        pace = Pace(0.1, clock.seconds)
        self.assertEqual(self._admitted(pace, 5), 1)
        clock.advance(9)
        self.assertEqual(self._admitted(pace, 5), 0)
        clock.advance(2)
        self.assertEqual(self._admitted(pace, 5), 1)

    def test_no_limit(self) -> None:
        """A rate of 0 takes any number."""
        self.assertEqual(self._admitted(Pace(0.0, Clock().seconds), 10_000), 10_000)

    def test_refusal_names_the_rate(self) -> None:
        """The refusal says how many are taken."""
        pace = Pace(0.5, Clock().seconds)
        pace.admit()
        self.assertIn("0.5 messages a second", self.assertRaises(Refusal, pace.admit).text)

    @given(st.integers(1, 50), st.lists(st.tuples(st.integers(0, 40), st.floats(0, 5)), max_size=20))
    def test_never_more_than_promised(self, rate: int, steps: list[tuple[int, float]]) -> None:
        """Over any time no more than the burst and the rate's share of that time is taken."""
        clock = Clock()
        pace = Pace(float(rate), clock.seconds)
        taken = 0
        for tries, pause in steps:
            taken += self._admitted(pace, tries)
            self.assertLessEqual(taken, rate * (BURST_SECONDS + clock.seconds()) + 0.01)
            clock.advance(pause)
