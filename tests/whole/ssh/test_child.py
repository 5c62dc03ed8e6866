"""The process of the SSH door alone: its start and its end."""

import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from irchat.protocol.ssh_door import HOST_KEY_FILE, READY, RELAY_SOCKET, DoorConfig, encode
from tests.helpers.processes import PATIENCE, environment
from tests.helpers.ssh_peers import write_host_key


class ChildTests(SynchronousTestCase):
    """``python -m irchat.ssh``."""

    def setUp(self) -> None:
        """Make the folder."""
        self.home = Path(tempfile.mkdtemp(prefix="irchat-"))
        self.addCleanup(shutil.rmtree, self.home)
        write_host_key(self.home).rename(self.home / HOST_KEY_FILE)

    def start(self) -> "subprocess.Popen[bytes]":
        """Start the process."""
        child = subprocess.Popen(
            [sys.executable, "-m", "irchat.ssh"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(self.home),
        )
        self.addCleanup(lambda: child.poll() is None and child.kill())
        return child

    def test_life(self) -> None:
        """It says when it listens, on a socket for its user alone, and ends with its input, without a word."""
        child = self.start()
        assert child.stdin is not None and child.stdout is not None
        child.stdin.write(encode(DoorConfig(str(self.home), 500, True, "Test")))
        child.stdin.flush()
        self.assertEqual(child.stdout.readline(), READY)
        self.assertEqual(stat.S_IMODE((self.home / RELAY_SOCKET).stat().st_mode), 0o600)
        _, errors = child.communicate(timeout=PATIENCE)
        self.assertEqual((child.returncode, errors), (0, b""))

    def test_no_host_key(self) -> None:
        """Without a host key that it can read it ends with one line."""
        (self.home / HOST_KEY_FILE).write_text("nonsense")
        child = self.start()
        _, errors = child.communicate(encode(DoorConfig(str(self.home), 500, True, "Test")), timeout=PATIENCE)
        self.assertEqual((child.returncode, errors.count(b"\n")), (1, 1))
        self.assertIn(b"the SSH door cannot open", errors)

    def test_no_input(self) -> None:
        """Without a configuration it ends at once."""
        _, errors = self.start().communicate(b"", timeout=PATIENCE)
        self.assertEqual(errors, b"")
