"""SIGHUP while the server starts, runs and stops: it never ends the process, and no request to reload is lost."""

import os
import signal

from twisted.application.service import IServiceMaker
from twisted.plugin import getPlugins
from twisted.trial.unittest import SynchronousTestCase

from irchat.system import hangup


class HangupTests(SynchronousTestCase):
    """Signals to this very process."""

    def setUp(self) -> None:
        """Put back what was."""
        before = signal.getsignal(signal.SIGHUP)
        self.addCleanup(signal.signal, signal.SIGHUP, before)
        self.addCleanup(hangup._noted.clear)
        self.reloads = 0

    def reload(self) -> None:
        """Count."""
        self.reloads += 1

    def send(self) -> None:
        """Send the signal."""
        os.kill(os.getpid(), signal.SIGHUP)

    def test_start(self) -> None:
        """What came while the server started is answered once, when it can be."""
        hangup.note()
        self.send()
        self.send()
        hangup.answer(self.reload)
        self.assertEqual(self.reloads, 1)
        hangup.answer(self.reload)
        self.assertEqual(self.reloads, 1)

    def test_runs(self) -> None:
        """Each is answered."""
        hangup.note()
        hangup.answer(self.reload)
        self.assertEqual(self.reloads, 0)
        self.send()
        self.send()
        self.assertEqual(self.reloads, 2)

    def test_stop(self) -> None:
        """A server that stops goes on stopping."""
        hangup.answer(self.reload)
        hangup.ignore()
        self.send()
        self.assertEqual(self.reloads, 0)

    def test_plugin(self) -> None:
        """twistd notes it before it reads the options; of other programs of twistd nothing is changed."""
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        (maker,) = (maker for maker in getPlugins(IServiceMaker) if maker.tapname == "irchat")
        self.assertEqual(signal.getsignal(signal.SIGHUP), signal.SIG_DFL)
        self.assertEqual(maker.options.__name__, "Options")
        self.send()
        hangup.answer(self.reload)
        self.assertEqual(self.reloads, 1)
