"""Files that options name."""

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from irchat.system.files.small_files import TooLong, read_small_file


class SmallFileTests(SynchronousTestCase):
    """`read_small_file`."""

    def setUp(self) -> None:
        """Choose a path."""
        self.path = Path(self.mktemp())

    def test_size(self) -> None:
        """A file of 1 MiB is read whole. A larger one is refused with the limit."""
        self.path.write_bytes(b"x" * 1_048_576)
        self.assertEqual(len(read_small_file(self.path)), 1_048_576)
        self.path.write_bytes(b"x" * 1_048_577)
        self.assertIn("1,048,576 bytes", str(self.assertRaises(TooLong, read_small_file, self.path)))

    def test_endless(self) -> None:
        """A pipe is refused without waiting, and a device without an end is too long."""
        os.mkfifo(self.path)
        self.assertRaises(FileExistsError, read_small_file, self.path)
        self.assertRaises(TooLong, read_small_file, Path("/dev/zero"))

    def test_nothing(self) -> None:
        """An empty device reads as an empty file. A missing file is an error."""
        self.assertEqual(read_small_file(Path(os.devnull)), b"")
        self.assertRaises(FileNotFoundError, read_small_file, self.path)
