"""The limiter of a user and of an address: a burst, then a steady rate, for any gaps in time."""

import contextlib

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.limits import Limits
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import BURST_SECONDS
from irchat.server.sessions import rate_limiter as pace_module
from irchat.server.sessions.costs import ADDRESS_SHARE, WORK_A_SECOND, WORK_AT_ONCE
from irchat.server.sessions.rate_limiter import RateLimiter, RateLimiters


class PaceTests(SynchronousTestCase):
    """`RateLimiter`: messages."""

    def setUp(self) -> None:
        """Create a clock."""
        self.clock = Clock()

    def limiter(self, rate: float, *, of_address: bool = False) -> RateLimiter:
        """Return a new limiter."""
        return RateLimiter(Limits(rate=rate), self.clock, of_address=of_address)

    def admitted(self, limiter: RateLimiter, tries: int, messages: float = 1) -> int:
        """Return how many of a number of attempts are admitted."""
        admitted = 0
        for _ in range(tries):
            try:
                limiter.admit(messages)
            except Refusal as refusal:
                self.assertEqual(refusal.code, Code.TOO_FAST)
            else:
                admitted += 1
        return admitted

    def test_burst_then_rate(self) -> None:
        """Three seconds' worth is admitted at once, then the rate per second."""
        limiter = self.limiter(10.0)
        self.assertEqual(self.admitted(limiter, 100), 30)
        self.clock.advance(1)
        self.assertEqual(self.admitted(limiter, 100), 10)

    def test_burst_does_not_grow(self) -> None:
        """After a long silence a user has only one burst."""
        limiter = self.limiter(10.0)
        self.clock.advance(3_600)
        self.assertEqual(self.admitted(limiter, 100), 30)

    def test_slow_rate(self) -> None:
        """A rate below one message per burst still admits one at a time."""
        limiter = self.limiter(0.1)
        self.assertEqual(self.admitted(limiter, 5), 1)
        self.clock.advance(9)
        self.assertEqual(self.admitted(limiter, 5), 0)
        self.clock.advance(2)
        self.assertEqual(self.admitted(limiter, 5), 1)

    def test_dear(self) -> None:
        """An event above a burst is admitted with a full burst, and its whole cost must be made up."""
        limiter = self.limiter(1.0)
        self.assertEqual(self.admitted(limiter, 5, messages=21), 1)
        self.clock.advance(20.9)
        self.assertEqual(self.admitted(limiter, 5, messages=21), 0)
        self.clock.advance(0.2)
        self.assertEqual(self.admitted(limiter, 5, messages=21), 1)
        refusal = self.assertRaises(Refusal, limiter.admit, 21)
        self.assertIn("counts as 21", refusal.text)
        refusal = self.assertRaises(Refusal, limiter.admit, 1)
        self.assertEqual(refusal.text, "That was too fast: the limit is 1 messages a second. Wait a moment.")

    def test_when_admitted(self) -> None:
        """The call comes when the messages are back, for more than a burst when the bucket is full, and soon if they
        are there already or the rate is unlimited."""
        went: list[str] = []
        limiter = self.limiter(2.0)
        limiter.admit(5)
        for name, messages in ("two", 2), ("many", 100), ("one", 1):
            limiter.when_admitted(messages, lambda name=name: went.append(name))  # type: ignore[misc]
        self.limiter(0.0).when_admitted(100, lambda: went.append("unlimited"))
        for seconds, so_far in (
            (0.01, ["one", "unlimited"]),
            (0.48, ["one", "unlimited"]),
            (0.02, ["one", "unlimited", "two"]),
            (1.98, ["one", "unlimited", "two"]),
            (0.02, ["one", "unlimited", "two", "many"]),
        ):
            self.clock.advance(seconds)
            self.assertEqual(went, so_far)

    def test_when_admitted_later(self) -> None:
        """The time since the last message shortens the wait."""
        went: list[str] = []
        limiter = self.limiter(2.0)
        limiter.admit(6)
        self.clock.advance(1)
        limiter.when_admitted(3, lambda: went.append("three"))
        self.clock.advance(0.49)
        self.assertEqual(went, [])
        self.clock.advance(0.02)
        self.assertEqual(went, ["three"])

    def test_no_limit(self) -> None:
        """A rate of 0 admits any number and any work."""
        limiter = self.limiter(0.0)
        self.assertEqual(self.admitted(limiter, 10_000), 10_000)
        limiter.charge(1e9)
        self.assertFalse(limiter.is_used_up())

    def test_refusal_names_the_rate(self) -> None:
        """The refusal shows the rate, and the cost if it is more than one."""
        limiter = self.limiter(0.5)
        limiter.admit(1)
        refusal = self.assertRaises(Refusal, limiter.admit, 1)
        self.assertIn("0.5 messages a second", refusal.text)
        self.assertNotIn("counts as", refusal.text)
        self.assertIn("counts as 2.", self.assertRaises(Refusal, limiter.admit, 2).text)

    def test_rate_changes(self) -> None:
        """A new rate applies to existing limiters."""
        limits = Limits(rate=1)
        limiter = RateLimiter(limits, self.clock)
        self.assertEqual(self.admitted(limiter, 100), 3)
        limits.rate = 100
        self.clock.advance(1)
        self.assertEqual(self.admitted(limiter, 1_000), 100)

    @given(st.integers(1, 50), st.lists(st.tuples(st.integers(0, 40), st.floats(0, 5)), max_size=20))
    def test_never_more_than_promised(self, rate: int, steps: list[tuple[int, float]]) -> None:
        """Over any time no more is admitted than the burst and the rate's share of that time."""
        self.clock = Clock()
        limiter = self.limiter(float(rate))
        taken = 0
        for tries, pause in steps:
            taken += self.admitted(limiter, tries)
            self.assertLessEqual(taken, rate * (BURST_SECONDS + self.clock.seconds()) + 0.01)
            self.clock.advance(pause)


class WorkTests(SynchronousTestCase):
    """`RateLimiter`: work, for which sessions wait."""

    def setUp(self) -> None:
        """Create a limiter."""
        self.clock = Clock()
        self.limits = Limits(rate=10)
        self.limiter = RateLimiter(self.limits, self.clock)

    def test_waits(self) -> None:
        """Used work comes back with time, up to the initial amount."""
        self.limiter.charge(WORK_AT_ONCE - 1)
        self.assertFalse(self.limiter.is_used_up())
        self.limiter.charge(1 + WORK_A_SECOND)
        self.assertTrue(self.limiter.is_used_up())
        self.clock.advance(0.9)
        self.assertTrue(self.limiter.is_used_up())
        self.clock.advance(0.2)
        self.assertFalse(self.limiter.is_used_up())
        self.clock.advance(3_600)
        self.assertTrue(self.limiter.is_full())
        self.limiter.charge(WORK_AT_ONCE + 1)
        self.assertTrue(self.limiter.is_used_up())

    def test_little_is_enough(self) -> None:
        """Any work that is left, or that came back, lets the next request run."""
        self.limiter.charge(WORK_AT_ONCE - 0.5)
        self.assertFalse(self.limiter.is_used_up())
        self.limiter.charge(1)
        self.clock.advance(1 / WORK_A_SECOND)
        self.assertFalse(self.limiter.is_used_up())

    def test_waiting_is_not_full(self) -> None:
        """A limiter that sessions wait for is kept until they have run."""
        self.limiter.charge(WORK_AT_ONCE)
        self.limiter.when_free(lambda: None)
        self.limiter.work = WORK_AT_ONCE
        self.assertFalse(self.limiter.is_full())
        self.clock.advance(1)
        self.assertTrue(self.limiter.is_full())

    def test_turns(self) -> None:
        """Waiting sessions continue in order of arrival, each while the earlier ones left something."""
        went: list[str] = []

        def go_on(name: str) -> None:
            went.append(name)
            self.limiter.charge(WORK_A_SECOND)
            self.limiter.when_free(lambda: go_on(name))

        self.limiter.charge(WORK_AT_ONCE)
        for name in "abc":
            self.limiter.when_free(lambda name=name: go_on(name))  # type: ignore[misc]
        for _ in range(60):
            self.clock.advance(0.1)
        self.assertEqual("".join(went)[:6], "abcabc")
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)

    def test_one_wait(self) -> None:
        """Waiting sessions cost one delayed call, for the time when work is back: twice as soon for an address."""
        address = RateLimiter(self.limits, self.clock, of_address=True)
        went: list[str] = []
        for limiter, share in ((self.limiter, 1.0), (address, ADDRESS_SHARE)):
            limiter.charge((WORK_AT_ONCE + WORK_A_SECOND) * share)
            went.clear()
            for name in "abc":
                limiter.when_free(lambda name=name: went.append(name))  # type: ignore[misc]
            self.assertEqual(len(self.clock.getDelayedCalls()), 1)
            self.clock.advance(0.999)
            self.assertEqual(went, [])
            self.clock.advance(0.002)
            self.assertEqual((went, self.clock.getDelayedCalls()), ([*"abc"], []))

    def test_full_again(self) -> None:
        """A limiter is full when both messages and work are back, with the larger share for an address."""
        address = RateLimiter(self.limits, self.clock, of_address=True)
        for limiter, share in ((self.limiter, 1.0), (address, ADDRESS_SHARE)):
            self.assertTrue(limiter.is_full())
            limiter.charge(WORK_A_SECOND * share)
            self.clock.advance(0.99)
            self.assertFalse(limiter.is_full())
            self.clock.advance(0.02)
            self.assertTrue(limiter.is_full())
            limiter.admit(1)
            self.assertFalse(limiter.is_full())
            self.clock.advance(0.11)
            self.assertTrue(limiter.is_full())

    def test_address(self) -> None:
        """An address has more work than a user, and unlimited work if addresses are not counted."""
        address = RateLimiter(self.limits, self.clock, of_address=True)
        address.charge(WORK_AT_ONCE * ADDRESS_SHARE - 1)
        self.assertFalse(address.is_used_up())
        address.charge(1)
        self.assertTrue(address.is_used_up())
        self.limits.per_address = 0
        self.assertFalse(address.is_used_up())


class PacesTests(SynchronousTestCase):
    """`RateLimiters`: one for each user and address, while it matters."""

    def setUp(self) -> None:
        """Create them."""
        self.clock = Clock()
        self.rate_limiters = RateLimiters(Limits(rate=1), self.clock)

    def known(self) -> int:
        """Return their number."""
        return len(self.rate_limiters._all)

    def test_outlives_sessions(self) -> None:
        """A returning user finds the limiter as before. It is dropped when it is full."""
        limiter = self.rate_limiters.of(1)
        self.assertIs(self.rate_limiters.of(1), limiter)
        limiter.admit(3)
        self.rate_limiters.leave(limiter)
        del limiter
        with contextlib.suppress(Refusal):
            self.rate_limiters.of(1).admit(1)
            self.fail("it has as much as a new one")
        self.clock.advance(10)
        self.rate_limiters.leave(self.rate_limiters.of(2))
        self.assertEqual(self.known(), 0)

    def test_users_and_addresses(self) -> None:
        """Each user and address has its own limiter."""
        rate_limiters = [
            self.rate_limiters.of(1),
            self.rate_limiters.of(2),
            self.rate_limiters.of("192.0.2.1"),
        ]
        self.assertEqual(len(set(rate_limiters)), 3)

    def test_coming_back_again_and_again(self) -> None:
        """Frequent returns keep a single entry."""
        for _ in range(1_000):
            limiter = self.rate_limiters.of(1)
            limiter.charge(1)
            self.rate_limiters.leave(limiter)
        self.assertEqual(len(self.rate_limiters._kept), 1)

    def test_bounded(self) -> None:
        """Of many that left at once, the number kept is limited."""
        self.patch(pace_module, "_KEPT_MOST", 10)
        for user in range(100):
            limiter = self.rate_limiters.of(user)
            limiter.charge(1)
            self.rate_limiters.leave(limiter)
        del limiter
        self.assertEqual(self.known(), 10)
