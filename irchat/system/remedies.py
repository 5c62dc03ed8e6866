"""The next step after an error of the file system or of SQLite, for error messages."""

import errno
import os
import sqlite3
import tempfile
from pathlib import Path

from argon2.exceptions import HashingError

_OF_FILES = {
    errno.EACCES: "give it to this user",
    errno.EPERM: "give it to this user",
    errno.ENOSPC: "make room on the disk",
    errno.EDQUOT: "make room on the disk, or have the quota raised",
    errno.EROFS: "it needs a disk that can be written",
    errno.EIO: "look at the disk and the log of the system",
    errno.ENOENT: "make the folder that it is in first",
    errno.ENOTDIR: "a file has the name of a folder: move it away",
    errno.EEXIST: "something else has that name: move it away",
    errno.EISDIR: "a folder has that name: move it away",
    errno.ENAMETOOLONG: "choose a shorter path",
    errno.ELOOP: "mend the symbolic links on the way",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.ENFILE: "close other programs: the system has no open files left",
    errno.ENOMEM: "free some memory",
    errno.EFBIG: "raise the limit of the size of files (ulimit -f)",
}
_OF_DATABASES = {
    sqlite3.SQLITE_BUSY: "another program has opened it: close that one",
    sqlite3.SQLITE_LOCKED: "another program has opened it: close that one",
    sqlite3.SQLITE_FULL: "make room on the disk",
    sqlite3.SQLITE_CANTOPEN: "give it to this user",
    sqlite3.SQLITE_PERM: "give it to this user",
    sqlite3.SQLITE_READONLY: "give it to this user, on a disk that can be written",
    sqlite3.SQLITE_NOMEM: "free some memory",
    sqlite3.SQLITE_IOERR: "look at the disk and the log of the system",
}
SHORTAGE = "the system gives no thread or no memory; raise TasksMax, ulimit -u or the limit on memory (ulimit -v)"
_OF_DISKS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EMFILE, errno.ENFILE)
# More than any file of an empty database holds.
_PROBE_BYTES = 262_144


def is_shortage(error: BaseException) -> bool:
    """Return whether ``error`` says that the system has no thread, or no memory to hash a password."""
    return isinstance(error, HashingError) or (isinstance(error, OSError) and error.errno == errno.EAGAIN)


def mend_of_file(error: OSError) -> str:
    """Return the next step after ``error``."""
    return _OF_FILES.get(error.errno or 0, "look at the log of the system")


def mend_of_database(
    error: sqlite3.Error, folder: Path, damaged: str = "restore a backup or choose another --data"
) -> str:
    """Return the next step after ``error`` of the database in ``folder``; ``damaged`` is the one if it is no database.

    SQLite sometimes reports a full disk as an I/O error, so the free space is checked after one.
    """
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
    refused = _why_not_written(folder) if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN) else None
    if refused is not None and refused.errno in _OF_DISKS:
        return f"{os.strerror(refused.errno)}: {mend_of_file(refused)}"
    if code == sqlite3.SQLITE_CANTOPEN and _may_be_opened(folder):
        return _OF_FILES[errno.EMFILE]
    return _OF_DATABASES.get(code, damaged)


def _may_be_opened(folder: Path) -> bool:
    """Return whether this user may use ``folder`` and every file in it."""
    return os.access(folder, os.R_OK | os.W_OK | os.X_OK) and all(
        os.access(path, os.R_OK | os.W_OK) for path in folder.iterdir()
    )


def _why_not_written(folder: Path) -> OSError | None:
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(_PROBE_BYTES))
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        return error
    return None
