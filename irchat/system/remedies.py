"""The next step after a failure of the file system or of SQLite, as error lines name it."""

import errno
import os
import sqlite3
import tempfile
from pathlib import Path

_OF_FILES = {
    errno.EACCES: "give it to this user",
    errno.EPERM: "give it to this user",
    errno.ENOSPC: "make room on the disk",
    errno.EDQUOT: "make room on the disk, or have the quota raised",
    errno.EROFS: "it needs a disk that can be written",
    errno.EIO: "look at the disk and the log of the system",
    errno.ENOENT: "make the folder that it is in first",
    errno.ENOTDIR: "a part of the path is not a folder",
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
_OF_DISKS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EMFILE, errno.ENFILE)
# SQLite makes a file of this size beside the database.
_PROBE_BYTES = 65_536


def mend_of_file(error: OSError) -> str:
    """Return the next step after ``error``."""
    return _OF_FILES.get(error.errno or 0, "look at the log of the system")


def mend_of_database(error: sqlite3.Error, folder: Path) -> str:
    """Return the next step after ``error`` of the database in ``folder``.

    SQLite calls a full disk an I/O error in some places, so after one the disk itself is asked.
    """
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
    refused = _why_not_written(folder) if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN) else None
    if refused is not None and refused.errno in _OF_DISKS:
        return f"{os.strerror(refused.errno)}: {mend_of_file(refused)}"
    return _OF_DATABASES.get(code, "restore a backup or choose another --data")


def _why_not_written(folder: Path) -> OSError | None:
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(_PROBE_BYTES))
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        return error
    return None
