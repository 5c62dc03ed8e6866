"""The data folder: its checks, and the lock that lets one process at a time use it."""

import errno
import fcntl
import os
import shlex
import stat
from contextlib import suppress
from pathlib import Path

from platformdirs import user_data_dir

from irchat.system.files.named_files import need_file, need_no_dead_link

DATABASE_FILE = "irchat.sqlite"
NODE_FILE = "node"
"""The file with the name of the node that uses the folder. Its data is in PostgreSQL, and not in the folder."""

_LOCK_FILE = "lock"
# Refuse a link in place of a file, and do not wait for the other end of a pipe.
_NO_LINK = os.O_NOFOLLOW | os.O_NONBLOCK
# The errors of a file system that cannot lock folders, such as a network file system. There, only the file ``lock`` in
# the folder is locked.
_NO_FOLDER_LOCKS = {errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP}


class FolderInUse(Exception):
    """Another process uses the folder."""


class UnsafeFolder(Exception):
    """Other users can write into the folder. The text is one line with the reason and the next step."""


def default_data_folder() -> Path:
    """Return the data folder of a server without the option --data."""
    return Path(user_data_dir("irchat"))


def nearest_folder(path: Path) -> Path:
    """Return ``path`` or its nearest parent that exists. Raises OSError if what exists is not a folder."""
    existing = next(folder for folder in (path, *path.parents) if os.path.lexists(folder))
    need_no_dead_link(existing)
    if not existing.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "It is not a folder", str(existing))
    return existing


class DataFolder:
    """A data folder. `acquire` locks it against other processes until `release` or the end of this process.

    Both the folder and the file ``lock`` in it are locked, so deleting the file does not let a second process in.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._locks: list[int] = []

    @property
    def database(self) -> Path:
        """The file of the database."""
        return self.path / DATABASE_FILE

    def check(self) -> None:
        """Check that the folder can be acquired. Write nothing. Raises OSError, UnsafeFolder or FolderInUse."""
        existing = nearest_folder(self.path)
        if os.statvfs(existing).f_flag & os.ST_RDONLY:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(existing))
        if not os.access(existing, os.W_OK | os.X_OK):
            raise PermissionError(f"{existing} cannot be written")
        if existing != self.path:
            return
        self._refuse_unusable()
        try:
            with suppress(FileNotFoundError):  # no server has used it yet
                self._lock(make=False)
        finally:
            self.release()

    def acquire(self) -> None:
        """Lock the folder. Create it (mode 0700) if it is missing. Raises OSError, UnsafeFolder or FolderInUse."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._refuse_unusable()
        try:
            self._lock(make=True)
            self._keep_database_to_us()
        except BaseException:
            self.release()
            raise

    def _refuse_unusable(self) -> None:
        """Raise UnsafeFolder, or OSError if something other than a file has the name of one of our files.

        SQLite would report a folder with the name of its file as an I/O error, and read a pipe forever.
        """
        _refuse_unsafe(self.path)
        for name in (_LOCK_FILE, *(DATABASE_FILE + suffix for suffix in ("", "-wal", "-shm"))):
            path = self.path / name
            if os.path.lexists(path):
                need_file(path)

    def _lock(self, *, make: bool) -> None:
        self._locks.append(os.open(self.path, os.O_RDONLY | os.O_DIRECTORY))
        try:
            _lock(self._locks[-1])
        except OSError as error:
            if error.errno not in _NO_FOLDER_LOCKS:
                raise
        lock = self.path / _LOCK_FILE
        self._locks.append(_open_or_make(lock, _NO_LINK) if make else os.open(lock, os.O_RDONLY | _NO_LINK))
        _lock(self._locks[-1])

    def _keep_database_to_us(self) -> None:
        """Give the database mode 0600, and create it if it is missing: SQLite would let all users read it.

        SQLite gives its other files the same mode.
        """
        descriptor = _open_or_make(self.database)
        with suppress(PermissionError):  # it belongs to another user, who lets us use it
            os.fchmod(descriptor, 0o600)
        os.close(descriptor)

    def release(self) -> None:
        """Unlock the folder."""
        while self._locks:
            os.close(self._locks.pop())


def _refuse_unsafe(path: Path) -> None:
    """Raise UnsafeFolder if others can write into ``path``: they could replace the database and read the key."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o022:
        raise UnsafeFolder(
            f"others can write into the data folder {path} (its mode is {mode:04o}): "
            f"run chmod 700 {shlex.quote(str(path))}, or let the server create a folder in it: --data {path / 'irchat'}"
        )


def _lock(descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise FolderInUse("another server or irchat-admin has locked it") from None


def give_to_owner(descriptor: int, folder: Path) -> None:
    """Give a file that this process created to the owner of ``folder``, if this process is root. Raises OSError."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _open_or_make(path: Path, flags: int = 0) -> int:
    """Open a file of the folder to read and write. If it is missing, create it for the owner of the folder."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return os.open(path, os.O_RDWR | flags)
    give_to_owner(descriptor, path.parent)
    return descriptor
