"""The seal of what crosses the bus."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from irchat.cluster.sealing import Seal, WrongBusKey, new_key_file, read_key_file


class KeyTests(SynchronousTestCase):
    """The file of the key."""

    def setUp(self) -> None:
        """Choose a file."""
        self.path = Path(self.mktemp())

    def test_new(self) -> None:
        """A new key is only for its owner, and never written over a file."""
        new_key_file(self.path)
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)
        key = read_key_file(self.path)
        self.assertEqual(len(key), 32)
        self.assertIn("choose another name", str(self.assertRaises(WrongBusKey, new_key_file, self.path)))
        self.assertEqual(read_key_file(self.path), key)
        self.assertIn("choose a file", str(self.assertRaises(WrongBusKey, new_key_file, self.path / "no")))

    def test_unusable(self) -> None:
        """A missing, short, long or open file is refused in one line with the next step."""
        for data, mode, step in (
            (None, 0, "irchat-admin bus-key"),
            (b"x" * 31, 0o600, "irchat-admin bus-key"),
            (b"x" * 2_000_000, 0o600, "irchat-admin bus-key"),
            (b"x" * 32, 0o640, "chmod 600"),
            (b"x" * 32, 0o604, "chmod 600"),
        ):
            if data is not None:
                self.path.write_bytes(data)
                self.path.chmod(mode)
            text = str(self.assertRaises(WrongBusKey, read_key_file, self.path))
            self.assertTrue(step in text and str(self.path) in text and "\n" not in text, text)


class SealTests(SynchronousTestCase):
    """The seal."""

    def test_open(self) -> None:
        """A sealed message shows nothing, differs each time, and opens only with the same key and channel."""
        seal = Seal(bytes(32), b"irchat")
        sealed = seal.seal(b"boom" * 5)
        self.assertNotIn(b"boom", sealed)
        self.assertNotEqual(sealed, seal.seal(b"boom" * 5))
        self.assertEqual(seal.open(sealed), b"boom" * 5)
        self.assertIsNone(Seal(bytes(31) + b"1", b"irchat").open(sealed))
        self.assertIsNone(Seal(bytes(32), b"other").open(sealed))
        for damaged in b"", b"x", sealed[:12], sealed[:-1], sealed[:-1] + bytes([sealed[-1] ^ 1]):
            self.assertIsNone(seal.open(damaged))
