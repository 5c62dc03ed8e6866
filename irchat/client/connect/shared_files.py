"""Small files shared by several clients: changed under a lock, replaced atomically, symbolic links followed."""

import codecs
import contextlib
import errno
import fcntl
import os
from collections.abc import Callable
from pathlib import Path

from irchat.system.files.atomic_files import replace_file
from irchat.system.files.named_files import replaceable


def read(path: Path) -> str:
    """Return the text of ``path``, empty if there is no file.

    Bytes that are not UTF-8 become surrogates, which `change` writes back unchanged. Raises OSError, also for a text in
    UTF-16 or UTF-32: no line of it would be found.
    """
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in data[:4]:
        raise OSError(errno.EILSEQ, "it is not UTF-8 text; save it as UTF-8")
    return data.decode("utf-8", "surrogateescape")


def change(path: Path, edit: Callable[[str], str]) -> None:
    """Replace the text of ``path`` by the result of ``edit``, under a lock against other clients.

    A symbolic link stays, and the file that it points to is replaced. The new file is readable only by its owner
    (0600), and a crash never leaves half of it. Raises OSError, also for a pipe or a device; then nothing has changed.
    """
    target = Path(os.path.realpath(path))
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(target.with_name(f"{target.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        with contextlib.suppress(OSError):  # a file system without locks: continue without one
            fcntl.flock(lock, fcntl.LOCK_EX)
        before = read(replaceable(target))
        after = edit(before)
        if after != before:
            replace_file(target, after.encode("utf-8", "surrogateescape"))
    finally:
        os.close(lock)
