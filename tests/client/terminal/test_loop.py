"""The asyncio loop on the forward clock."""

import asyncio
import os
import signal
import time

from twisted.internet.asyncioreactor import AsyncioSelectorReactor
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.terminal.loop import ForwardLoop
from irchat.system import clock

_HOUR = 3_600.0


class LoopTests(SynchronousTestCase):
    """The asyncio loop and the reactor on it use the forward clock."""

    def setUp(self) -> None:
        """Create a loop, a reactor on it that is never installed, and two manual clocks."""
        self.wall, self.forward = 1_800_000_000.0, 5_000.0
        self.patch(time, "time", lambda: self.wall)
        self.patch(clock.time, "clock_gettime", lambda clock_id: self.forward)
        self.loop = ForwardLoop()
        self.addCleanup(self.loop.close)
        self.reactor = AsyncioSelectorReactor(self.loop)
        self.addCleanup(self.remove_readers)
        clock.install_forward_clock(self.reactor)

    def remove_readers(self) -> None:
        """Close the reactor's descriptors."""
        for reader in list(self.reactor._internalReaders):
            self.reactor.removeReader(reader)
            reader.connectionLost(None)

    def turn(self) -> None:
        """Run everything that is due in the loop."""
        self.loop.call_soon(self.loop.stop)
        self.loop.run_forever()

    def test_jump(self) -> None:
        """Neither setting the wall clock back an hour nor a suspend delays or hastens a call."""
        fired: list[str] = []
        self.reactor.callLater(30, fired.append, "twisted")
        self.loop.call_later(30, fired.append, "asyncio")
        self.wall -= _HOUR
        self.forward += 29.5
        self.turn()
        self.assertEqual(fired, [])
        self.forward += 0.5
        self.turn()
        self.assertEqual(sorted(fired), ["asyncio", "twisted"])

    def test_signals(self) -> None:
        """A signal calls the loop without taking over Twisted's wakeup descriptor, and can be restored."""
        before = signal.set_wakeup_fd(-1)
        self.addCleanup(signal.set_wakeup_fd, before)
        self.addCleanup(signal.signal, signal.SIGWINCH, signal.getsignal(signal.SIGWINCH))
        got: list[str] = []
        self.loop.add_signal_handler(signal.SIGWINCH, got.append, "resized")
        self.assertEqual(signal.set_wakeup_fd(-1), -1)
        os.kill(os.getpid(), signal.SIGWINCH)
        self.turn()
        self.assertEqual(got, ["resized"])
        self.assertTrue(self.loop.remove_signal_handler(signal.SIGWINCH))
        self.assertEqual(signal.getsignal(signal.SIGWINCH), signal.SIG_DFL)
        self.assertIsInstance(self.loop, asyncio.SelectorEventLoop)
