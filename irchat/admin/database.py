"""The database as a file: copies of it, its return from one, and whether it is sound.

A backup is made by this process and not by the server: what SQLite locks is enough for that, the server is not kept
from its work, and need not be allowed to write where backups are kept.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from irchat.admin.failures import Failed
from irchat.admin.reach import folder_of, need_database
from irchat.data_folder import DataFolder, FolderInUse
from irchat.mends import mend_of_database, mend_of_file
from irchat.store.checking import problems
from irchat.store.copying import (
    BadCopy,
    Progress,
    copy_database,
    empty_journal,
    opened,
    sync_folder,
    verify,
    version_of,
)
from irchat.store.migrations import SCRIPTS

_NEWEST = len(SCRIPTS)


def backup(data: Path, file: Path, progress: Progress) -> None:
    """Copy the database to ``file``, whether a server uses it or not. Raises Failed."""
    database = need_database(data)
    _refuse_own(database, file)
    with _told(f"{database} could not be copied to {file}", file.parent), opened(database) as source:
        copy_database(source, file, progress)


def restore(data: Path, file: Path, progress: Progress) -> Path | None:
    """Put the copy ``file`` in the place of the database; gives where the present one is now. Raises Failed.

    The moment at which the one takes the place of the other is one rename, so that nothing can come in between.
    """
    database = DataFolder(data).database
    _refuse_own(database, file)
    if not file.is_file():
        raise Failed(f"there is no file {file}; name a backup")
    with _stopped(data):
        beside = database.with_name(database.name + ".restoring")
        try:
            with _told(f"{file} cannot be restored", data), opened(file) as source:
                verify(source, _NEWEST)
                copy_database(source, beside, progress)
            with _told(f"{database} could not be replaced", data):
                kept = _keep(database)
                _give_to_owner(beside, data)
                beside.replace(database)
                sync_folder(data)
        finally:
            beside.unlink(missing_ok=True)
    return kept


def check(data: Path, progress: Progress) -> list[str]:
    """What is wrong with the database, in lines. What a server uses is copied for it, and the copy checked."""
    database = need_database(data)
    folder = DataFolder(data)
    with _told(f"{database} cannot be read", data):
        try:
            folder.acquire()
        except FolderInUse:
            return _check_copy(database, progress)
        try:
            return _check(database)
        finally:
            folder.release()


@contextmanager
def _stopped(data: Path) -> Iterator[None]:
    """Have the folder, which no server may use meanwhile. Raises Failed."""
    try:
        with folder_of(data, make=True):
            yield
    except FolderInUse:
        raise Failed(f"a server, or another irchat-admin, uses {data}; stop it first") from None


def _check_copy(database: Path, progress: Progress) -> list[str]:
    copy = database.with_name(database.name + ".checking")
    try:
        with opened(database) as source:
            copy_database(source, copy, progress, verified=False)
        return _check(copy)
    finally:
        copy.unlink(missing_ok=True)


def _check(path: Path) -> list[str]:
    with opened(path) as connection:
        version = version_of(connection)
        if version != _NEWEST:
            raise Failed(f"{path} has version {version}, this IRChat checks version {_NEWEST}; start the server once")
        return list(problems(connection))


def _keep(database: Path) -> Path | None:
    """Give the present database a second name; what its journal holds goes into it, or with it where it is damaged."""
    if not database.exists() or not database.stat().st_size:  # the folder makes an empty file
        return None
    kept = database.with_name(f"{database.name}.before-restore-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}")
    journal = database.with_name(f"{database.name}-wal")
    kept_journal = kept.with_name(f"{kept.name}-wal")
    if journal.exists():  # a copy, for SQLite deletes the journal of what it cannot read
        shutil.copyfile(journal, kept_journal)
        kept_journal.chmod(0o600)
    with suppress(sqlite3.Error):
        empty_journal(database)
        kept_journal.unlink(missing_ok=True)
    journal.unlink(missing_ok=True)
    database.with_name(f"{database.name}-shm").unlink(missing_ok=True)
    os.link(database, kept)
    return kept


def _give_to_owner(file: Path, folder: Path) -> None:
    """Root restores for the user whom the folder belongs to."""
    owner = folder.stat()
    if os.geteuid() == 0:
        os.chown(file, owner.st_uid, owner.st_gid)


def _refuse_own(database: Path, file: Path) -> None:
    if file.is_dir():
        raise Failed(f"{file} is a folder; name a file in it")
    names = {database.name + suffix for suffix in ("", "-wal", "-shm")}
    if file.name in names and file.absolute().parent.resolve() == database.absolute().parent.resolve():
        raise Failed(f"{file} is the database itself; name another file")


@contextmanager
def _told(what: str, written: Path) -> Iterator[None]:
    """Failed with ``what``, the reason and the next step, in place of an error of the disk or of SQLite.

    ``written`` is the folder that is written to. A PermissionError passes: who may use the file is said where the
    arguments are known.
    """
    try:
        yield
    except PermissionError:
        raise
    except OSError as error:
        raise Failed(f"{what}: {os.strerror(error.errno) if error.errno else error}; {mend_of_file(error)}") from error
    except BadCopy as error:
        raise Failed(f"{what}: {error}") from error
    except sqlite3.Error as error:
        raise Failed(f"{what}: {error}; {mend_of_database(error, written)}") from error
