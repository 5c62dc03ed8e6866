"""Sockets in folders whose paths are too long for a socket address."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# The address of a Unix socket has 104 bytes on macOS and 108 on Linux, including a zero byte at the end.
_MOST_BYTES = 103


@contextmanager
def short_path(path: Path) -> Iterator[str]:
    """Yield a form of the socket path ``path`` that fits into an address. On Linux, long paths fit too.

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
