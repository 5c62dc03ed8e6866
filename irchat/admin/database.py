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
from irchat.store.sqlite.checking import problems
from irchat.store.sqlite.copying import (
    BadCopy,
    Progress,
    copy_database,
    copy_into,
    empty_journal,
    lacks_journal,
    opened,
    part_of,
    sync_folder,
    version_of,
)
from irchat.store.sqlite.migrations import CHANGE_EPOCH, EPOCH_SINCE, SCRIPTS
from irchat.store.sqlite.schema import need_ours
from irchat.system.data_folder import DataFolder, FolderInUse, give_to_owner
from irchat.system.file_kinds import need_file, replaceable
from irchat.system.remedies import mend_of_database, mend_of_file

_NEWEST = len(SCRIPTS)
_DAMAGED = "restore a backup, and look at the disk"


def backup(data: Path, file: Path, progress: Progress) -> None:
    """Copy the database to ``file``, whether a server uses it or not. Raises Failed."""
    database = need_database(data)
    with _told(f"{database} could not be copied to {file}", file.parent):
        _refuse_own(database, file)
        target = replaceable(file)
        _refuse_own(database, target)
        with opened(database) as source:
            need_ours(source)
            copy_database(source, target, progress, like_folder=_is_in(target, data))


def restore(data: Path, file: Path, progress: Progress) -> Path | None:
    """Put the copy ``file`` in the place of the database; gives where the present one is now. Raises Failed.

    The moment at which the one takes the place of the other is one rename, so that nothing can come in between.
    """
    database = DataFolder(data).database
    _refuse_own(database, file)
    with _told(f"{file} cannot be restored", data, "name a backup"):
        need_file(file)
    with _stopped(data), part_of(database) as (part, descriptor):
        with _told(f"{file} cannot be restored", data, damaged="it is no backup that can be used: name another"):
            if lacks_journal(file):
                raise BadCopy(
                    f"it was copied without its journal and may lack messages; copy {file.name}-wal too or, where none"
                    f" was beside it because the server was stopped, make an empty {file.name}-wal"
                )
            with opened(file) as source:
                need_ours(source)
                copy_into(source, part, progress)
        with _told(f"{database} could not be replaced", data):
            _change_epoch(part)
            give_to_owner(descriptor, data)
            os.fsync(descriptor)
            kept = _keep(database)
            part.replace(database)
            sync_folder(data)
    return kept


def _change_epoch(part: Path) -> None:
    """Clients that loaded what came after the backup are to know that it is gone. An older version has no epoch yet."""
    with opened(part) as connection:
        if version_of(connection) >= EPOCH_SINCE:
            connection.execute(CHANGE_EPOCH)


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
    with part_of(database.with_name(database.name + ".checking")) as (copy, _):
        with opened(database) as source:
            copy_into(source, copy, progress, verified=False)
        return _check(copy)


def _check(path: Path) -> list[str]:
    with opened(path) as connection:
        version = version_of(connection)
        if 0 < version < _NEWEST:
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
        _copy_file(journal, kept_journal)
    with suppress(sqlite3.Error):
        empty_journal(database)
        kept_journal.unlink(missing_ok=True)
    journal.unlink(missing_ok=True)
    database.with_name(f"{database.name}-shm").unlink(missing_ok=True)
    os.link(database, kept)
    return kept


def _copy_file(source: Path, target: Path) -> None:
    """Copy a file in the data folder, for its owner alone."""
    descriptor = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as copy, source.open("rb") as original:
        give_to_owner(descriptor, target.parent)
        shutil.copyfileobj(original, copy)


def _is_in(file: Path, folder: Path) -> bool:
    return file.absolute().parent.resolve() == folder.absolute().resolve()


def _refuse_own(database: Path, file: Path) -> None:
    if file.is_dir():
        raise Failed(f"{file} is a folder; name a file in it")
    names = {database.name + suffix for suffix in ("", "-wal", "-shm")}
    if file.name in names and _is_in(file, database.parent):
        raise Failed(f"{file} is the database itself; name another file")


@contextmanager
def _told(what: str, written: Path, mend: str | None = None, damaged: str = _DAMAGED) -> Iterator[None]:
    """Raise Failed with ``what``, the reason and the next step, in place of an error of the disk or of SQLite.

    ``written`` is the folder that is written to; ``mend`` the next step if a file cannot be used, ``damaged`` the one
    if a database is damaged. A PermissionError passes: `explain_failure` names the user that may use the file.
    """
    try:
        yield
    except PermissionError:
        raise
    except OSError as error:
        raise Failed(f"{what}: {error.strerror or error}; {mend or mend_of_file(error)}") from error
    except BadCopy as error:
        raise Failed(f"{what}: {error}") from error
    except sqlite3.Error as error:
        raise Failed(f"{what}: {error}; {mend_of_database(error, written, damaged)}") from error
