"""Sockets in folders whose path is too long for the address of a socket."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# The address of a Unix socket holds 104 bytes on macOS and 108 on Linux, with a zero byte at the end.
_MOST_BYTES = 103


@contextmanager
def short_path(path: Path) -> Iterator[str]:
    """Yield a path of the socket ``path`` that fits into an address: on Linux also a long one, by its open folder.

    Raises OSError if the folder cannot be opened.
    """
    if len(os.fsencode(path)) <= _MOST_BYTES:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
