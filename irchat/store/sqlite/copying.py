"""Copies of the database: made while it is in use, and verified before they get their name."""

import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

from irchat.system.data_folder import give_to_owner

Progress = Callable[[int, int], None]
"""Called with how many pages of the database are copied, and how many there are."""

# Pages for each step. Between steps others get at the disk, and the progress is told.
_STEP_PAGES = 256
_PART = ".part"
_BUSY_SECONDS = 10.0
# What SQLite may leave beside a database.
_BESIDE = ("-journal", "-wal", "-shm")


class BadCopy(sqlite3.DatabaseError):
    """A file is no sound database of IRChat; the text says why."""


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to the database in ``path``, which is not made where it is missing. Raises sqlite3.Error."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", timeout=_BUSY_SECONDS, uri=True, isolation_level=None
    )
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        yield connection
    finally:
        connection.close()


def copy_database(
    source: sqlite3.Connection,
    path: Path,
    progress: Progress | None = None,
    *,
    verified: bool = True,
    like_folder: bool = False,
) -> None:
    """Copy what ``source`` holds at this moment to the file ``path``, in place of what is there.

    The copy is written beside, ``verified``, brought to the disk, and then renamed. ``source`` reads one state of the
    database from beginning to end, so that commits of other connections go on and do not make the copy begin anew.
    ``like_folder``: it belongs to whom the folder belongs, also where root makes it. Raises sqlite3.Error, OSError or
    BadCopy.
    """
    with part_of(path) as (part, descriptor):
        if like_folder:
            give_to_owner(descriptor, path.parent)
        copy_into(source, part, progress, verified=verified)
        os.fsync(descriptor)
        part.replace(path)
    sync_folder(path.parent)


@contextmanager
def part_of(path: Path) -> Iterator[tuple[Path, int]]:
    """A new empty file beside ``path``, with a name of its own and for its owner alone, and a descriptor of it.

    It goes in the end, where it was not renamed. What others left who were killed goes too: whoever works on such a
    file holds its lock.
    """
    _remove_parts_left(path)
    part = path.with_name(f"{path.name}.{secrets.token_hex(8)}{_PART}")
    descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    try:
        flock(descriptor, LOCK_EX)
        yield part, descriptor
    finally:
        os.close(descriptor)
        _remove(part)


def _remove_parts_left(path: Path) -> None:
    for part in path.parent.iterdir():
        if part.name.startswith(f"{path.name}.") and part.name.endswith(_PART):
            with suppress(OSError):  # somebody works on it, it is gone already, or it is another's
                descriptor = os.open(part, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
                try:
                    flock(descriptor, LOCK_EX | LOCK_NB)
                    _remove(part)
                finally:
                    os.close(descriptor)


def _remove(part: Path) -> None:
    for end in ("", *_BESIDE):
        part.with_name(part.name + end).unlink(missing_ok=True)


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


def need_sound(connection: sqlite3.Connection) -> None:
    """Raise sqlite3.DatabaseError if a database is damaged."""
    found: str = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        raise sqlite3.DatabaseError(f"it is damaged: {' '.join(found.split())}")


def empty_journal(path: Path) -> None:
    """Bring all of the database's journal into its file, which needs none then.

    Raises sqlite3.Error, as for one that is damaged.
    """
    with opened(path) as connection:
        if connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            raise sqlite3.OperationalError("somebody else uses the database")
        connection.execute("PRAGMA busy_timeout = 0")
        with suppress(sqlite3.OperationalError):  # somebody has it open: then a journal stays beside, an empty one
            connection.execute("PRAGMA journal_mode = DELETE")


def lacks_journal(path: Path) -> bool:
    """Whether the database in ``path`` was copied from a server's folder without its journal. Raises OSError.

    The newest messages may have been in that; and what is in the file may be half of a change.
    """
    with path.open("rb") as file:
        head = file.read(20)
    return head[18:] == b"\2\2" and not path.with_name(f"{path.name}-wal").exists()


def copy_into(
    source: sqlite3.Connection, part: Path, progress: Progress | None = None, *, verified: bool = True
) -> None:
    """Copy what ``source`` holds at this moment into the empty file ``part``, whatever becomes of it then; see
    `copy_database`."""
    target = sqlite3.connect(part, isolation_level=None)
    began = not source.in_transaction
    try:
        if began:
            source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # from here on the state is the same
        source.backup(
            target,
            pages=_STEP_PAGES,
            progress=None if progress is None else lambda _, left, of: progress(of - left, of),
        )
        # One file, which can be opened where nothing can be written.
        target.execute("PRAGMA journal_mode = DELETE")
        if verified:
            need_sound(target)
    finally:
        target.close()
        if began and source.in_transaction:
            source.execute("ROLLBACK")
