"""Back up, restore and check the database.

This process makes the backup, not the server: SQLite's locks allow it. So the server continues its work, and needs no
permission to write to the folder of the backups.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from irchat.admin.failures import Failed
from irchat.admin.reach import locked_folder, need_database
from irchat.protocol.ssh_door import HOST_KEY_FILE
from irchat.store.sqlite.checking import problems
from irchat.store.sqlite.copying import (
    BadCopy,
    Progress,
    copy_database,
    copy_into,
    database_part,
    empty_journal,
    lacks_journal,
    opened,
    version_of,
)
from irchat.store.sqlite.migrations import CHANGE_EPOCH, EPOCH_SINCE, SCRIPTS
from irchat.store.sqlite.schema import need_ours
from irchat.system.files.atomic_files import put_in_place, replace_file
from irchat.system.files.data_folder import DataFolder, FolderInUse, give_to_owner
from irchat.system.files.named_files import need_file, read_small_file, replaceable
from irchat.system.remedies import mend_of_database, mend_of_file

_NEWEST = len(SCRIPTS)
_HEAD_OF_DATABASE = b"SQLite format 3\0"
_DAMAGED = "restore a backup, and check the disk"


def backup(data: Path, file: Path, progress: Progress) -> None:
    """Copy the database to ``file``, even while a server uses it, and the host key of SSH beside it. Raises Failed."""
    database = need_database(data)
    with _told(f"{database} could not be copied to {file}", file.parent):
        _refuse_own(database, file)
        target = replaceable(file)
        _refuse_own(database, target)
        _refuse_other(target)
        is_inside = _is_in(target, data)
        with opened(database) as source:
            need_ours(source)
            copy_database(source, target, progress, like_folder=is_inside)
        host_key = data / HOST_KEY_FILE
        if host_key.exists():
            replace_file(_host_key_beside(target), read_small_file(host_key), like_folder=is_inside)


def restore(data: Path, file: Path, progress: Progress) -> Path | None:
    """Replace the database with the copy ``file``. Return the path to which the old one was moved. Raises Failed.

    The replacement is one rename, so no failure can leave half of it. A folder without a host key of SSH gets the one
    of the backup.
    """
    database, host_key = DataFolder(data).database, data / HOST_KEY_FILE
    _refuse_own(database, file)
    with _told(f"{file} cannot be restored", data, "name a backup"):
        need_file(file)
    with locked_folder(data, "; stop it first", make=True), database_part(database) as (part, descriptor):
        with _told(f"{file} cannot be restored", data, damaged="it is not a usable backup: name another"):
            if lacks_journal(file):
                raise BadCopy(
                    f"it was copied without its journal and may lack messages; copy {file.name}-wal too. If"
                    f" there was none because the server was stopped, create an empty {file.name}-wal"
                )
            with opened(file) as source:
                need_ours(source)
                copy_into(source, part, progress)
            copied = _host_key_beside(file)
            key = read_small_file(copied) if copied.exists() and not os.path.lexists(host_key) else None
        with _told(f"{database} could not be replaced", data):
            with opened(part) as connection:
                if version_of(connection) >= EPOCH_SINCE:
                    connection.execute(CHANGE_EPOCH)  # clients drop what they loaded after the backup
            give_to_owner(descriptor, data)
            os.fsync(descriptor)  # before anything happens to the current database
            kept = _keep(database)
            if key is not None:
                replace_file(host_key, key, like_folder=True)
            put_in_place(part, descriptor, database)
    return kept


def check(data: Path, progress: Progress) -> list[str]:
    """Return the problems of the database, in lines. A database in use is copied, and the copy is checked."""
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


def _check_copy(database: Path, progress: Progress) -> list[str]:
    with database_part(database.with_name(database.name + ".checking")) as (copy, _):
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
    """Link the current database to a second name, with its journal merged, or beside it if the database is damaged."""
    if not database.exists() or not database.stat().st_size:  # opening it has created an empty file
        return None
    kept = database.with_name(f"{database.name}.before-restore-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}")
    journal = database.with_name(f"{database.name}-wal")
    kept_journal = kept.with_name(f"{kept.name}-wal")
    if journal.exists():  # a copy, because SQLite deletes the journal of a database that it cannot read
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


def _host_key_beside(backup: Path) -> Path:
    """Return the path of the copy of the host key that belongs to a backup."""
    return backup.with_name(f"{backup.name}.{HOST_KEY_FILE}")


def _is_in(file: Path, folder: Path) -> bool:
    return file.absolute().parent.resolve() == folder.absolute().resolve()


def _refuse_own(database: Path, file: Path) -> None:
    if file.is_dir():
        raise Failed(f"{file} is a folder; name a file in it")
    names = {database.name + suffix for suffix in ("", "-wal", "-shm")}
    if file.name in names and _is_in(file, database.parent):
        raise Failed(f"{file} is the database itself; name another file")


def _refuse_other(file: Path) -> None:
    """Raise Failed if ``file`` is something else than an older backup, such as a key: it would be lost."""
    if not file.exists() or not file.stat().st_size:
        return
    with file.open("rb") as existing:
        if existing.read(len(_HEAD_OF_DATABASE)) != _HEAD_OF_DATABASE:
            raise Failed(f"{file} exists and is not a backup; name another file")


@contextmanager
def _told(what: str, written: Path, mend: str | None = None, damaged: str = _DAMAGED) -> Iterator[None]:
    """Raise Failed with ``what``, the reason and the next step, in place of an error of the disk or of SQLite.

    ``written`` is the folder that was written to. ``mend`` is the next step if a file cannot be used, ``damaged`` the
    one for a damaged database. A PermissionError passes: `irchat.admin.failures` names the user that may use the file.
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
