"""Replace a file as a whole: the new one is written beside it, brought to the disk, and renamed."""

import errno
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

_PART = ".part"


def replace_file(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Replace the content of ``path`` by ``data``. Raises OSError, and then ``path`` is as it was."""
    with part_of(path, mode=mode) as (part, descriptor):
        with open(descriptor, "wb", closefd=False) as file:
            file.write(data)
        put_in_place(part, descriptor, path)


@contextmanager
def part_of(path: Path, *, mode: int = 0o600, beside: Sequence[str] = ()) -> Iterator[tuple[Path, int]]:
    """Make an empty file beside ``path`` under a name of its own. Yield its path and a descriptor that is locked.

    The file is deleted at the end unless `put_in_place` renamed it, and with it the files whose names end in one of
    ``beside`` in addition. Parts that a killed process left are deleted too: nobody holds their lock. Raises OSError.
    """
    endings = ("", *beside)
    _remove_parts_left(path, endings)
    part = path.with_name(f"{path.name}.{secrets.token_hex(8)}{_PART}")
    descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, mode)
    try:
        with suppress(OSError):  # a file system without locks: a part that is left behind stays there
            flock(descriptor, LOCK_EX)
        yield part, descriptor
    finally:
        os.close(descriptor)
        _remove(part, endings)


def put_in_place(part: Path, descriptor: int, path: Path) -> None:
    """Bring ``part`` to the disk and rename it to ``path``. After a crash one of the two files is there, whole."""
    os.fsync(descriptor)
    part.replace(path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Bring the names in a folder to the disk, where its file system can."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def _remove_parts_left(path: Path, endings: Sequence[str]) -> None:
    for part in path.parent.iterdir():
        if part.name.startswith(f"{path.name}.") and part.name.endswith(_PART):
            with suppress(OSError):  # in use, gone, or another user's
                descriptor = os.open(part, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
                try:
                    flock(descriptor, LOCK_EX | LOCK_NB)
                    _remove(part, endings)
                finally:
                    os.close(descriptor)


def _remove(part: Path, endings: Sequence[str]) -> None:
    for ending in endings:
        part.with_name(part.name + ending).unlink(missing_ok=True)
