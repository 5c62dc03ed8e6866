"""The echo of a terminal, tested on a real pseudo-terminal."""

import os
import pty
import termios

from twisted.trial.unittest import SynchronousTestCase

from irchat.client.plain.echo import Echo


class EchoTests(SynchronousTestCase):
    """The echo is switched off and restored."""

    def setUp(self) -> None:
        """Open a pseudo-terminal."""
        self.master, self.terminal = pty.openpty()
        self.addCleanup(os.close, self.master)
        self.echo = Echo(self.terminal)

    def _echoes(self) -> bool:
        return bool(termios.tcgetattr(self.terminal)[3] & termios.ECHO)

    def test_off_and_on(self) -> None:
        """The echo goes off and comes back, and no other mode changes."""
        self.addCleanup(os.close, self.terminal)
        before = termios.tcgetattr(self.terminal)
        self.echo.switch(on=False)
        self.assertFalse(self._echoes())
        self.echo.switch(on=True)
        self.assertEqual(termios.tcgetattr(self.terminal), before)

    def test_found_without(self) -> None:
        """A terminal without echo stays without."""
        self.addCleanup(os.close, self.terminal)
        self.echo.switch(on=False)
        Echo(self.terminal).switch(on=True)
        self.assertFalse(self._echoes())

    def test_marks(self) -> None:
        """Without echo the terminal is asked once to mark pastes. With echo it is not, because the marks would show."""
        self.addCleanup(os.close, self.terminal)
        echo = Echo(self.terminal, marks=True)
        for _ in range(2):
            echo.switch(on=True)
        for _ in range(2):
            echo.switch(on=False)
        for _ in range(2):
            echo.switch(on=True)
        expected = b"\x1b[?2004h\x1b[?2004l"
        written = b""
        while len(written) < len(expected):  # a terminal hands on what was written piece by piece
            written += os.read(self.master, 100)
        self.assertEqual(written, expected)
        self.echo.switch(on=False)
        os.set_blocking(self.master, False)
        self.assertRaises(BlockingIOError, os.read, self.master, 1)

    def test_has_more(self) -> None:
        """An unread typed line is detected, before and after one of two is read."""
        self.addCleanup(os.close, self.terminal)
        self.assertFalse(self.echo.has_more())
        os.write(self.master, b"one\ntwo\n")
        for line in b"one\n", b"two\n":
            self.assertTrue(self.echo.has_more())
            self.assertEqual(os.read(self.terminal, 100), line)
        self.assertFalse(self.echo.has_more())

    def test_write(self) -> None:
        """Text reaches the terminal, with what cannot be encoded replaced."""
        self.addCleanup(os.close, self.terminal)
        self.echo.write("hé\udc80")
        self.assertEqual(os.read(self.master, 100), "hé?".encode())

    def test_gone(self) -> None:
        """A terminal that is gone is not an error at the end."""
        os.close(self.terminal)
        self.echo.write("bye")
        self.echo.switch(on=True)
        self.echo.switch(on=False)
