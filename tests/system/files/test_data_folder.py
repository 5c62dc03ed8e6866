"""The data folder: one process at a time uses it, and a check writes nothing."""

import errno
import os
import stat
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from irchat.system.files import data_folder
from irchat.system.files.data_folder import DATABASE_FILE, DataFolder, FolderInUse, UnsafeFolder, default_data_folder


class DataFolderTests(SynchronousTestCase):
    """`DataFolder`."""

    def setUp(self) -> None:
        """Choose a path where no folder exists yet."""
        self.place = Path(self.mktemp())
        self.path = self.place / "data" / "irchat"
        self.folder = DataFolder(self.path)
        self.addCleanup(self.folder.release)

    def test_default(self) -> None:
        """The default is a folder named ``irchat``."""
        self.assertEqual(default_data_folder().name, "irchat")

    def test_database(self) -> None:
        """The database is a file in the folder."""
        self.assertEqual(self.folder.database, self.path / DATABASE_FILE)

    def test_made(self) -> None:
        """The folder, its lock and its database are created with access for their owner only."""
        self.folder.acquire()
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o700)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in self.path.iterdir()}
        self.assertEqual(modes, {"lock": 0o600, DATABASE_FILE: 0o600})

    def test_one_at_a_time(self) -> None:
        """While one process holds the folder, others are refused. After a release, or two, they can take it."""
        self.folder.acquire()
        other = DataFolder(self.path)
        self.assertRaises(FolderInUse, other.acquire)
        self.assertRaises(FolderInUse, other.check)
        self.folder.release()
        self.folder.release()
        other.check()
        other.acquire()
        self.assertRaises(FolderInUse, self.folder.acquire)
        other.release()
        self.folder.acquire()

    def test_lock_deleted(self) -> None:
        """Deleting the lock file lets no second process in, and a release still frees the folder."""
        self.folder.acquire()
        (self.path / "lock").unlink()
        other = DataFolder(self.path)
        for call in other.check, other.acquire, other.check:
            self.assertRaises(FolderInUse, call)
        self.folder.release()
        other.acquire()
        self.addCleanup(other.release)
        self.assertRaises(FolderInUse, self.folder.acquire)

    def test_no_locks_for_folders(self) -> None:
        """On a file system without locks for folders, the file is the lock."""
        real = data_folder.fcntl.flock

        def flock(descriptor: int, how: int) -> None:
            if stat.S_ISDIR(os.fstat(descriptor).st_mode):
                raise OSError(errno.EBADF, "no")
            real(descriptor, how)

        self.patch(data_folder.fcntl, "flock", flock)
        self.folder.acquire()
        self.assertRaises(FolderInUse, DataFolder(self.path).acquire)

    def test_others_can_write(self) -> None:
        """An existing folder is refused if others can write to it. The error names the command that fixes it."""
        self.path.mkdir(parents=True)
        for mode in 0o777, 0o770, 0o702, 0o1777, 0o720:
            self.path.chmod(mode)
            for call in self.folder.check, self.folder.acquire:
                line = str(self.assertRaises(UnsafeFolder, call))
                self.assertIn(f"(its mode is {mode:04o}): run chmod 700 {self.path}, or", line)
        self.assertEqual(list(self.path.iterdir()), [])
        self.path.chmod(0o755)
        self.folder.check()
        self.folder.acquire()

    def test_no_files(self) -> None:
        """A folder or a pipe in place of a file is named."""
        self.path.mkdir(mode=0o700, parents=True)
        for name in "lock", DATABASE_FILE, f"{DATABASE_FILE}-wal", f"{DATABASE_FILE}-shm":
            for make in os.mkdir, os.mkfifo:
                path = self.path / name
                make(path)
                for call in self.folder.check, self.folder.acquire:
                    self.assertEqual(self.assertRaises(OSError, call).filename, str(path))
                path.rmdir() if path.is_dir() else path.unlink()

    def test_links(self) -> None:
        """A dangling or circular link is named. A path that is not UTF-8 works."""
        self.place.mkdir()
        link = self.place / "link"
        for target in "nowhere", "link":
            link.symlink_to(target)
            for path in link, link / "data":
                self.assertEqual(self.assertRaises(OSError, DataFolder(path).check).filename, str(link))
            link.unlink()
        odd = DataFolder(Path(os.fsdecode(os.fsencode(self.place) + b"/\xff")))
        odd.check()
        odd.acquire()
        odd.release()

    def test_check_writes_nothing(self) -> None:
        """A check writes nothing, for a missing folder and for a complete one, and takes no lock."""
        self.place.mkdir()
        self.folder.check()
        self.assertEqual(list(self.place.iterdir()), [])
        self.folder.acquire()
        self.folder.release()
        before = [(path, path.stat().st_mtime_ns) for path in self.path.iterdir()]
        self.folder.check()
        self.assertEqual([(path, path.stat().st_mtime_ns) for path in self.path.iterdir()], before)
        DataFolder(self.path).acquire()

    def test_no_folder(self) -> None:
        """A file in place of the folder is refused."""
        self.place.write_text("a file")
        for path in self.place, self.path:
            self.assertRaises(NotADirectoryError, DataFolder(path).check)
            self.assertRaises(OSError, DataFolder(path).acquire)

    def test_not_writable(self) -> None:
        """A folder that cannot be written is refused."""
        self.place.mkdir()
        self.patch(data_folder.os, "access", lambda path, mode: path != self.place)
        self.assertRaises(PermissionError, self.folder.check)

    def test_lock_of_a_dead_process(self) -> None:
        """A lock file that no process has locked does not keep anyone out."""
        self.path.mkdir(parents=True)
        (self.path / "lock").touch()
        self.folder.check()
        self.folder.acquire()

    def test_no_descriptor_is_left(self) -> None:
        """A refused attempt leaves no file open."""
        self.folder.acquire()
        before = len(os.listdir("/proc/self/fd"))
        for call in DataFolder(self.path).acquire, DataFolder(self.path).check:
            self.assertRaises(FolderInUse, call)
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)

    if not os.path.isdir("/proc/self/fd"):
        test_no_descriptor_is_left.skip = "needs Linux"
