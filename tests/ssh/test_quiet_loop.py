"""The loop without signal handlers."""

import asyncio
import contextvars
import signal
import weakref

from twisted.trial.unittest import SynchronousTestCase

from irchat.ssh.quiet_loop import QuietLoop


class QuietLoopTests(SynchronousTestCase):
    """Signals stay as they are."""

    def test_signals(self) -> None:
        """Adding and removing a handler changes nothing."""
        loop = QuietLoop()
        self.addCleanup(loop.close)
        before = signal.getsignal(signal.SIGWINCH)
        loop.add_signal_handler(signal.SIGWINCH, self.fail)
        self.assertEqual(signal.getsignal(signal.SIGWINCH), before)
        self.assertFalse(loop.remove_signal_handler(signal.SIGWINCH))
        self.assertEqual(signal.getsignal(signal.SIGWINCH), before)

    def test_cancelled_timer(self) -> None:
        """A cancelled timer keeps nothing of the context in which it was set. Others run in theirs."""
        loop = QuietLoop()
        self.addCleanup(loop.close)
        screen: contextvars.ContextVar[object] = contextvars.ContextVar("screen")
        context = contextvars.copy_context()
        drawn = _Screen()
        context.run(screen.set, drawn)
        timer = context.run(loop.call_later, 60, self.fail)
        seen: list[object] = []
        context.run(loop.call_later, 0, lambda: seen.append(screen.get()))
        loop.run_until_complete(asyncio.sleep(0.001))
        self.assertEqual(seen, [drawn])
        timer.cancel()
        there = weakref.ref(drawn)
        del drawn, context
        seen.clear()
        self.assertIsNone(there())
        self.assertTrue(timer.cancelled())


class _Screen:
    """Something in a context."""
