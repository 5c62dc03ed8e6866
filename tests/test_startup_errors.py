"""The terminal that a server is started from, and the startup errors."""

import io
import os
import sqlite3
import sys
from pathlib import Path
from types import SimpleNamespace

from argon2.exceptions import HashingError
from twisted.trial.unittest import SynchronousTestCase

from irchat.server.listeners.certificates import WrongCertificate
from irchat.server.listeners.listener import CannotBind, NoAddress, listening_socket
from irchat.settings import WrongSetting, make_config
from irchat.startup_errors import CannotStart, StartingTerminal, end_start, explain
from irchat.store.sqlite.copying import BadCopy
from irchat.store.sqlite.migrations import NewerDatabase
from irchat.system.files.data_folder import FolderInUse, UnsafeFolder
from irchat.wiring.ports import check_ports


class StartingTerminalTests(SynchronousTestCase):
    """`StartingTerminal`."""

    def setUp(self) -> None:
        """Make a terminal of two pipes, whose ends in this process are closed after its creation."""
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
        """The announcement reaches the original standard output, even if that was closed, and frees the terminal."""
        self.terminal.announce("hello")
        self.assertEqual(os.read(self.out, 100), b"hello\n")
        self.assertEqual([os.read(self.out, 100), os.read(self.err, 100)], [b"", b""])

    def test_progress(self) -> None:
        """Progress is shown on standard error every few seconds, but not at once."""
        self.terminal.show_progress("1 of 3")
        self.terminal._shown_at -= 5
        self.terminal.show_progress("2 of 3")
        self.terminal.show_progress("3 of 3")
        self.terminal.announce("hello")
        self.assertEqual(os.read(self.err, 100), b"irchat: 2 of 3\n")

    def test_fail(self) -> None:
        """``fail`` writes one line to standard error and ends the process with status 1."""
        self.assertEqual(self.assertRaises(SystemExit, self.terminal.fail, "no disk").code, 1)
        self.assertEqual([os.read(self.err, 100), os.read(self.out, 100)], [b"irchat: no disk\n", b""])

    def test_fail_in_a_daemon(self) -> None:
        """In a daemon, ``fail`` writes the line and raises the exception that twistd reports."""
        pid = os.getpid()
        self.patch(os, "getpid", lambda: pid + 1)
        self.assertEqual(str(self.assertRaises(CannotStart, self.terminal.fail, "no disk")), "no disk")
        self.assertEqual(os.read(self.err, 100), b"irchat: no disk\n")

    def test_no_terminal(self) -> None:
        """Missing or closed streams raise nothing."""
        for stream in None, io.StringIO():
            self.patch(sys, "__stdout__", stream)
            self.patch(sys, "__stderr__", stream)
            StartingTerminal().announce("hello")
        reading, writing = os.pipe()
        os.close(reading)
        self.patch(sys, "__stdout__", SimpleNamespace(fileno=lambda: writing))
        StartingTerminal().announce("hello")
        os.close(writing)


class ExplainTests(SynchronousTestCase):
    """Each startup error is one line with the next step."""

    def _line(self, error: Exception) -> str:
        line = explain(error, make_config({"data": "/data/of/nobody", "port": 5})).replace("/of/nobody", "")
        self.assertNotIn("\n", line)
        return line

    def test_data(self) -> None:
        """An error of the data folder names the folder, and the file in it if there is one."""
        for error, wanted in (
            (FolderInUse("another server uses it"), "/data is in use: another server uses it; stop that one"),
            (NewerDatabase("it is newer"), "the data in /data cannot be used: it is newer"),
            (OSError("not a folder"), "the data folder /data cannot be used: not a folder; give this user access"),
            (PermissionError(13, "no", "/data/lock"), "/data cannot be used: /data/lock: no; give this user access"),
            (OSError(28, "full", "/data"), "/data cannot be used: /data: full; make room on the disk"),
            (OSError(36, "long", b"/data/\xff"), "/data cannot be used: /data/\udcff: long; choose a shorter path"),
            (UnsafeFolder("others can write"), "others can write"),
            (OSError(11, "no thread"), "cannot start: the system is out of threads or memory; raise TasksMax"),
            (HashingError("no memory"), "cannot start: the system is out of threads or memory; raise TasksMax"),
            (BadCopy("it is damaged"), "the data in /data cannot be used: it is damaged"),
            (WrongSetting("--port is a number"), "--port is a number"),
        ):
            self.assertIn(wanted, self._line(error))

    def test_database(self) -> None:
        """A backup is recommended only for a damaged database."""
        for code, mend in (
            (sqlite3.SQLITE_NOTADB, "restore a backup"), (sqlite3.SQLITE_CORRUPT, "restore a backup"),
            (sqlite3.SQLITE_BUSY_SNAPSHOT, "close that one"), (sqlite3.SQLITE_FULL, "make room"),
            (sqlite3.SQLITE_CANTOPEN, "give this user access"), (sqlite3.SQLITE_READONLY, "on a writable disk"),
            (sqlite3.SQLITE_IOERR_FSYNC, "check the disk"),
        ):  # fmt: skip
            error = sqlite3.OperationalError("it is so")
            error.sqlite_errorcode = code
            line = self._line(error)
            self.assertTrue(line.startswith("the database in /data cannot be used: it is so; "), line)
            self.assertIn(mend, line)
        self.assertIn("restore a backup", self._line(sqlite3.DatabaseError("of unknown kind")))

    def test_out_of_files(self) -> None:
        """A database that cannot be opened despite access rights needs a higher limit of open files."""
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "file").touch()
        error = sqlite3.OperationalError("unable to open database file")
        error.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
        config = make_config({"data": str(folder)})
        self.assertIn("; raise the limit of open files (ulimit -n)", explain(error, config))
        self.patch(os, "access", lambda path, mode: Path(path).name != "file")
        self.assertIn("; give this user access to it", explain(error, config))

    def test_port(self) -> None:
        """An error of the port names it, from the check as well as from listening."""
        for number, mend in (98, "choose another --port"), (99, "address of this machine"), (13, "of 1024 or more"), (
            105, "choose another --host or --port"
        ):  # fmt: skip
            wanted = f"cannot listen on all addresses, port 5: {os.strerror(number)}; "
            line = self._line(CannotBind(number, ""))
            self.assertTrue(line.startswith(wanted), line)
            self.assertIn(mend, line)
        self.assertIn("is not an IP address of this machine", self._line(NoAddress("none")))

    def test_other_ports(self) -> None:
        """An error of the port of one door names its option."""
        for option in "web-port", "irc-port", "ssh-port":
            with listening_socket("127.0.0.1", 0) as taken:
                number = taken.getsockname()[1]
                config = make_config({"port": 0, "host": "127.0.0.1", option: number})
                line = explain(self.assertRaises(CannotBind, check_ports, config), config)
            self.assertTrue(line.startswith(f"cannot listen on 127.0.0.1, port {number}: "), line)
            self.assertTrue(line.endswith(f"choose another --{option}"), line)

    def test_certificate(self) -> None:
        """An error of the certificate is shown unchanged."""
        self.assertEqual(self._line(WrongCertificate("the key is bad; give another")), "the key is bad; give another")

    def test_unforeseen(self) -> None:
        """An unexpected error is one line, too, with its place in the code."""
        for error in RecursionError("deep"), ValueError("a\nb"), MemoryError(), KeyError("x"):
            try:
                raise error
            except Exception as raised:
                line = self._line_of_end(raised)
            self.assertIn(type(error).__name__, line)
            self.assertIn("(test_startup_errors.py, line ", line)
            self.assertIn("report this line", line)

    def _line_of_end(self, error: Exception) -> str:
        line = str(self.assertRaises(SystemExit, end_start, explain(error, make_config({}))).code)
        self.assertTrue(line.isprintable(), line)
        return line
