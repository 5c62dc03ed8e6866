"""One run of the full screen, without a reactor: the state left behind after failures."""

import contextlib
import io
import os
import pty
import sys
import termios

from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.control.controller import Controller
from irchat.client.exceptions import ClientError
from irchat.client.preferences import Preferences
from irchat.client.terminal import full_screen_run
from irchat.client.terminal.full_screen_run import FullScreenRun, _say_last
from irchat.client.view.screen_state import ScreenState


class _Reactor(MemoryReactorClock):
    """A reactor that records its stop."""

    stops = 0

    def stop(self) -> None:
        self.stops += 1


class FullScreenTests(SynchronousTestCase):
    """Restoring and ending."""

    def setUp(self) -> None:
        """Create a run on its own terminal."""
        self.controller, self.terminal = pty.openpty()
        self.addCleanup(os.close, self.controller)
        self.found = termios.tcgetattr(self.terminal)
        self.reactor = _Reactor()
        controller = Controller(Clock(), ScreenState("host:7667"), lambda: "nonce")
        self.screen = FullScreenRun(self.reactor, Clock(), controller, self.terminal, Preferences())
        self.screen.device.makeConnection(StringTransport())

    def close(self) -> None:
        """Close the terminal."""
        os.close(self.terminal)

    def test_restore(self) -> None:
        """In any state, the terminal modes are restored. The alternate screen is left if it was entered."""
        self.addCleanup(self.close)
        self.screen.device.keys.raw_mode().__enter__()
        self.screen._output.enter_alternate_screen()
        self.screen.restore()
        self.assertEqual(termios.tcgetattr(self.terminal), self.found)
        left = os.read(self.controller, 1_000)
        for undone in b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?2004l", b"\x1b[?7h":
            self.assertIn(undone, left)
        self.assertLess(left.index(b"\x1b[24;1H\x1b[2K"), left.index(b"\x1b[?1049l"))

    def test_not_written(self) -> None:
        """The final bytes are written even if they never reached the terminal."""
        self.addCleanup(self.close)
        self.screen._output.enter_alternate_screen()
        self.screen._output.quit_alternate_screen()
        self.screen._output.flush()
        self.screen.restore()
        self.assertIn(b"\x1b[?1049l", os.read(self.controller, 1_000))

    def test_stands_still(self) -> None:
        """A blocked terminal is not waited for indefinitely."""
        self.addCleanup(self.close)
        self.patch(full_screen_run, "LEAVING_SECONDS", 0)
        self.screen._output.enter_alternate_screen()
        os.set_blocking(self.terminal, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(self.terminal, b"x" * 1_000)
        self.screen.restore()

    def test_nothing_to_restore(self) -> None:
        """Before the screen was entered nothing is written, and a lost terminal needs nothing."""
        self.screen.restore()
        os.set_blocking(self.controller, False)
        self.assertRaises(BlockingIOError, os.read, self.controller, 1)
        self.close()
        self.screen.restore()

    def test_first_failure(self) -> None:
        """The first of several failures is reported. The client ends once, with status 1."""
        self.addCleanup(self.close)
        self.screen.fail(Failure(RuntimeError("first")))
        self.screen.fail(Failure(RuntimeError("second")))
        self.assertIn("first", self.screen.last_words)
        self.assertNotIn("second", self.screen.last_words)
        self.assertEqual((self.screen.status, self.reactor.stops), (1, 1))

    def test_told_failures(self) -> None:
        """A failure in the loop, the reactor's log or the chat ends the client. A plain log message does not."""
        self.addCleanup(self.close)
        self.screen._observe({"log_format": "a word"})
        self.assertEqual(self.reactor.stops, 0)
        for tell in (
            lambda: self.screen._observe({"log_failure": Failure(RuntimeError("bad"))}),
            lambda: self.screen._loop_failed(None, {"message": "bad"}),  # type: ignore[arg-type]
            lambda: self.screen._talk_failed(Failure(RuntimeError("bad"))),
        ):
            self.screen.last_words = ""
            tell()
            self.assertIn("bad", self.screen.last_words)

    def test_stop(self) -> None:
        """A ClientError is shown in its own words."""
        self.addCleanup(self.close)
        self.screen._talk_failed(Failure(ClientError("one\ntwo")))
        self.assertEqual((self.screen.last_words, self.screen.status), ("! one\n! two\n", 1))

    def test_size(self) -> None:
        """A terminal of unknown size counts as 80 by 24."""
        self.addCleanup(self.close)
        self.assertEqual(tuple(self.screen._size()), (24, 80))


class LastTests(SynchronousTestCase):
    """The text after the terminal is restored."""

    def test_last_words(self) -> None:
        """Last words go to the standard error of the process, if there is one."""
        error = io.StringIO()
        self.patch(sys, "__stderr__", error)
        _say_last("")
        _say_last("! gone\n")
        self.assertEqual(error.getvalue(), "! gone\n")
        self.patch(sys, "__stderr__", None)
        _say_last("! gone\n")

    def test_last_words_of_a_server(self) -> None:
        """A hostile server's reason to refuse a sign-in is safe to show after the screen is left."""
        error = io.StringIO()
        self.patch(sys, "__stderr__", error)
        _say_last("! no\x1b]0;title\x07\x9b2J\u202e\n! gone\n")
        self.assertEqual(error.getvalue(), "! no\u241b]0;title\u2407\ufffd2J\ufffd\n! gone\n")
