"""Read files that are named in options, up to a sensible size."""

from pathlib import Path

from irchat.system.files.file_kinds import need_file

_MOST_BYTES = 1_048_576


class TooLong(ValueError):
    """The file is larger than 1 MiB."""


def read_small_file(path: Path) -> bytes:
    """Return the content of ``path``. Raises TooLong, and OSError, also for a pipe, which might never end."""
    need_file(path, devices=True)
    with path.open("rb") as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise TooLong(f"it holds more than {_MOST_BYTES:,} bytes")
    return data
