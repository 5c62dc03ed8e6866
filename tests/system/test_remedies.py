"""The next step after an error of the disk or the database."""

import errno
import os
import sqlite3
from pathlib import Path

from argon2.exceptions import HashingError
from twisted.trial.unittest import SynchronousTestCase

from irchat.system import remedies
from irchat.system.remedies import is_shortage, mend_of_database, mend_of_file


def _error(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("an error")
    error.sqlite_errorcode = code
    return error


class RemedyTests(SynchronousTestCase):
    """`mend_of_file`, `mend_of_database` and `is_shortage`."""

    def setUp(self) -> None:
        """Make a folder."""
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()

    def test_files(self) -> None:
        """A file error has its next step. For unknown ones it is the system log."""
        self.assertEqual(mend_of_file(OSError(errno.ENOSPC, "full")), "make room on the disk")
        for error in OSError(errno.EXDEV, "other"), OSError("without a number"):
            self.assertEqual(mend_of_file(error), "check the system log")

    def test_databases(self) -> None:
        """An SQLite error has its next step, also with an extended code. An unknown one counts as damage."""
        for code, part in (
            (sqlite3.SQLITE_BUSY, "another program"), (sqlite3.SQLITE_BUSY_SNAPSHOT, "another program"),
            (sqlite3.SQLITE_FULL, "make room"), (sqlite3.SQLITE_IOERR, "check the disk"),
            (sqlite3.SQLITE_NOTADB, "restore a backup"), (sqlite3.SQLITE_CORRUPT_INDEX, "restore a backup"),
        ):  # fmt: skip
            self.assertIn(part, mend_of_database(_error(code), self.folder), code)
        self.assertEqual(
            mend_of_database(sqlite3.DatabaseError("no code"), self.folder, "name another"), "name another"
        )

    def test_full_disk(self) -> None:
        """An I/O error on a full disk is reported as a full disk."""

        def fail(descriptor: int) -> None:
            raise OSError(errno.ENOSPC, "full")

        self.patch(os, "fsync", fail)
        for code in sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_CANTOPEN:
            mend = mend_of_database(_error(code), self.folder)
            self.assertEqual(mend, f"{os.strerror(errno.ENOSPC)}: make room on the disk")
        self.assertNotIn("room", mend_of_database(_error(sqlite3.SQLITE_BUSY), self.folder))

    def test_cannot_open(self) -> None:
        """A database that cannot be opened needs more descriptors if access is allowed, else a new owner."""
        may_be_opened = True
        self.patch(os, "access", lambda path, mode: may_be_opened)
        self.assertIn("ulimit -n", mend_of_database(_error(sqlite3.SQLITE_CANTOPEN), self.folder))
        may_be_opened = False
        self.assertEqual(mend_of_database(_error(sqlite3.SQLITE_CANTOPEN), self.folder), "give this user access to it")

    def test_probe(self) -> None:
        """The probe of the disk leaves no file, and a missing folder is not taken for a full disk."""
        mend_of_database(_error(sqlite3.SQLITE_IOERR), self.folder)
        self.assertEqual(list(self.folder.iterdir()), [])
        self.assertIn("check the disk", mend_of_database(_error(sqlite3.SQLITE_IOERR), self.folder / "none"))

    def test_shortage(self) -> None:
        """A lack of threads or of memory for hashing is a shortage, and its text names the limits."""
        shortages = BlockingIOError(errno.EAGAIN, "no thread"), HashingError("no memory")
        others = OSError(errno.ENOSPC, "full"), ValueError("x")
        self.assertEqual([is_shortage(error) for error in (*shortages, *others)], [True, True, False, False])
        self.assertIn("TasksMax", remedies.SHORTAGE)
