"""The clock only goes forward, whatever happens to the time of day."""

import time
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.base import ReactorBase
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.selectreactor import SelectReactor
from twisted.trial.unittest import SynchronousTestCase, TestCase

from irchat.system import clock

try:
    from twisted.internet.epollreactor import EPollReactor
except ImportError:  # not on Linux
    EPollReactor = None

_HOUR = 3600.0


class _FakeReactor:
    def __init__(self) -> None:
        self.seconds: Callable[[], float] = time.time


class JumpTests(TestCase):
    """A real reactor, neither run nor installed, while the time of day jumps back an hour."""

    def setUp(self) -> None:
        """Replace the wall clock and the forward clock by values of the test."""
        self.wall = 1_800_000_000.0
        self.forward = 5_000.0
        self.patch(ReactorBase, "seconds", staticmethod(lambda: self.wall))
        self.patch(clock.time, "clock_gettime", lambda clock_id: self.forward)

    def _reactor(self, kind: type[PosixReactorBase]) -> PosixReactorBase:
        reactor = kind()
        for reader in list(reactor._internalReaders):
            reactor.removeReader(reader)
            self.addCleanup(reader.connectionLost, None)
        if hasattr(reactor, "_poller"):
            self.addCleanup(reactor._poller.close)
        return reactor

    def _fired_after_jump(self, reactor: PosixReactorBase) -> bool:
        fired: list[float] = []
        reactor.callLater(30, lambda: fired.append(self.forward))
        reactor.runUntilCurrent()
        self.assertEqual(fired, [])
        self.wall -= _HOUR
        self.forward += 29.5
        self.wall += 29.5
        reactor.runUntilCurrent()
        self.assertEqual(fired, [], "fired early")
        self.forward += 0.5
        self.wall += 0.5
        self.wait = reactor.timeout()
        reactor.runUntilCurrent()
        return bool(fired)

    def _check(self, kind: type[PosixReactorBase]) -> None:
        reactor = self._reactor(kind)
        clock.install_forward_clock(reactor)
        self.assertTrue(self._fired_after_jump(reactor))
        self.assertEqual(self.wait, 0)

    def test_epoll(self) -> None:
        """With the forward clock, a ``callLater`` of the epoll reactor fires on time despite the jump."""
        if EPollReactor is None:
            raise self.skipTest("there is no epoll here")
        self._check(EPollReactor)

    def test_select(self) -> None:
        """With the forward clock, a ``callLater`` of the select reactor fires on time despite the jump."""
        self._check(SelectReactor)

    def test_control(self) -> None:
        """Without the forward clock the same call waits an hour, which proves that the other tests work."""
        self.assertFalse(self._fired_after_jump(self._reactor(SelectReactor)))
        self.assertEqual(self.wait, _HOUR)
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_one_reactor_only(self) -> None:
        """The clock is installed only on the reactor that was passed in."""
        clock.install_forward_clock(self._reactor(SelectReactor))
        self.assertEqual(self._reactor(SelectReactor).seconds(), self.wall)


class ForwardTests(SynchronousTestCase):
    """`clock.forward_seconds` and its installation."""

    def test_twisted_goes_by_the_wall(self) -> None:
        """Twisted's reactors still use the wall clock. If this fails, the forward clock may be obsolete."""
        self.assertIs(ReactorBase.seconds, time.time)

    def test_installed(self) -> None:
        """The ``seconds`` of any reactor becomes the forward clock."""
        reactor = _FakeReactor()
        clock.install_forward_clock(reactor)
        self.assertIs(reactor.seconds, clock.forward_seconds)

    def test_source(self) -> None:
        """The clock counts time in suspend if the system supports that, and never reads the time of day."""
        asked: list[int] = []
        self.patch(clock.time, "clock_gettime", lambda clock_id: asked.append(clock_id) or 17.5)
        self.assertEqual(clock.forward_seconds(), 17.5)
        self.assertEqual(asked, [getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)])

    def test_forward(self) -> None:
        """The real clock never goes back."""
        times = [clock.forward_seconds() for _ in range(1000)]
        self.assertEqual(times, sorted(times))


class WallTests(SynchronousTestCase):
    """The time of day, for display."""

    def test_wall_ms(self) -> None:
        """The wall clock counts whole milliseconds since the epoch."""
        self.patch(clock.time, "time_ns", lambda: 1_795_356_185_120_999_999)
        self.assertEqual(clock.wall_ms(), 1_795_356_185_120)

    def test_rfc3339(self) -> None:
        """Times are written in UTC with milliseconds."""
        self.assertEqual(clock.rfc3339(1_795_356_185_120), "2026-11-22T14:03:05.120Z")
        self.assertEqual(clock.rfc3339(0), "1970-01-01T00:00:00.000Z")
        self.assertEqual(clock.rfc3339(1_795_356_185_007), "2026-11-22T14:03:05.007Z")

    @given(st.integers(0, 4_000_000_000_000), st.integers(0, 4_000_000_000_000))
    def test_order(self, one: int, other: int) -> None:
        """Written times sort in the order of the times."""
        self.assertEqual(clock.rfc3339(one) < clock.rfc3339(other), one < other)
