"""The servers that this user runs on this machine, by the notes that they keep, as the client ``irchat`` finds them."""

import fcntl
import json
import os
import socket
import stat
import sys
import tempfile
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple


class Noted(NamedTuple):
    """A server that runs now. ``fingerprint``: that of its certificate, or empty."""

    port: int
    tls: bool
    fingerprint: str = ""


def is_this_machine(host: str) -> bool:
    """Return whether a host is this machine."""
    if host in ("localhost", socket.gethostname().lower()):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def noted_servers() -> list[Noted]:
    """Return the servers with a note. A folder in which others can write is ignored: they could lead elsewhere."""
    folder = _folder()
    if not _is_ours_alone(folder, 0o022):
        return []
    found = set()
    for path in folder.glob("*.port"):
        with suppress(OSError, ValueError, KeyError, TypeError), path.open("rb") as file:
            if _is_locked(file.fileno()):
                note = json.loads(file.read())
                found.add(Noted(int(note["port"]), bool(note["tls"]), str(note.get("fingerprint", ""))))
    return sorted(found)


def _is_locked(descriptor: int) -> bool:
    """Return whether the server that wrote the note still runs: it holds a lock until its end."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _folder() -> Path:
    """Return the folder of the notes."""
    if sys.platform == "darwin":
        return Path.home() / "Library/Caches/TemporaryItems/irchat"
    for base in os.environ.get("XDG_RUNTIME_DIR", ""), f"/run/user/{os.geteuid()}":
        if base and _is_ours_alone(Path(base), 0o077):
            return Path(base) / "irchat"
    return Path(tempfile.gettempdir()) / f"runtime-{os.geteuid()}" / "irchat"


def _is_ours_alone(folder: Path, others: int) -> bool:
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & others
