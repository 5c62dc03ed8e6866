"""The known_hosts file."""

import os
import stat
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from irchat.client.connect.known_hosts import Known, KnownHosts
from irchat.client.exceptions import ClientError
from irchat.net.fingerprints import fingerprint_of

_ONE, _TWO = fingerprint_of(b"1"), fingerprint_of(b"2")


class KnownHostsTests(SynchronousTestCase):
    """Saving and finding servers."""

    def setUp(self) -> None:
        """Choose a file that does not exist yet."""
        self.path = Path(self.mktemp()) / "config" / "known_hosts"
        self.known = KnownHosts(self.path)

    def test_unknown(self) -> None:
        """Without a file no server is known."""
        self.assertIsNone(self.known.find("host:1"))

    def test_remember(self) -> None:
        """A saved server is found, with its line number."""
        self.known.remember("host:1", _ONE)
        self.known.remember("[::1]:2", _TWO)
        again = KnownHosts(self.path)
        self.assertEqual(again.find("host:1"), Known(1, _ONE))
        self.assertEqual(again.find("[::1]:2"), Known(2, _TWO))
        self.assertIsNone(again.find("host:2"))

    def test_private(self) -> None:
        """Only the owner can read the file and its directory."""
        self.known.remember("host:1", _ONE)
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(self.path.parent.stat().st_mode), 0o700)

    def test_other_lines_stay(self) -> None:
        """Other lines stay unchanged, whatever their bytes, and count as lines."""
        self.path.parent.mkdir(parents=True)
        lines = b"# host:1 caf\xe9\x0b\n\r\nhost:10 nonsense\nxhost:1 y"
        self.path.write_bytes(lines)
        self.assertIsNone(self.known.find("host:1"))
        self.known.remember("host:1", _ONE)
        self.assertEqual(self.known.find("host:1"), Known(5, _ONE))
        self.assertTrue(self.path.read_bytes().startswith(lines + b"\n"))

    def test_damaged(self) -> None:
        """A damaged line of the server ends the client and names the line. No question is asked."""
        self.path.parent.mkdir(parents=True)
        for line in (
            "host:1", "host:1 nonsense", f"host:1 {_ONE[:-1]}", f"host:1 {_ONE} x", f"host:1: {_ONE}", f"host {_ONE}",
            "host:1\0\0\0", f"HOST:1 {_ONE}y", f"host:1{_ONE}", f"\ufeffhost:1 {_ONE[:9]}", "host:1 \udcff\x1b",
        ):  # fmt: skip
            self.path.write_bytes(f"#\n{line}\n".encode("utf-8", "surrogateescape").replace(b"#\n\xef", b"\xef"))
            for look in self.known.find, lambda label: self.known.remember(label, _TWO):
                text = self.assertRaises(ClientError, look, "host:1").text
                self.assertIn(f"Line {1 if line[0] > '~' else 2} of {self.path} is about host:1", text)
                self.assertIn("delete it", text)
                self.assertNotIn("\x1b", text)
            self.assertIsNone(self.known.find("other:1"))

    def test_other_spelling(self) -> None:
        """Case, the form of the fingerprint, spaces and line ends do not matter."""
        self.path.parent.mkdir(parents=True)
        self.path.write_bytes(f"\ufeff  HOST:1\t{_ONE.lower().replace(':', '')[6:]} \r\n".encode())
        self.assertEqual(self.known.find("host:1"), Known(1, _ONE))

    def test_two_clients(self) -> None:
        """An entry saved meanwhile by another client counts, and is not written twice."""
        self.known.remember("host:1", _ONE)
        self.known.remember("host:1", _TWO)
        self.assertEqual(self.path.read_text(), f"host:1 {_ONE}\n")

    def test_unreadable(self) -> None:
        """A file that cannot be read ends the client with its name and the reason."""
        self.path.mkdir(parents=True)
        stop = self.assertRaises(ClientError, self.known.find, "host:1")
        self.assertIn(str(self.path), stop.text)
        self.assertIn("move it away", stop.text)

    def test_unwritable(self) -> None:
        """If the file cannot be written, the error says so and no partial file is left."""

        def no_space(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        self.known.remember("host:1", _ONE)
        self.patch(os, "fsync", no_space)
        stop = self.assertRaises(ClientError, self.known.remember, "host:2", _TWO)
        self.assertIn("No space left", stop.text)
        self.assertEqual(sorted(os.listdir(self.path.parent)), ["known_hosts", "known_hosts.lock"])
        self.assertIsNone(self.known.find("host:2"))
