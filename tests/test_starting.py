"""The terminal that a server is started from."""

import io
import os
import sys
from types import SimpleNamespace

from twisted.trial.unittest import SynchronousTestCase

from irchat.starting import CannotStart, StartingTerminal


class StartingTerminalTests(SynchronousTestCase):
    """`StartingTerminal`."""

    def setUp(self) -> None:
        """A terminal whose two streams are pipes, both closed by the process once it was asked for."""
        self.out, self.err = self._stream("__stdout__"), self._stream("__stderr__")
        self.terminal = StartingTerminal()
        for stream in sys.__stdout__, sys.__stderr__:
            os.close(stream.fileno())

    def _stream(self, name: str) -> int:
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        self.patch(sys, name, SimpleNamespace(fileno=lambda: writing))
        return reading

    def test_announce(self) -> None:
        """The announcement reaches the standard output that there was, also when it was closed since, and lets go of
        the terminal."""
        self.terminal.announce("hello")
        self.assertEqual(os.read(self.out, 100), b"hello\n")
        self.assertEqual([os.read(self.out, 100), os.read(self.err, 100)], [b"", b""])

    def test_fail(self) -> None:
        """Why it cannot start reaches standard error, in one line, and ends the process with status 1."""
        self.assertEqual(self.assertRaises(SystemExit, self.terminal.fail, "no disk").code, 1)
        self.assertEqual([os.read(self.err, 100), os.read(self.out, 100)], [b"irchat: no disk\n", b""])

    def test_fail_in_a_daemon(self) -> None:
        """In a daemon it is told as well, and raised as what twistd waits for."""
        pid = os.getpid()
        self.patch(os, "getpid", lambda: pid + 1)
        self.assertEqual(str(self.assertRaises(CannotStart, self.terminal.fail, "no disk")), "no disk")
        self.assertEqual(os.read(self.err, 100), b"irchat: no disk\n")

    def test_no_terminal(self) -> None:
        """Where there are no such streams, or nobody reads them any more, nothing breaks."""
        for stream in None, io.StringIO():
            self.patch(sys, "__stdout__", stream)
            self.patch(sys, "__stderr__", stream)
            StartingTerminal().announce("hello")
        reading, writing = os.pipe()
        os.close(reading)
        self.patch(sys, "__stdout__", SimpleNamespace(fileno=lambda: writing))
        StartingTerminal().announce("hello")
        os.close(writing)
