"""Port notes: small files, one per server, from which clients on the same machine learn the port of the server."""

import errno
import fcntl
import json
import os
import stat
import warnings
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import platformdirs

from irchat.system.files.atomic_files import part_of, put_in_place

_SUFFIX = ".port"


def default_directory() -> Path:
    """Return the directory in which the servers and clients of one user find each other."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is in /tmp if the system has no directory for such files
        try:
            return Path(platformdirs.user_runtime_dir("irchat"))
        except OSError:  # another user has created the directory in /tmp first
            return Path(platformdirs.user_state_dir("irchat")) / "run"


class Server(NamedTuple):
    """A server running on this machine: its port, whether it uses TLS, and then the fingerprint of its certificate."""

    port: int
    tls: bool
    fingerprint: str = ""


class PortFile:
    """The note of one running server.

    It is locked until the process ends, however that happens. A note without a lock is stale.
    """

    def __init__(self, directory: Path, *, port: int, tls: bool, fingerprint: str = "") -> None:
        """Write the note of this process into ``directory``. Create the directory with mode 0700 if it is missing.

        The file is locked before it gets its name, so it is never visible without the lock. Raises OSError if
        that fails, or if other users can write into the directory: they could lead clients to another server.
        """
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_ours_alone(directory):
            raise PermissionError(errno.EPERM, "others can write there", str(directory))
        self._path = directory / f"{os.getpid()}{_SUFFIX}"
        with part_of(self._path) as (part, descriptor):
            os.write(descriptor, json.dumps({"port": port, "tls": tls, "fingerprint": fingerprint}).encode())
            put_in_place(part, descriptor, self._path)
            self._descriptor = os.dup(descriptor)  # keeps the lock

    def stands(self) -> bool:
        """Return whether the file still exists and was not replaced."""
        try:
            return os.path.samestat(self._path.lstat(), os.fstat(self._descriptor))
        except OSError:
            return False

    def remove(self) -> None:
        """Delete the note. Call when the server stops."""
        if self.stands():
            self._path.unlink(missing_ok=True)
        os.close(self._descriptor)


def find_servers(directory: Path) -> list[Server]:
    """Return the running servers with a note in ``directory``, newest first. Delete stale notes.

    A directory that other users can write into is ignored: a note in it could lead to the server of another user.
    """
    if not _is_ours_alone(directory):
        return []
    found = []
    for path in directory.glob(f"*{_SUFFIX}"):
        with suppress(OSError, ValueError, KeyError, TypeError):  # deleted meanwhile, or not a note
            found.append((path.stat().st_mtime_ns, _read(path)))
    newest_first = sorted(found, key=lambda pair: pair[0], reverse=True)
    return [server for _, server in newest_first if server is not None]


def _is_ours_alone(directory: Path) -> bool:
    try:
        found = directory.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022


def _read(path: Path) -> Server | None:
    """Return the server of one note. If the note is stale, delete it and return None."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            fields = json.loads(file.read())
            return Server(int(fields["port"]), bool(fields["tls"]), str(fields.get("fingerprint", "")))
        path.unlink()
        return None
