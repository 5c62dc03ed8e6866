"""Files named by options and commands: the kind of file at a path, and the content of small files."""

import errno
import os
import stat
from pathlib import Path

_NOT_FILES = (
    (stat.S_ISDIR, "folder"),
    (stat.S_ISFIFO, "pipe"),
    (stat.S_ISSOCK, "socket"),
    (stat.S_ISBLK, "device"),
)

_MOST_BYTES = 1_048_576


class TooLong(ValueError):
    """The file is larger than 1 MiB."""


def need_file(path: Path, *, devices: bool = False) -> None:
    """Raise OSError, with the path and the reason, unless ``path`` is a regular file or a link to one.

    Nothing is opened: opening a pipe would wait for its other end. A device such as /dev/null passes only with
    ``devices``, for files that are not replaced.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        need_no_dead_link(path)
        raise
    for is_kind, kind in (*_NOT_FILES, *(() if devices else ((stat.S_ISCHR, "device"),))):
        if is_kind(mode):
            raise FileExistsError(errno.EEXIST, f"It is a {kind}, not a file", str(path))


def need_no_dead_link(path: Path) -> None:
    """Raise OSError if ``path`` is a symbolic link that leads nowhere."""
    if path.is_symlink() and not path.exists():
        raise OSError(errno.ELOOP, "The link leads nowhere", str(path))


def replaceable(path: Path) -> Path:
    """Return the path to write in place of ``path``: the target of a link, so that the link stays.

    Raises OSError if something other than a regular file is there: a rename would remove it.
    """
    target = Path(os.path.realpath(path))
    if os.path.lexists(target):
        need_file(target)
    return target


def read_small_file(path: Path, *, secret: bool = False) -> bytes:
    """Return the content of ``path``. Raises TooLong or OSError. A pipe is an OSError: it might never end.

    A file that is ``secret`` is an OSError too if others than its owner may read it.
    """
    need_file(path, devices=True)
    with path.open("rb") as file:
        if secret and os.fstat(file.fileno()).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise PermissionError(errno.EPERM, f"Others may read it; run chmod 600 {path}", str(path))
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise TooLong(f"it has more than {_MOST_BYTES:,} bytes")
    return data
