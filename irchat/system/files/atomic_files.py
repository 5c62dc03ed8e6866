"""Replace a whole file: write the new one beside it, sync it to the disk, and rename it."""

import errno
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

from irchat.system.files.data_folder import give_to_owner

_PART = ".part"


def replace_file(path: Path, data: bytes, mode: int = 0o600, *, like_folder: bool = False) -> None:
    """Replace the content of ``path`` with ``data``. Raises OSError; ``path`` is then unchanged.

    ``like_folder``: the file gets the owner of its folder, even if root writes it.
    """
    with part_of(path, mode=mode) as (part, descriptor):
        if like_folder:
            give_to_owner(descriptor, path.parent)
        with open(descriptor, "wb", closefd=False) as file:
            file.write(data)
        put_in_place(part, descriptor, path)


@contextmanager
def part_of(path: Path, *, mode: int = 0o600, beside: Sequence[str] = ()) -> Iterator[tuple[Path, int]]:
    """Create an empty file beside ``path``, with a unique name. Yield its path and a locked descriptor.

    At the end, the file is deleted unless `put_in_place` has renamed it. Files with its name and one of the suffixes
    ``beside`` are deleted too, and so are files left by killed processes, which are no longer locked. Raises OSError.
    """
    endings = ("", *beside)
    _remove_parts_left(path, endings)
    part = path.with_name(f"{path.name}.{secrets.token_hex(8)}{_PART}")
    descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, mode)
    try:
        with suppress(OSError):  # a file system without locks: files left by killed processes stay
            flock(descriptor, LOCK_EX)
        yield part, descriptor
    finally:
        os.close(descriptor)
        _remove(part, endings)


def put_in_place(part: Path, descriptor: int, path: Path) -> None:
    """Sync ``part`` to the disk and rename it to ``path``. A crash leaves ``path`` either old or new, never mixed."""
    os.fsync(descriptor)
    part.replace(path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Sync the entries of a folder to the disk, unless its file system does not support that."""
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
            with suppress(OSError):  # in use, already deleted, or owned by another user
                descriptor = os.open(part, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
                try:
                    flock(descriptor, LOCK_EX | LOCK_NB)
                    _remove(part, endings)
                finally:
                    os.close(descriptor)


def _remove(part: Path, endings: Sequence[str]) -> None:
    for ending in endings:
        part.with_name(part.name + ending).unlink(missing_ok=True)
