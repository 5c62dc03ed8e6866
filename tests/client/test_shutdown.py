"""The shutdown of a client: once, in good order, for any cause."""

import os
import signal

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.shutdown import Shutdown, leave_on_signals


class _Reactor(Clock):
    """A reactor that is stopped by hand. Calls from other threads run at once."""

    stops = 0

    def addSystemEventTrigger(self, phase: str, event: str, call: object) -> None:
        assert (phase, event) == ("before", "shutdown")
        self.before_shutdown = call

    def stop(self) -> None:
        self.stops += 1

    def callFromThread(self, call: object) -> None:
        call()


class ShutdownTests(SynchronousTestCase):
    """Stopping the reactor."""

    def setUp(self) -> None:
        """Create a client with two parts to close."""
        self.reactor = _Reactor()
        self.parts: list[Deferred[None]] = [Deferred(), Deferred()]
        self.shutdown = Shutdown(self.reactor, self.reactor, lambda: self.parts)

    def test_once(self) -> None:
        """The reactor is stopped once, however often the end is requested."""
        self.shutdown.begin()
        self.shutdown.begin()
        self.assertEqual(self.reactor.stops, 1)

    def test_stopped_by_another(self) -> None:
        """A reactor already stopped by something else (SIGINT) is not stopped again."""
        self.reactor.before_shutdown()
        self.assertTrue(self.shutdown.has_begun)
        self.shutdown.begin()
        self.assertEqual(self.reactor.stops, 0)

    def test_waits_for_all_parts(self) -> None:
        """The reactor waits until every part is closed, even if one fails to close, and no timer is left."""
        closed = self.reactor.before_shutdown()
        self.parts[0].errback(OSError())
        self.assertNoResult(closed)
        self.parts[1].callback(None)
        self.successResultOf(closed)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_two_seconds_at_most(self) -> None:
        """A part that does not close delays the end by two seconds."""
        closed = self.reactor.before_shutdown()
        self.reactor.advance(1.9)
        self.assertNoResult(closed)
        self.reactor.advance(0.1)
        self.successResultOf(closed)


class SignalTests(SynchronousTestCase):
    """Signals that would end the process."""

    def setUp(self) -> None:
        """Restore the handlers of two signals afterwards, and ignore one of them."""
        self.left: list[None] = []
        for number in signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP, signal.SIGQUIT, signal.SIGABRT, signal.SIGALRM, (
            signal.SIGVTALRM), signal.SIGPROF, signal.SIGXCPU:  # fmt: skip
            self.addCleanup(signal.signal, number, signal.getsignal(number))
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)
        leave_on_signals(_Reactor(), lambda: self.left.append(None))

    def test_leaves(self) -> None:
        """A signal that would kill the client makes it leave."""
        os.kill(os.getpid(), signal.SIGUSR1)
        self.assertEqual(self.left, [None])

    def test_ignored(self) -> None:
        """An ignored signal stays ignored, as nohup needs for SIGHUP."""
        self.assertIs(signal.getsignal(signal.SIGUSR2), signal.SIG_IGN)
        os.kill(os.getpid(), signal.SIGUSR2)
        self.assertEqual(self.left, [])
