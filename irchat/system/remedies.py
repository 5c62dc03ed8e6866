"""The next step after an error of the file system or of SQLite, for error messages."""

import errno
import os
import sqlite3
import tempfile
from pathlib import Path

from argon2.exceptions import HashingError

_OF_FILES = {
    errno.EACCES: "give this user access to it",
    errno.EPERM: "give this user access to it",
    errno.ENOSPC: "make room on the disk",
    errno.EDQUOT: "make room on the disk, or ask for a larger quota",
    errno.EROFS: "move it to a writable disk",
    errno.EIO: "check the disk and the system log",
    errno.ENOENT: "create its folder first",
    errno.ENOTDIR: "a file has the name of one of its folders: move that file away",
    errno.EEXIST: "something else has that name: move it away",
    errno.EISDIR: "a folder has that name: move it away",
    errno.ENAMETOOLONG: "choose a shorter path",
    errno.ELOOP: "repair the symbolic links in its path",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.ENFILE: "close other programs: the system cannot open more files",
    errno.ENOMEM: "free some memory",
    errno.EFBIG: "raise the limit on file sizes (ulimit -f)",
}
_OF_DATABASES = {
    sqlite3.SQLITE_BUSY: "another program has opened it: close that one",
    sqlite3.SQLITE_LOCKED: "another program has opened it: close that one",
    sqlite3.SQLITE_FULL: "make room on the disk",
    sqlite3.SQLITE_CANTOPEN: "give this user access to it",
    sqlite3.SQLITE_PERM: "give this user access to it",
    sqlite3.SQLITE_READONLY: "give this user access to it, on a writable disk",
    sqlite3.SQLITE_NOMEM: "free some memory",
    sqlite3.SQLITE_IOERR: "check the disk and the system log",
}
SHORTAGE = "the system is out of threads or memory; raise TasksMax, ulimit -u or the memory limit (ulimit -v)"
_OF_DISKS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EMFILE, errno.ENFILE)
# More bytes than any file of an empty database has.
_PROBE_BYTES = 262_144


def is_shortage(error: BaseException) -> bool:
    """Return whether ``error`` means that the system cannot start a thread, or lacks the memory to hash a password."""
    return isinstance(error, HashingError) or (isinstance(error, OSError) and error.errno == errno.EAGAIN)


def mend_of_file(error: OSError) -> str:
    """Return the next step after ``error``, which concerns a file or folder."""
    return _OF_FILES.get(error.errno or 0, "check the system log")


def mend_of_database(
    error: sqlite3.Error, folder: Path, damaged: str = "restore a backup or choose another --data"
) -> str:
    """Return the next step after ``error`` of the database in ``folder``.

    ``damaged`` is the next step for a damaged database, or a file that is not one. SQLite sometimes reports a full disk
    as an I/O error, so this then tries to write to the folder.
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
