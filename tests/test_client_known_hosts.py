"""The file of trusted servers."""

import os
import stat
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from irchat.client import known_hosts
from irchat.client.known_hosts import Known, KnownHosts
from irchat.client.stop import Stop
from irchat.fingerprint import fingerprint_of

_ONE, _TWO = fingerprint_of(b"1"), fingerprint_of(b"2")


class KnownHostsTests(SynchronousTestCase):
    """Servers are remembered and found again."""

    def setUp(self) -> None:
        """Choose a file that is not there yet."""
        self.path = Path(self.mktemp()) / "config" / "known_hosts"
        self.known = KnownHosts(self.path)

    def test_unknown(self) -> None:
        """Without a file nobody is known."""
        self.assertIsNone(self.known.find("host:1"))

    def test_remember(self) -> None:
        """What is remembered is found, and on which line."""
        self.assertEqual(self.known.remember("host:1", _ONE), Known(1, _ONE))
        self.assertEqual(self.known.remember("[::1]:2", _TWO), Known(2, _TWO))
        again = KnownHosts(self.path)
        self.assertEqual(again.find("host:1"), Known(1, _ONE))
        self.assertEqual(again.find("[::1]:2"), Known(2, _TWO))
        self.assertIsNone(again.find("host:2"))

    def test_private(self) -> None:
        """The file and its directory are for the user alone."""
        self.known.remember("host:1", _ONE)
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(self.path.parent.stat().st_mode), 0o700)

    def test_other_lines_stay(self) -> None:
        """Lines that a person wrote stay as they are, whatever their bytes, and count as lines."""
        self.path.parent.mkdir(parents=True)
        self.path.write_bytes(b"# caf\xe9\x0b\n\nhost:1 nonsense")
        self.assertIsNone(self.known.find("host:1"))
        self.assertEqual(self.known.remember("host:1", _ONE), Known(4, _ONE))
        self.assertEqual(self.known.find("host:1"), Known(4, _ONE))
        self.assertTrue(self.path.read_bytes().startswith(b"# caf\xe9\x0b\n\nhost:1 nonsense\n"))

    def test_unreadable(self) -> None:
        """A file that cannot be read ends the client with its name and the reason."""
        self.path.mkdir(parents=True)
        stop = self.assertRaises(Stop, self.known.find, "host:1")
        self.assertIn(str(self.path), stop.text)

    def test_unwritable(self) -> None:
        """Where the file cannot be written the user is told, and no half of it is left."""
        def no_space(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        self.known.remember("host:1", _ONE)
        self.patch(known_hosts.os, "fsync", no_space)
        stop = self.assertRaises(Stop, self.known.remember, "host:2", _TWO)
        self.assertIn("No space left", stop.text)
        self.assertEqual(os.listdir(self.path.parent), ["known_hosts"])
        self.assertIsNone(self.known.find("host:2"))
