"""The notes by which clients find the servers of the same machine: a small file for each server, with its port."""

import errno
import fcntl
import json
import os
import stat
import warnings
from pathlib import Path
from typing import NamedTuple, Self

import platformdirs

from irchat.system.files.atomic_files import part_of, put_in_place

_SUFFIX = ".port"


def default_directory() -> Path:
    """Return the directory in which servers and clients of one user look for each other."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it stands in /tmp where the system has no place for such files
        try:
            return Path(platformdirs.user_runtime_dir("irchat"))
        except OSError:  # somebody else was first to take the place in /tmp
            return Path(platformdirs.user_state_dir("irchat")) / "run"


class Server(NamedTuple):
    """A server that runs on this machine: its port, and whether it speaks TLS."""

    port: int
    tls: bool


class PortFile:
    """The note of one running server.

    Its lock is held until the process ends, however it ends. A note without a lock was left behind.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor

    @classmethod
    def write(cls, directory: Path, *, port: int, tls: bool) -> Self:
        """Write the note of this process into ``directory``, which is made with mode 0700 if it is missing.

        The file is locked before it has its name, so nobody sees it without the lock. Raises OSError, also if others
        can write into the directory: they could lead clients to another server.
        """
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_ours_alone(directory):
            raise PermissionError(errno.EPERM, "others can write there", str(directory))
        path = directory / f"{os.getpid()}{_SUFFIX}"
        with part_of(path) as (part, descriptor):
            os.write(descriptor, json.dumps({"port": port, "tls": tls}).encode())
            put_in_place(part, descriptor, path)
            return cls(path, os.dup(descriptor))  # which keeps the lock

    def stands(self) -> bool:
        """Return whether the file is still there, and no other is in its place."""
        try:
            return os.path.samestat(self._path.lstat(), os.fstat(self._descriptor))
        except OSError:
            return False

    def remove(self) -> None:
        """Delete the note: the server stops."""
        if self.stands():
            self._path.unlink(missing_ok=True)
        os.close(self._descriptor)


def find_servers(directory: Path) -> list[Server]:
    """Return the running servers with a note in ``directory``, the newest first. Delete the notes of dead ones.

    A directory that others can write into is not trusted: a note in it could lead to the server of another user.
    """
    if not _is_ours_alone(directory):
        return []
    found = []
    for path in directory.glob(f"*{_SUFFIX}"):
        try:
            found.append((path.stat().st_mtime_ns, _read(path)))
        except (OSError, ValueError, KeyError, TypeError):
            continue  # gone meanwhile, or not a note
    newest_first = sorted(found, key=lambda pair: pair[0], reverse=True)
    return [server for _, server in newest_first if server is not None]


def _is_ours_alone(directory: Path) -> bool:
    try:
        found = directory.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022


def _read(path: Path) -> Server | None:
    """Return the server of one note. If it is dead, delete the note and return None."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            fields = json.loads(file.read())
            return Server(int(fields["port"]), bool(fields["tls"]))
        path.unlink()
        return None
