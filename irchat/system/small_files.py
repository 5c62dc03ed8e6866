"""Files that a person names in an option: read whole, and never more than they can sensibly hold."""

import errno
import stat
from pathlib import Path

_MOST_BYTES = 1_048_576


class TooLong(ValueError):
    """The file holds more than 1 MiB."""


def read_small_file(path: Path) -> bytes:
    """Return what ``path`` holds. Raises OSError, also for a pipe, which might never end, and TooLong."""
    if stat.S_ISFIFO(path.stat().st_mode):
        raise OSError(errno.ESPIPE, "It is a pipe, not a file", str(path))
    with path.open("rb") as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise TooLong(f"it holds more than {_MOST_BYTES:,} bytes")
    return data
