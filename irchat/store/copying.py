"""Copies of the database: made while it is in use, and verified before they get their name."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Progress = Callable[[int, int], None]
"""Called with how many pages of the database are copied, and how many there are."""

# Pages for each step. Between steps others get at the disk, and the progress is told.
_STEP_PAGES = 256
_PART = ".part"
_BUSY_SECONDS = 10.0


class BadCopy(sqlite3.DatabaseError):
    """A file is no sound database of IRChat; the text says why."""


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to the database in ``path``, which is not made where it is missing. Raises sqlite3.Error."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", timeout=_BUSY_SECONDS, uri=True, isolation_level=None
    )
    try:
        yield connection
    finally:
        connection.close()


def copy_database(
    source: sqlite3.Connection, path: Path, progress: Progress | None = None, *, verified: bool = True
) -> None:
    """Copy what ``source`` holds at this moment to the file ``path``, in place of what is there.

    The copy is written beside, ``verified``, brought to the disk, and then renamed. ``source`` reads one state of the
    database from beginning to end, so that commits of other connections go on and do not make the copy begin anew.
    Raises sqlite3.Error, OSError or BadCopy.
    """
    part = path.with_name(path.name + _PART)
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        _copy(source, part, progress, verified)
        descriptor = os.open(part, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Bring the names in a folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def version_of(connection: sqlite3.Connection) -> int:
    """The version of a database, 0 for a new one. Raises sqlite3.Error."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def verify(connection: sqlite3.Connection, newest: int) -> int:
    """See that a database is sound and of this program, ``newest`` its latest version; gives the version.

    Raises BadCopy, or sqlite3.Error where it cannot be read at all.
    """
    found: str = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        raise BadCopy(f"it is damaged: {' '.join(found.split())}")
    version = version_of(connection)
    tables = connection.execute("SELECT count(*) FROM sqlite_schema WHERE name IN ('users', 'chats', 'messages')")
    if version < 1 or tables.fetchone()[0] != 3:
        raise BadCopy("it is no database of IRChat")
    if version > newest:
        raise BadCopy(f"it has version {version} and this IRChat knows {newest} at most; use the newer IRChat")
    return version


def empty_journal(path: Path) -> None:
    """Bring all of the database's journal into its file. Raises sqlite3.Error, as for one that is damaged."""
    with opened(path) as connection:
        if connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            raise sqlite3.OperationalError("somebody else uses the database")


def _copy(source: sqlite3.Connection, part: Path, progress: Progress | None, verified: bool) -> None:
    target = sqlite3.connect(part, isolation_level=None)
    began = not source.in_transaction
    try:
        if began:
            source.execute("BEGIN")
        version = version_of(source)
        source.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # from here on the state is the same
        source.backup(
            target,
            pages=_STEP_PAGES,
            progress=None if progress is None else lambda _, left, of: progress(of - left, of),
        )
        # One file, which can be opened where nothing can be written.
        target.execute("PRAGMA journal_mode = DELETE")
        if verified:
            verify(target, version)
    finally:
        target.close()
        if began and source.in_transaction:
            source.execute("ROLLBACK")
