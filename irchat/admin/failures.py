"""Describe any failure of a command in one line with the next step."""

import os
import pwd
import shlex
import shutil
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path

from irchat.protocol.errors import Refusal
from irchat.startup_errors import unexpected
from irchat.store.sqlite.migrations import NewerDatabase
from irchat.system.files.data_folder import UnsafeFolder
from irchat.system.remedies import SHORTAGE, is_shortage, mend_of_database, mend_of_file


class Failed(Exception):
    """A command failed. The text is for the administrator."""


def explain_failure(error: Exception, data: Path, arguments: Sequence[str]) -> str:
    """Describe an error of the command ``arguments`` on the data folder ``data``, with the next step."""
    if isinstance(error, Failed | UnsafeFolder):
        return str(error)
    if isinstance(error, Refusal):
        return error.text
    if isinstance(error, NewerDatabase):
        return f"the data in {data} cannot be used: {error}"
    if is_shortage(error):
        return SHORTAGE
    if isinstance(error, PermissionError):
        return _no_permission(error, data, arguments)
    if isinstance(error, OSError) and error.errno is not None:
        path = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else data
        what = f"the data in {data} cannot be used: " if _is_in(path, data) else ""
        return f"{what}{path}: {error.strerror}; {mend_of_file(error)}"
    if isinstance(error, sqlite3.Error):
        return f"the database in {data} cannot be used: {error}; {mend_of_database(error, data)}"
    if isinstance(error, UnicodeError):
        return "an argument or the input is not text in UTF-8; use UTF-8 for names, reasons and passwords"
    if isinstance(error, EOFError):
        return "the input ended before an answer; nothing was changed"
    return unexpected(error)


def _no_permission(error: PermissionError, data: Path, arguments: Sequence[str]) -> str:
    path = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else data
    why = f"{path}: {error.strerror}"
    if not _is_in(path, data) and os.access(data, os.R_OK | os.W_OK | os.X_OK):
        return f"{why}; name a file in a folder where the user {_name_of(os.geteuid())} may write"
    owner = _owner(data)
    if owner == os.geteuid():
        return f"{why}; give it back to its owner: chmod u+rwX {shlex.quote(str(path))}"
    as_owner = [] if owner == 0 else ["-u", _name_of(owner)]
    command = ["sudo", *as_owner, *_program(), "--data", str(data.absolute()), *arguments]
    return f"{why}; run it as the owner of the data: {shlex.join(command)}"


def _is_in(path: Path, data: Path) -> bool:
    return path.absolute().is_relative_to(data.absolute())


def _owner(path: Path) -> int:
    """Return the user who owns ``path``, or the nearest folder above it that can be read."""
    for place in (path.absolute(), *path.absolute().parents):
        try:
            return place.stat().st_uid
        except OSError:
            continue
    return 0


def _name_of(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"#{user}"


def _program() -> list[str]:
    """Return the command of this program, in a form that another user can run without having it on the PATH."""
    found = shutil.which(sys.argv[0])
    if found is not None and Path(found).name == "irchat-admin":
        return [str(Path(found).absolute())]
    return [sys.executable, "-m", "irchat.admin"]
