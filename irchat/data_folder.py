"""The data folder: what is in it, and the lock by which one process at a time has it."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from platformdirs import user_data_dir

DATABASE_FILE = "irchat.sqlite"
_LOCK_FILE = "lock"


class FolderInUse(Exception):
    """Another process has the folder."""


def default_data_folder() -> Path:
    """Where data lives when nothing else is said."""
    return Path(user_data_dir("irchat"))


class DataFolder:
    """A data folder that is ours until `release` or the end of the process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None

    @property
    def database(self) -> Path:
        """The file of the database."""
        return self.path / DATABASE_FILE

    def check(self) -> None:
        """See that the folder could be had, writing nothing. Raises OSError or FolderInUse."""
        existing = next(folder for folder in (self.path, *self.path.parents) if folder.exists())
        if not existing.is_dir():
            raise NotADirectoryError(f"{existing} is not a folder")
        if not os.access(existing, os.W_OK | os.X_OK):
            raise PermissionError(f"{existing} cannot be written")
        if (self.path / _LOCK_FILE).exists():
            descriptor = os.open(self.path / _LOCK_FILE, os.O_RDONLY)
            try:
                _lock(descriptor)
            finally:
                os.close(descriptor)

    def acquire(self) -> None:
        """Make the folder (mode 0700) where it is missing, and have it. Raises OSError or FolderInUse."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = _open_or_make(self.path / _LOCK_FILE)
        try:
            _lock(self._lock)
        except FolderInUse:
            self.release()
            raise
        self._keep_database_to_us()

    def _keep_database_to_us(self) -> None:
        """SQLite would let all read a database that it makes; its other files get the mode of the database."""
        descriptor = _open_or_make(self.database)
        with suppress(PermissionError):  # of a file that is another's, who lets us use it
            os.fchmod(descriptor, 0o600)
        os.close(descriptor)

    def release(self) -> None:
        """Let others have it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _lock(descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise FolderInUse("another IRChat server uses it") from None


def give_to_owner(descriptor: int, folder: Path) -> None:
    """Give a file that this process made to whom the ``folder`` belongs: root works for that user. Raises OSError."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _open_or_make(path: Path) -> int:
    """Open a file of the folder, made for the folder's owner where it is missing. What is made is no link's target."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return os.open(path, os.O_RDWR)
    give_to_owner(descriptor, path.parent)
    return descriptor
