"""The loop without signal handlers."""

import signal

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
