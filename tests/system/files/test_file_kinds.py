"""Checks that a path is a regular file."""

import os
import socket
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from irchat.system.files.file_kinds import need_file, replaceable


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
