"""``irchat-admin``: each error is one line with the next step, and any standard stream works."""

import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest
from twisted.trial.unittest import SynchronousTestCase

from irchat import __version__
from irchat.admin import failures, main
from irchat.admin.failures import explain_failure
from irchat.system.files.data_folder import DataFolder
from tests.helpers.admin import PASSWORD, AdminCase
from tests.helpers.processes import environment

_ME = pwd.getpwuid(os.geteuid()).pw_name


class ExplainTests(SynchronousTestCase):
    """`explain_failure`."""

    def setUp(self) -> None:
        """Create a data folder."""
        self.data = Path(self.mktemp()).absolute()
        self.data.mkdir()
        self.patch(sys, "argv", [sys.executable])

    def _line(self, error: Exception, *command: str) -> str:
        line = explain_failure(error, self.data, command)
        self.assertNotIn("\n", line)
        return line

    def test_not_the_owner(self) -> None:
        """A user who may not access the data is shown the same command to be run as the owner."""
        error = PermissionError(13, "no", str(self.data / "irchat.sqlite"))
        self.patch(failures, "_owner", lambda path: os.geteuid() + 1)
        self.patch(failures, "_name_of", lambda user: "irchat")
        line = self._line(error, "ban", "bob", "--reason", "two words")
        wanted = f"run it as the owner of the data: sudo -u irchat {sys.executable} -m irchat.admin --data {self.data}"
        self.assertIn(f"{self.data}/irchat.sqlite: no; {wanted} ban bob --reason 'two words'", line)

    def test_of_root(self) -> None:
        """If root owns the data, the line names plain ``sudo``."""
        self.patch(failures, "_owner", lambda path: 0)
        self.patch(failures.os, "geteuid", lambda: 1_000)
        self.assertIn(f"sudo {sys.executable} -m", self._line(PermissionError(13, "no", str(self.data)), "users"))

    def test_own(self) -> None:
        """The owner of data without access rights is shown how to restore them."""
        error = PermissionError(13, "no", str(self.data / "lock"))
        self.assertIn(f"chmod u+rwX {self.data}/lock", self._line(error, "users"))

    def test_other_file(self) -> None:
        """A backup file that may not be written is not reported as a fault of the data."""
        error = PermissionError(13, "no", "/elsewhere/file")
        self.assertIn(f"/elsewhere/file: no; name a file in a folder where the user {_ME}", self._line(error, "backup"))

    def test_owner(self) -> None:
        """The owner is that of the folder or its nearest accessible parent, by number if it has no name."""
        self.assertEqual(failures._owner(self.data / "a" / "b"), os.geteuid())
        self.assertEqual(failures._name_of(2**31 - 2), f"#{2**31 - 2}")

    def test_others(self) -> None:
        """Other errors name the file, what was typed, or where in the program they were raised."""
        for error, part in (
            (OSError(28, "full", "/x"), "/x: full; make room"), (OSError(28, "full"), f"{self.data}: full; make room"),
            (UnicodeDecodeError("ascii", b"\xff", 0, 1, "no"), "not text in UTF-8"), (EOFError(), "input ended"),
            (ZeroDivisionError("x"), "ZeroDivisionError: x"),
        ):  # fmt: skip
            self.assertIn(part, self._line(error, "users"))


class CommandTests(AdminCase):
    """Commands that fail."""

    def test_version(self) -> None:
        """``--version`` shows the version."""
        self.assertEqual(self.admin("--version")[:2], (0, f"IRChat {__version__}\n"))

    def test_large_network(self) -> None:
        """A ban of many addresses asks for confirmation, and without a terminal it needs ``--yes``."""
        self.add("alice")
        for network in "0.0.0.0/0", "::/0", "128.0.0.0/1", "::ffff:0:0/96":
            self.refused("answer yes, or use --yes", "ban", network)
        for typed in "n\n", "":
            status, _, err = self.admin("ban", "0.0.0.0/0", typed=typed, terminal=True)
            self.assertEqual((status, "nothing was banned" in err), (1, True))
        self.assertEqual(self.rows("bans"), [])
        self.assertIn("is banned", self.admin("ban", "0.0.0.0/0", typed="y\n", terminal=True)[1])
        self.done("ban", "::/0", "--yes")
        self.done("ban", "10.0.0.0/8")
        self.assertEqual([row[0] for row in self.rows("bans")], ["0.0.0.0/0", "::/0", "10.0.0.0/8"])

    def test_reasons(self) -> None:
        """The reasons of bans are listed, for users and networks. An address with a zone is banned without the zone."""
        self.add("alice", "bob")
        self.done("ban", "bob", "--reason", "spam")
        self.done("ban", "fe80::1%eth0", "--reason", "noise")
        self.assertEqual(self.rows("bans"), [
            ["@bob", "for", "good", "spam"], ["fe80::1/128", "for", "good", "noise"],
        ])  # fmt: skip
        self.done("unban", "fe80::1%wlan0")
        self.assertEqual(len(self.rows("bans")), 1)

    def test_unknown_user(self) -> None:
        """An error about an unknown user says how to list the users."""
        self.add("alice")
        for command in (["kick", "bob"], ["ban", "bob"], ["unban", "bob"], ["remove-user", "bob", "--yes"]):
            self.refused("irchat-admin users lists the users", *command)
        self.refused("irchat-admin users lists the users", "reset-password", "bob", typed=f"{PASSWORD}\n")

    def test_no_password(self) -> None:
        """If standard input ends before the password, nothing changes."""
        self.refused("no password was given", "add-user", "alice")
        self.assertFalse(self.data.exists())

    def test_no_socket(self) -> None:
        """If a server uses the folder but its socket is missing, the error says when the socket comes back."""
        self.add("alice")
        folder = DataFolder(self.data)
        folder.acquire()
        self.addCleanup(folder.release)
        self.refused("on SIGHUP (systemctl reload irchat): try again", "users")
        self.refused("stop it first", "restore", str(self._backup()))

    def _backup(self) -> Path:
        file = self.home / "copy"
        self.done("backup", str(file))
        return file

    def test_files(self) -> None:
        """A file that cannot be used is refused with the next step, and no file is left behind."""
        self.add("alice")
        (self.home / "file").write_text("not a folder")
        for file, part in (
            (self.home / "none" / "copy", "create its folder"), (self.home / "file" / "copy", "has the name of one"),
            (self.home / ("n" * 254), "choose a shorter path"), (self.home, "is a folder; name a file in it"),
        ):  # fmt: skip
            self.refused(part, "backup", str(file))
        for file in self.home / "none", self.home, self.home / "file" / "x":
            self.refused("name a", "restore", str(file))
        self.refused(
            "file is not a database; it is not a usable backup: name another", "restore", str(self.home / "file")
        )
        self.assertEqual(sorted(path.name for path in self.home.iterdir()), ["data", "file"])

    def test_unwritable(self) -> None:
        """If this user may not access the data folder, each command says so, with or without FILE."""
        self.add("alice")
        self.patch(main.database, "need_database", self._denied)
        self.patch(main, "ask", self._denied)
        for command in (["users"], ["bans"], ["stats"], ["kick", "x"], ["check"], ["backup", "x"]):
            self.refused("chmod u+rwX", *command)

    def _denied(self, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(self.data / "irchat.sqlite"))


class StreamTests(AdminCase):
    """Standard streams, with real processes, because the interpreter itself reports stream errors when it exits."""

    def run_in_shell(self, shell: str, encoding: str = "utf-8", unbuffered: str = "") -> tuple[int, bytes, bytes]:
        """Run ``irchat-admin`` with arguments that a shell expands. Return its status, output and errors."""
        script = f'"$0" -m irchat.admin --data "$1" {shell}'
        ran = subprocess.run(
            ["sh", "-c", script, sys.executable, str(self.data)], stdin=subprocess.DEVNULL, capture_output=True,
            env={**environment(self.home), "PYTHONIOENCODING": encoding, "PYTHONUNBUFFERED": unbuffered},
            check=False, timeout=120,
        )  # fmt: skip
        self.assertNotIn(b"Traceback", ran.stderr)
        self.assertNotIn(b"Exception ignored", ran.stderr)
        return ran.returncode, ran.stdout, ran.stderr

    @pytest.mark.slow
    def test_encodings(self) -> None:
        """Names that the output cannot encode are escaped, and the command does its work."""
        self.add("山田", "zoë")
        status, out, err = self.run_in_shell("users", "ascii")
        self.assertEqual((status, err), (0, b""))
        lines = out.splitlines()
        self.assertIn(rb"\u5c71\u7530", out)
        self.assertEqual({line.find(b"20") for line in lines[1:]}, {lines[0].find(b"CREATED")})
        self.assertIn(rb"zo\xeb", out)
        self.assertIn(b"zo\xeb", self.run_in_shell("users", "latin-1")[1])
        status, out, err = self.run_in_shell("kick 何処", "ascii")
        self.assertEqual((status, out), (1, b""))
        self.assertIn(rb"'\u4f55\u51e6'", err)

    @pytest.mark.slow
    def test_closed_streams(self) -> None:
        """A command does its work with all streams closed. A full disk behind its output is reported in one line."""
        self.add("bob")
        for number, streams in enumerate((">&-", "2>&-", "<&- >&- 2>&-", "| true")):
            file = self.home / f"copy-{number}"
            self.assertEqual(self.run_in_shell(f"backup {file} {streams}")[0], 0)
            self.assertTrue(file.exists())
        if os.path.exists("/dev/full"):
            for unbuffered in "", "1":
                status, _, err = self.run_in_shell("users >/dev/full", unbuffered=unbuffered)
                self.assertEqual((status, err.count(b"\n")), (1, 1), err)
                self.assertIn(b"irchat: the output could not be written: No space left on device; the command", err)
