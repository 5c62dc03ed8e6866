"""Files that are named in options: what stands at the path, and the content of a small one."""

import os
import socket
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from irchat.system.files.named_files import TooLong, need_file, read_small_file, replaceable


class FileKindTests(SynchronousTestCase):
    """`need_file` and `replaceable`."""

    def setUp(self) -> None:
        """Make a folder with a file, and choose a path for a link."""
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.file = self.folder / "file"
        self.file.write_text("text")
        self.link = self.folder / "link"

    def _refused(self, path: Path, **options: bool) -> str:
        error = self.assertRaises(OSError, need_file, path, **options)
        self.assertEqual(error.filename, str(path))
        return error.strerror or ""

    def test_kinds(self) -> None:
        """Anything but a regular file is named by its kind, also behind a link. A regular file passes."""
        need_file(self.file)
        (self.folder / "folder").mkdir()
        os.mkfifo(self.folder / "pipe")
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(os.path.relpath(self.folder / "socket"))
        for kind in "folder", "pipe", "socket":
            self.link.symlink_to(kind)
            for path in self.folder / kind, self.link:
                for devices in False, True:
                    self.assertEqual(self._refused(path, devices=devices), f"It is a {kind}, not a file")
            self.link.unlink()

    def test_devices(self) -> None:
        """/dev/null passes if devices are allowed, and otherwise is refused."""
        need_file(Path(os.devnull), devices=True)
        self.assertEqual(self._refused(Path(os.devnull)), "It is a device, not a file")

    def test_links(self) -> None:
        """A dangling link, a loop of links and a missing file have different errors."""
        for target, reason in ("none", "The link leads nowhere"), ("link", "Too many levels of symbolic links"):
            self.link.symlink_to(target)
            self.assertEqual(self._refused(self.link), reason)
            self.link.unlink()
        self.assertRaises(FileNotFoundError, need_file, self.link)

    def test_replaceable(self) -> None:
        """The target of a link is returned. It may be missing, but anything but a regular file is refused."""
        self.assertEqual(replaceable(self.folder / "new"), self.folder / "new")
        self.link.symlink_to("new")
        self.assertEqual(replaceable(self.link), self.folder / "new")
        (self.folder / "new").mkdir()
        self.assertRaises(FileExistsError, replaceable, self.link)
        self.assertRaises(FileExistsError, replaceable, Path(os.devnull))


class SmallFileTests(SynchronousTestCase):
    """`read_small_file`."""

    def setUp(self) -> None:
        """Choose a path."""
        self.path = Path(self.mktemp())

    def test_size(self) -> None:
        """A file of 1 MiB is read whole, a larger one is refused with its limit."""
        self.path.write_bytes(b"x" * 1_048_576)
        self.assertEqual(len(read_small_file(self.path)), 1_048_576)
        self.path.write_bytes(b"x" * 1_048_577)
        self.assertIn("1,048,576 bytes", str(self.assertRaises(TooLong, read_small_file, self.path)))

    def test_endless(self) -> None:
        """No pipe is waited for, and a device that never ends is too long."""
        os.mkfifo(self.path)
        self.assertRaises(FileExistsError, read_small_file, self.path)
        self.assertRaises(TooLong, read_small_file, Path("/dev/zero"))

    def test_nothing(self) -> None:
        """An empty device is an empty file; a file that is not there is an error."""
        self.assertEqual(read_small_file(Path(os.devnull)), b"")
        self.assertRaises(FileNotFoundError, read_small_file, self.path)

    def test_secret(self) -> None:
        """A secret file is refused, with the command to run, while others may read it."""
        self.path.write_bytes(b"key")
        for mode in 0o640, 0o604, 0o660, 0o602:
            self.path.chmod(mode)
            self.assertIn("chmod 600", str(self.assertRaises(PermissionError, read_small_file, self.path, secret=True)))
            read_small_file(self.path)
        for mode in 0o600, 0o400:
            self.path.chmod(mode)
            self.assertEqual(read_small_file(self.path, secret=True), b"key")
