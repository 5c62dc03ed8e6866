"""Tests of `irchat.system.files.atomic_files`. Kills and copies of databases are tested in tests/store/sqlite."""

import errno
import os
import stat
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from irchat.system.files import atomic_files
from irchat.system.files.atomic_files import part_of, replace_file, sync_folder


class ReplaceFileTests(SynchronousTestCase):
    """`replace_file`."""

    def setUp(self) -> None:
        """Make a folder."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.path = self.folder / "file"

    def _names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    def test_replaced(self) -> None:
        """The new content and mode replace the old file, and no other file is left."""
        self.path.write_bytes(b"old")
        self.path.chmod(0o644)
        replace_file(self.path, b"new")
        self.assertEqual((self.path.read_bytes(), stat.S_IMODE(self.path.stat().st_mode)), (b"new", 0o600))
        replace_file(self.path, b"newer", 0o400)
        self.assertEqual((self.path.read_bytes(), stat.S_IMODE(self.path.stat().st_mode)), (b"newer", 0o400))
        self.assertEqual(self._names(), ["file"])

    def test_full_disk(self) -> None:
        """If the disk is full, the old file stays and no part of the new one does."""

        def full(descriptor: int) -> None:
            raise OSError(errno.ENOSPC, "full")

        self.path.write_bytes(b"old")
        self.patch(os, "fsync", full)
        self.assertRaises(OSError, replace_file, self.path, b"new")
        self.assertEqual((self.path.read_bytes(), self._names()), (b"old", ["file"]))

    def test_order(self) -> None:
        """The content is synced before the rename, and the folder after it."""
        done: list[str] = []
        replace = Path.replace

        def sync(descriptor: int) -> None:
            done.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")

        def rename(path: Path, target: Path) -> Path:
            done.append("rename")
            return replace(path, target)

        self.patch(os, "fsync", sync)
        self.patch(Path, "replace", rename)
        replace_file(self.path, b"new")
        self.assertEqual(done, ["file", "rename", "folder"])

    def test_parts_left(self) -> None:
        """A part left by a killed process is deleted. A part in use and other files stay."""
        for name in "file.0123.part", "file.part", "other.0123.part":
            (self.folder / name).write_text("half")
        with part_of(self.path) as (working, _):
            replace_file(self.path, b"new")
            self.assertEqual(self._names(), ["file", working.name, "other.0123.part"])
        self.assertEqual(self._names(), ["file", "other.0123.part"])

    def test_no_locks(self) -> None:
        """On a file system without locks the file is still replaced."""

        def no_locks(descriptor: int, operation: int) -> None:
            raise OSError(errno.ENOLCK, "no locks")

        self.patch(atomic_files, "flock", no_locks)
        replace_file(self.path, b"new")
        self.assertEqual(self._names(), ["file"])

    def test_folder_that_cannot_be_synced(self) -> None:
        """A file system that cannot sync folders is not an error. A disk that fails is."""
        for number, fails in (errno.EINVAL, False), (errno.EIO, True):

            def refuse(descriptor: int, number: int = number) -> None:
                raise OSError(number, "refused")

            self.patch(os, "fsync", refuse)
            if fails:
                self.assertRaises(OSError, sync_folder, self.folder)
            else:
                sync_folder(self.folder)
