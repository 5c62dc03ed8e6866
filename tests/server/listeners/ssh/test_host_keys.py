"""The host key: made once, kept from others, and named when it cannot be used."""

import errno
import os
import stat
import subprocess
from pathlib import Path
from unittest import mock

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from twisted.trial.unittest import SynchronousTestCase

from irchat.protocol.ssh_door import HOST_KEY_FILE
from irchat.server.listeners.ssh import host_keys
from irchat.server.listeners.ssh.host_keys import WrongHostKey, ensure_host_key, read_host_key
from tests.helpers.services import program


class HostKeyTests(SynchronousTestCase):
    """`ensure_host_key` and `read_host_key`."""

    def setUp(self) -> None:
        """Make a folder."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir(mode=0o700)
        self.path = self.folder / HOST_KEY_FILE

    def refused(self) -> str:
        """Check that the key is refused in one line that names it."""
        error = self.assertRaises(WrongHostKey, ensure_host_key, self.folder)
        self.assertIn(str(self.path), str(error))
        self.assertNotIn("\n", str(error))
        return str(error)

    def test_made_once(self) -> None:
        """The first start makes the key for its owner alone. Later ones read it, and leave nothing else."""
        made = ensure_host_key(self.folder)
        self.assertRegex(made, "^SHA256:[A-Za-z0-9+/]{43}$")
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)
        before = self.path.read_bytes()
        self.assertEqual((ensure_host_key(self.folder), read_host_key(self.folder)), (made, made))
        self.assertEqual(self.path.read_bytes(), before)
        self.assertEqual(os.listdir(self.folder), [HOST_KEY_FILE])

    def test_interrupted(self) -> None:
        """If the key cannot be put in place, none is there, and the next start makes one."""
        self.patch(os, "fsync", lambda descriptor: os.close(-1))
        self.assertRaises(OSError, ensure_host_key, self.folder)
        self.assertEqual(os.listdir(self.folder), [])

    def test_readable_by_others(self) -> None:
        """A key that others may read is refused with the remedy."""
        ensure_host_key(self.folder)
        for mode in 0o640, 0o604, 0o620:
            self.path.chmod(mode)
            self.assertEqual(self.refused().count(f"chmod 600 {self.path}"), 1)
        self.patch(
            host_keys, "read_small_file", mock.Mock(side_effect=PermissionError(errno.EACCES, "Permission denied"))
        )
        self.assertIn(f"Permission denied; run chmod 600 {self.path}", self.refused())

    def test_unusable(self) -> None:
        """Anything else than a key of this kind is refused, and stays."""
        other = ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
        for data in b"", b"nonsense", other, b"x" * 2_000_000:
            self.path.write_bytes(data)
            self.path.chmod(0o600)
            self.assertIn("move it away", self.refused())
            self.assertEqual(self.path.read_bytes(), data)
        self.path.unlink()
        self.path.symlink_to("nowhere")
        self.refused()
        self.path.unlink()
        self.path.mkdir()
        self.refused()

    def test_fingerprint(self) -> None:
        """The fingerprint is the one that ssh shows."""
        made = ensure_host_key(self.folder)
        shown = subprocess.run([program("ssh-keygen"), "-lf", str(self.path)], capture_output=True, check=True).stdout
        self.assertIn(made, shown.decode())
