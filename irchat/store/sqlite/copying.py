"""Copy databases while they are in use. A copy is verified before it gets its name."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from irchat.system.files.atomic_files import part_of, put_in_place
from irchat.system.files.data_folder import give_to_owner

Progress = Callable[[int, int], None]
"""Called with how many pages of the database are copied, and how many there are. While the copy is verified, both are
equal."""

# Pages for each step. Between steps others can use the disk, and the progress is reported.
_STEP_PAGES = 256
# Steps of SQLite between two reports while a copy is verified.
_VERIFIED_STEPS = 100_000
_BUSY_SECONDS = 10.0
# The suffixes of files that SQLite may leave beside a database.
_BESIDE = ("-journal", "-wal", "-shm")


class BadCopy(sqlite3.DatabaseError):
    """A file is not a sound database of IRChat. The text says why."""


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Return a connection to the existing database ``path``. Raises sqlite3.Error."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", timeout=_BUSY_SECONDS, uri=True, isolation_level=None
    )
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        yield connection
    finally:
        connection.close()


def copy_database(
    source: sqlite3.Connection, path: Path, progress: Progress | None = None, *, like_folder: bool = False
) -> None:
    """Copy the current state of ``source`` to the file ``path``, replacing it.

    The copy is written to another name, verified, synced and renamed. ``source`` holds one state of the database
    open, so that commits of other connections do not restart the copy. ``like_folder``: the copy gets the owner of the
    folder, even if root makes it. Raises sqlite3.Error, OSError or BadCopy.
    """
    with database_part(path) as (part, descriptor):
        if like_folder:
            give_to_owner(descriptor, path.parent)
        copy_into(source, part, progress)
        put_in_place(part, descriptor, path)


def database_part(path: Path) -> AbstractContextManager[tuple[Path, int]]:
    """Return `part_of` for a database: the files that SQLite creates beside it are deleted too."""
    return part_of(path, beside=_BESIDE)


def version_of(connection: sqlite3.Connection) -> int:
    """Return the version of a database, 0 for a new one. Raises sqlite3.Error."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def need_sound(connection: sqlite3.Connection) -> None:
    """Raise sqlite3.DatabaseError if a database is damaged."""
    found: str = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        raise sqlite3.DatabaseError(f"it is damaged: {' '.join(found.split())}")


def empty_journal(path: Path) -> None:
    """Write all of the journal into the database, which then needs no journal.

    Raises sqlite3.Error, also for a damaged database.
    """
    with opened(path) as connection:
        if connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            raise sqlite3.OperationalError("somebody else uses the database")
        connection.execute("PRAGMA busy_timeout = 0")
        with suppress(sqlite3.OperationalError):  # it is open elsewhere: an empty journal stays beside it
            connection.execute("PRAGMA journal_mode = DELETE")


def lacks_journal(path: Path) -> bool:
    """Return whether the database ``path`` was copied from a server's folder without its journal. Raises OSError.

    The journal may have held the newest messages, and the file may hold half of a change.
    """
    with path.open("rb") as file:
        head = file.read(20)
    return head[18:] == b"\2\2" and not path.with_name(f"{path.name}-wal").exists()


def copy_into(
    source: sqlite3.Connection, part: Path, progress: Progress | None = None, *, verified: bool = True
) -> None:
    """Copy the current state of ``source`` into the empty file ``part``; see `copy_database`."""
    target = sqlite3.connect(part, isolation_level=None)
    began = not source.in_transaction
    try:
        if began:
            source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # from here on the state does not change
        source.backup(
            target,
            pages=_STEP_PAGES,
            progress=None if progress is None else lambda _, left, of: progress(of - left, of),
        )
        # One file, which can be opened on a read-only disk.
        target.execute("PRAGMA journal_mode = DELETE")
        if verified:
            if progress is not None:
                pages: int = target.execute("PRAGMA page_count").fetchone()[0]
                target.set_progress_handler(lambda: progress(pages, pages), _VERIFIED_STEPS)
            need_sound(target)
    finally:
        target.close()
        if began and source.in_transaction:
            source.execute("ROLLBACK")
