"""Where the servers of this machine listen: a small file for each, for the clients of this machine to find."""

import errno
import fcntl
import json
import os
import stat
import warnings
from pathlib import Path
from typing import NamedTuple, Self

import platformdirs

_SUFFIX = ".port"


def default_directory() -> Path:
    """Where servers and clients of one user look for each other."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it stands in /tmp where the system has no place for such files
        try:
            return Path(platformdirs.user_runtime_dir("irchat"))
        except OSError:  # somebody else was first to take the place in /tmp
            return Path(platformdirs.user_state_dir("irchat")) / "run"


class Server(NamedTuple):
    """A server that runs on this machine: its port, whether it speaks TLS, its process."""

    port: int
    tls: bool
    pid: int


class PortFile:
    """The file of one running server.

    Its lock is held until the process ends, however it ends; by that a file that was left behind is told apart.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor

    @classmethod
    def write(cls, directory: Path, *, port: int, tls: bool) -> Self:
        """Say in ``directory`` (made with mode 0700 where it is missing) that this process listens there.

        The file is locked before it has its name, so nobody sees it without the lock. Raises OSError, also where the
        directory is not ours alone: whoever else can write there could have us write into another file.
        """
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_ours_alone(directory):
            raise PermissionError(errno.EPERM, "others can write there", str(directory))
        path = directory / f"{os.getpid()}{_SUFFIX}"
        unnamed = path.with_suffix(".new")
        unnamed.unlink(missing_ok=True)
        descriptor = os.open(unnamed, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.write(descriptor, json.dumps({"port": port, "tls": tls}).encode())
        unnamed.replace(path)
        return cls(path, descriptor)

    def stands(self) -> bool:
        """Whether the file is still there, and nobody has put another in its place."""
        try:
            return os.path.samestat(self._path.lstat(), os.fstat(self._descriptor))
        except OSError:
            return False

    def remove(self) -> None:
        """The server stops."""
        if self.stands():
            self._path.unlink(missing_ok=True)
        os.close(self._descriptor)


def find_servers(directory: Path) -> list[Server]:
    """The running servers that ``directory`` tells of, the newest first; files of dead ones are deleted.

    A directory that is not ours alone is not believed: it could lead to a server of somebody else.
    """
    if not _is_ours_alone(directory):
        return []
    found = []
    for path in directory.glob(f"*{_SUFFIX}"):
        try:
            found.append((path.stat().st_mtime_ns, _read(path)))
        except (OSError, ValueError, KeyError, TypeError):
            continue  # gone meanwhile, or no file of ours
    newest_first = sorted(found, key=lambda pair: pair[0], reverse=True)
    return [server for _, server in newest_first if server is not None]


def _is_ours_alone(directory: Path) -> bool:
    try:
        found = directory.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022


def _read(path: Path) -> Server | None:
    """The server of one file, or None, and the file deleted, where that server is dead."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            fields = json.loads(file.read())
            return Server(int(fields["port"]), bool(fields["tls"]), int(path.stem))
        path.unlink()
        return None
