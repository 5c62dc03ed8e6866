"""SIGHUP during start, run and stop: it never ends the process, and no reload is lost."""

import os
import signal

from twisted.application.service import IServiceMaker
from twisted.plugin import getPlugins
from twisted.trial.unittest import SynchronousTestCase

from irchat.system import hangup


class HangupTests(SynchronousTestCase):
    """Signals sent to the test process."""

    def setUp(self) -> None:
        """Restore the signal handler after the test."""
        before = signal.getsignal(signal.SIGHUP)
        self.addCleanup(signal.signal, signal.SIGHUP, before)
        self.addCleanup(hangup._noted.clear)
        self.reloads = 0

    def reload(self) -> None:
        """Count a reload."""
        self.reloads += 1

    def send(self) -> None:
        """Send SIGHUP to this process."""
        os.kill(os.getpid(), signal.SIGHUP)

    def test_start(self) -> None:
        """Signals during the start lead to one reload, as soon as it is possible."""
        hangup.note()
        self.send()
        self.send()
        hangup.answer(self.reload)
        self.assertEqual(self.reloads, 1)
        hangup.answer(self.reload)
        self.assertEqual(self.reloads, 1)

    def test_runs(self) -> None:
        """Each signal leads to a reload."""
        hangup.note()
        hangup.answer(self.reload)
        self.assertEqual(self.reloads, 0)
        self.send()
        self.send()
        self.assertEqual(self.reloads, 2)

    def test_stop(self) -> None:
        """A server that is stopping ignores the signal, until its end. It ignores further signals to stop too."""
        stops: list[int] = []
        for number in signal.SIGINT, signal.SIGTERM:
            self.addCleanup(signal.signal, number, signal.getsignal(number))
            signal.signal(number, lambda number, _: stops.append(number))
        hangup.answer(self.reload)
        with hangup.stopping():
            for number in signal.SIGHUP, signal.SIGINT, signal.SIGTERM:
                os.kill(os.getpid(), number)
        self.send()
        self.assertEqual((self.reloads, stops), (0, []))
        for number in signal.SIGINT, signal.SIGTERM:
            os.kill(os.getpid(), number)
        self.assertEqual(stops, [signal.SIGINT, signal.SIGTERM])

    def test_plugin(self) -> None:
        """``twistd irchat`` notes the signal before it parses the options. Other twistd programs are not affected."""
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        (maker,) = (maker for maker in getPlugins(IServiceMaker) if maker.tapname == "irchat")
        self.assertEqual(signal.getsignal(signal.SIGHUP), signal.SIG_DFL)
        self.assertEqual(maker.options.__name__, "Options")
        self.send()
        hangup.answer(self.reload)
        self.assertEqual(self.reloads, 1)
