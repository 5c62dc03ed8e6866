"""Small files shared by several clients."""

import os
import stat
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from irchat.client.connect import shared_files

_ADD = """
import sys
from pathlib import Path
from irchat.client.connect import shared_files
shared_files.change(Path(sys.argv[1]), lambda text: text + sys.argv[2] + "\\n")
"""


class FilesTests(SynchronousTestCase):
    """Nothing is lost, whoever else writes and whatever the path is."""

    def setUp(self) -> None:
        """Choose a file in a folder that does not exist yet."""
        self.folder = Path(self.mktemp()).absolute()
        self.path = self.folder / "file"

    def test_together(self) -> None:
        """If many processes each add a line at once, every line stays."""
        processes = [
            subprocess.Popen([sys.executable, "-c", _ADD, str(self.path), str(number)], cwd=Path(__file__).parents[3])
            for number in range(8)
        ]
        self.assertEqual([process.wait() for process in processes], [0] * len(processes))
        self.assertEqual(sorted(shared_files.read(self.path).split()), [str(number) for number in range(8)])

    def test_waits_for_the_lock(self) -> None:
        """The file is read under the lock, not before it."""
        self.folder.mkdir()
        taken: list[int] = []

        def flock(lock: int, how: int) -> None:
            taken.append(how)
            self.path.write_text("another client's\n")

        self.patch(shared_files.fcntl, "flock", flock)
        shared_files.change(self.path, lambda text: text + "ours\n")
        self.assertEqual((self.path.read_text(), taken), ("another client's\nours\n", [shared_files.fcntl.LOCK_EX]))

    def test_other_encodings(self) -> None:
        """A file that an editor has saved as UTF-16 or UTF-32 is neither read as something else nor changed."""
        self.folder.mkdir()
        for encoding in "utf-16", "utf-16-le", "utf-16-be", "utf-32":
            data = "localhost:7667 sha256:AB\n".encode(encoding)
            self.path.write_bytes(data)
            error = self.assertRaises(OSError, shared_files.read, self.path)
            self.assertIn("UTF-8", error.strerror)
            self.assertRaises(OSError, shared_files.change, self.path, lambda text: text + "more\n")
            self.assertEqual(self.path.read_bytes(), data)

    def test_symbolic_link(self) -> None:
        """A symbolic link stays, even to another link or a missing file, and its target is replaced."""
        self.folder.mkdir()
        (self.folder / "second").symlink_to("dotfiles/file")
        self.path.symlink_to("second")
        for text in "one\n", "one\none\n":
            shared_files.change(self.path, lambda before: before + "one\n")
            self.assertTrue(self.path.is_symlink() and (self.folder / "second").is_symlink())
            self.assertEqual((self.folder / "dotfiles" / "file").read_text(), text)
        self.assertEqual(stat.S_IMODE((self.folder / "dotfiles" / "file").stat().st_mode), 0o600)

    def test_mode(self) -> None:
        """A file readable by others is private after a change."""
        self.folder.mkdir()
        self.path.write_text("")
        self.path.chmod(0o666)
        shared_files.change(self.path, lambda text: text + "x")
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)

    def test_odd_bytes(self) -> None:
        """Bytes that are not UTF-8 and other line ends stay unchanged."""
        self.folder.mkdir()
        self.path.write_bytes(b"caf\xe9\r\n\x00\n")
        shared_files.change(self.path, lambda text: text + "x")
        self.assertEqual(self.path.read_bytes(), b"caf\xe9\r\n\x00\nx")

    def test_nothing_to_change(self) -> None:
        """The file is not written if nothing changes."""
        shared_files.change(self.path, lambda text: text)
        self.assertFalse(self.path.exists())

    def test_failure(self) -> None:
        """With a full disk, a folder as path or a link loop, nothing changes and no file is left behind."""

        def no_space(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        shared_files.change(self.path, lambda text: "before")
        (self.folder / "folder").mkdir()
        (self.folder / "loop").symlink_to("loop")
        for name in "folder", "loop":
            self.assertRaises(OSError, shared_files.change, self.folder / name, lambda text: "x")
        self.patch(os, "fsync", no_space)
        self.assertRaises(OSError, shared_files.change, self.path, lambda text: "x")
        self.assertEqual(self.path.read_text(), "before")
        self.assertEqual([name for name in os.listdir(self.folder) if not name.endswith(".lock")],
                         [name for name in os.listdir(self.folder) if name in ("file", "folder", "loop")])  # fmt: skip

    def test_pipe(self) -> None:
        """A pipe, also one behind a link, is neither waited for nor replaced."""
        self.folder.mkdir()
        os.mkfifo(self.path)
        link = self.folder / "link"
        link.symlink_to("file")
        for path in self.path, link:
            self.assertRaises(FileExistsError, shared_files.change, path, lambda text: "x")
        self.assertTrue(stat.S_ISFIFO(self.path.lstat().st_mode) and link.is_symlink())

    def test_no_locks(self) -> None:
        """On a file system without locks the client continues without one."""

        def none(lock: int, how: int) -> None:
            raise OSError(37, "No locks available")

        self.patch(shared_files.fcntl, "flock", none)
        shared_files.change(self.path, lambda text: "x")
        self.assertEqual(self.path.read_text(), "x")
