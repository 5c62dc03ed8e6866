"""Checks of twistd's own options."""

import io
import os
import signal
import sys
from pathlib import Path
from typing import Any

from twisted.scripts import twistd as twistd_script
from twisted.trial.unittest import SynchronousTestCase

from irchat import twistd_checks
from irchat.server import __main__ as server
from irchat.settings import WrongSetting
from irchat.system import hangup
from irchat.twistd_checks import check_twistd, command_name


class TwistdTests(SynchronousTestCase):
    """`check_twistd`."""

    def setUp(self) -> None:
        """Make a folder."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.pid_file = self.folder / "twistd.pid"

    def _check(self, **options: Any) -> None:
        check_twistd({"nodaemon": True, "rundir": ".", "pidfile": str(self.pid_file), **options})

    def _refused(self, **options: Any) -> str:
        return str(self.assertRaises(WrongSetting, self._check, **options))

    def test_stale(self) -> None:
        """A pid file is deleted if its process is this one, another program, or gone."""
        self._check()
        for pid in os.getpid(), os.getppid(), 2**22 + 1:
            self.patch(twistd_checks, "_SERVERS", ("a program that does not run",))
            self.pid_file.write_text(f"{pid}\n")
            self._check()
            self.assertFalse(self.pid_file.exists())

    if not os.path.isdir("/proc/self"):
        test_stale.skip = "needs Linux"

    def test_running(self) -> None:
        """The pid file of a running server prevents the start, and the error names the next step."""
        self.pid_file.write_text(str(os.getppid()))
        self.patch(twistd_checks, "_is_server", lambda pid: pid == os.getppid())
        self.assertIn(f"names process {os.getppid()}, a running server: stop it, or", self._refused())
        self.assertTrue(self.pid_file.exists())

    def test_no_number(self) -> None:
        """A pid file without a process number is named."""
        for content in "", "x", "-1", "0", "9" * 30:
            self.pid_file.write_text(content)
            self.assertIn("delete it", self._refused())

    def test_files(self) -> None:
        """A file or folder that twistd could not use is named with its option."""
        (self.folder / "folder").mkdir()
        os.mkfifo(self.folder / "pipe")
        (self.folder / "loop").symlink_to("loop")
        for options, reason in (
            ({"rundir": "/no/such"}, "--rundir /no/such is missing"),
            ({"rundir": __file__}, "is not a folder"),
            ({"pidfile": "/no/such/pid"}, "--pidfile /no/such/pid: there is no folder /no/such"),
            ({"logfile": "/no/such/log"}, "--logfile /no/such/log: there is no folder /no/such"),
            ({"logfile": str(self.folder / "folder")}, "is a folder: name a file in it"),
            ({"logfile": str(self.folder / "pipe")}, "It is a pipe, not a file; name another"),
            ({"logfile": str(self.folder / "loop")}, "Too many levels of symbolic links; name another"),
            ({"pidfile": str(self.folder / "pipe")}, "It is a pipe, not a file; name another"),
            ({"rundir": str(self.folder / "pipe")}, "is not a folder"),
        ):
            self.assertIn(reason, self._refused(**options))
        self._check(logfile=os.devnull)
        self.patch(twistd_checks.os, "access", lambda path, mode: False)
        self.assertIn("the current folder is missing, or this user may not enter it: cd /", self._refused())
        self.patch(twistd_checks.os, "access", lambda path, mode: mode != os.W_OK)
        self.assertIn("--pidfile", self._refused())
        self.assertIn("--logfile twistd.log cannot be written", self._refused(pidfile="", nodaemon=False))
        for options in {"logfile": "-"}, {"syslog": True, "nodaemon": False}, {}:
            self._check(pidfile="", **options)

    def test_server(self) -> None:
        """``irchat-server`` runs twistd in the foreground, without a pid file, with the arguments appended."""
        ran: list[list[str]] = []
        self.patch(twistd_script, "run", lambda: ran.append(sys.argv))
        self.patch(sys, "argv", ["irchat-server", "--port", "0"])
        server.main()
        self.assertEqual(ran, [["irchat-server", "-n", "--pidfile=", "irchat", "--port", "0"]])

    def test_hangup(self) -> None:
        """``irchat-server`` notes a SIGHUP from its first step on, so none ends it."""
        before = signal.signal(signal.SIGHUP, lambda *_: None)
        self.addCleanup(signal.signal, signal.SIGHUP, before)
        self.addCleanup(hangup._noted.clear)
        self.patch(server, "prepare_streams", lambda: os.kill(os.getpid(), signal.SIGHUP))
        self.patch(twistd_script, "run", lambda: None)
        self.patch(sys, "argv", ["irchat-server"])
        server.main()
        self.assertEqual(hangup._noted, {signal.SIGHUP})

    def test_server_fails(self) -> None:
        """An error of twistd is one line and status 1. An exit keeps its status, and Ctrl-C has no traceback."""
        self.patch(sys, "stderr", io.StringIO())
        for error, status in (OSError("x"), 1), (SystemExit(3), 3), (KeyboardInterrupt(), 130):
            self.patch(sys, "argv", ["irchat-server"])
            self.patch(twistd_script, "run", lambda error=error: self._raise(error))
            self.assertEqual(self.assertRaises(SystemExit, server.main).code, status)
        self.assertRegex(sys.stderr.getvalue(), r"^irchat: cannot start: OSError: x .*\n$")

    def _raise(self, error: BaseException) -> None:
        raise error

    def test_name(self) -> None:
        """The help and errors name the command as typed."""
        for typed, name in ("/opt/bin/twistd", "twistd irchat"), ("irchat-server", "irchat-server"):
            self.patch(sys, "argv", [typed])
            self.assertEqual(command_name(), name)
