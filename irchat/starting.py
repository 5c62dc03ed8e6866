"""What the person who starts the server is told, also when the server has become a daemon and left the terminal."""

import errno
import os
import sqlite3
import sys
from contextlib import suppress
from typing import Any, NoReturn

from twisted.internet.error import CannotListenError
from twisted.logger import Logger

from irchat.clock import forward_seconds
from irchat.config import Config
from irchat.data_folder import FolderInUse
from irchat.server.certificates import WrongCertificate
from irchat.store.migrations import NewerDatabase

_log = Logger()

_PROGRESS_SECONDS = 5.0

_MENDS_OF_DATABASE = {
    sqlite3.SQLITE_BUSY: "another program has opened it: close that one",
    sqlite3.SQLITE_FULL: "make room on the disk",
    sqlite3.SQLITE_CANTOPEN: "give it to this user",
    sqlite3.SQLITE_PERM: "give it to this user",
    sqlite3.SQLITE_READONLY: "give it to this user, on a disk that can be written",
    sqlite3.SQLITE_IOERR: "look at the disk and the log of the system",
}
_MENDS_OF_PORT = {
    errno.EADDRINUSE: "is a server running there? stop it or choose another --port",
    errno.EADDRNOTAVAIL: "choose a --host that is an address of this machine",
    errno.EACCES: "choose a --port from 1024 on",
}
# What keeps a server from starting and is told in one line.
TOLD = (OSError, WrongCertificate, FolderInUse, CannotListenError, sqlite3.Error, NewerDatabase)


class CannotStart(Exception):
    """A daemon cannot start; the text says why."""


class StartingTerminal:
    """The terminal that the server is started from, which a daemon can still tell how its start went."""

    def __init__(self) -> None:
        self._process = os.getpid()
        self._output = _duplicate(sys.__stdout__)
        self._errors = _duplicate(sys.__stderr__)
        self._shown_at = forward_seconds()

    def announce(self, text: str) -> None:
        """Say where the server listens. Nothing can be said after this."""
        self._say(self._output, text)
        self._close()

    def show_progress(self, text: str) -> None:
        """Say how far something is that takes long, a line every few seconds."""
        now = forward_seconds()
        if now >= self._shown_at + _PROGRESS_SECONDS:
            self._shown_at = now
            self._say(self._errors, f"irchat: {text}")

    def fail(self, line: str) -> NoReturn:
        """Say why the server cannot start, and end the process with status 1.

        In a daemon by an exception: only by one does twistd, which waits in the process that was started, learn of it.
        """
        self._say(self._errors, f"irchat: {line}")
        self._close()
        if os.getpid() != self._process:
            raise CannotStart(line)
        raise SystemExit(1)

    def _say(self, descriptor: int | None, text: str) -> None:
        if descriptor is not None:
            with suppress(OSError):  # the terminal is gone
                os.write(descriptor, f"{text}\n".encode())
        if os.getpid() != self._process:
            _log.info("{text}", text=text)

    def _close(self) -> None:
        for descriptor in self._output, self._errors:
            if descriptor is not None:
                os.close(descriptor)


def _duplicate(stream: Any) -> int | None:
    try:
        return os.dup(stream.fileno())
    except (AttributeError, OSError, ValueError):  # started without that stream
        return None


def explain(error: Exception, config: Config) -> str:
    """One line for the person who starts the server: what is in the way, and what to do."""
    if isinstance(error, WrongCertificate):
        return str(error)
    if isinstance(error, FolderInUse):
        return f"the data folder {config.data} is in use: {error}; stop that one or choose another --data"
    if isinstance(error, NewerDatabase):
        return f"the data in {config.data} cannot be used: {error}"
    if isinstance(error, sqlite3.Error):
        return f"the database in {config.data} cannot be used: {error}; {_mend_database(error)}"
    if isinstance(error, CannotListenError):
        return _cannot_listen(error.socketError, config)
    assert isinstance(error, OSError)
    if error.errno is None or error.filename is not None:
        why = str(error) if error.errno is None else f"{error.filename}: {os.strerror(error.errno)}"
        return f"the data folder {config.data} cannot be used: {why}; give it to this user or choose another --data"
    return _cannot_listen(error, config)


def _mend_database(error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
    return _MENDS_OF_DATABASE.get(code, "restore a backup or choose another --data")


def _cannot_listen(error: OSError, config: Config) -> str:
    mend = _MENDS_OF_PORT.get(error.errno or 0, "choose another --host or --port")
    why = os.strerror(error.errno) if error.errno else str(error)
    return f"cannot listen on {config.host or 'all addresses'}, port {config.port}: {why}; {mend}"
