"""Startup errors. Each ends the process with one line, even in a daemon that has left the terminal."""

import errno
import os
import sqlite3
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import NoReturn, TextIO

from twisted.logger import Logger

from irchat.server.listeners.certificates import WrongCertificate
from irchat.server.listeners.listener import CannotBind, NoAddress
from irchat.settings import Config, WrongSetting
from irchat.store.sqlite.copying import BadCopy
from irchat.store.sqlite.migrations import NewerDatabase
from irchat.system.clock import forward_seconds
from irchat.system.files.data_folder import FolderInUse, UnsafeFolder
from irchat.system.remedies import SHORTAGE, is_shortage, mend_of_database, mend_of_file
from irchat.system.streams import one_line

_log = Logger()

_PROGRESS_SECONDS = 5.0

_MENDS_OF_PORT = {
    errno.EADDRINUSE: "is a server running there? stop it or choose another {port}",
    errno.EADDRNOTAVAIL: "choose a {host} that is an address of this machine",
    errno.EACCES: "choose a {port} of 1024 or more",
}


class CannotStart(Exception):
    """A daemon cannot start. The text says why."""


class _Exit(SystemExit, Exception):
    """Ends the process with one line on standard error.

    It is an Exception too, because twistd passes only exceptions to the process that waits for a daemon to start.
    """


def end_start(line: str) -> NoReturn:
    """End the process, which is still on its terminal, with ``line`` and status 1."""
    raise _Exit(f"irchat: {one_line(line)}")


class StartingTerminal:
    """The terminal from which the server is started. A daemon can still report there whether it has started."""

    def __init__(self) -> None:
        self._process = os.getpid()
        self._output = _duplicate(sys.__stdout__)
        self._errors = _duplicate(sys.__stderr__)
        self._shown_at = forward_seconds()

    def announce(self, text: str) -> None:
        """Write where the server listens. Nothing can be written after this."""
        self._say(self._output, text)
        self._close()

    def show_progress(self, text: str) -> None:
        """Write the progress of something slow, at most one line every few seconds."""
        now = forward_seconds()
        if now >= self._shown_at + _PROGRESS_SECONDS:
            self._shown_at = now
            self._say(self._errors, f"irchat: {text}")

    def fail(self, line: str) -> NoReturn:
        """Write why the server cannot start, and end the process with status 1.

        A daemon raises CannotStart instead, which twistd passes to the process that waits for the daemon to start.
        """
        line = one_line(line)
        self._say(self._errors, f"irchat: {line}")
        self._close()
        if os.getpid() != self._process:
            raise CannotStart(line)
        raise SystemExit(1)

    def _say(self, descriptor: int | None, text: str) -> None:
        if descriptor is not None:
            with suppress(OSError):  # the terminal is gone
                os.write(descriptor, f"{text}\n".encode("utf-8", "backslashreplace"))
        if os.getpid() != self._process:
            _log.info("{text}", text=text)

    def _close(self) -> None:
        for descriptor in self._output, self._errors:
            if descriptor is not None:
                os.close(descriptor)


def _duplicate(stream: TextIO | None) -> int | None:
    try:
        return None if stream is None else os.dup(stream.fileno())
    except (OSError, ValueError):  # started without that stream
        return None


def explain(error: Exception, config: Config) -> str:
    """Return one line for the person who starts the server: the cause, and the next step. Accepts any exception."""
    if isinstance(error, WrongCertificate | WrongSetting | UnsafeFolder):
        return str(error)
    if isinstance(error, FolderInUse):
        return f"the data folder {config.data} is in use: {error}; stop that one or choose another --data"
    if isinstance(error, NewerDatabase | BadCopy):
        return f"the data in {config.data} cannot be used: {error}"
    if isinstance(error, sqlite3.Error):
        mend = mend_of_database(error, config.data)
        return f"the database in {config.data} cannot be used: {error}; {mend}"
    if isinstance(error, NoAddress):
        return f"--host {config.host} is not an IP address of this machine; ip addr lists them"
    if isinstance(error, CannotBind):
        return _cannot_listen(error, config)
    if is_shortage(error):
        return f"cannot start: {SHORTAGE}"
    if isinstance(error, OSError):
        return _cannot_use(error, config.data)
    return f"cannot start: {unexpected(error)}"


def _cannot_use(error: OSError, data: Path) -> str:
    if error.errno is None:
        return f"the data folder {data} cannot be used: {error}; give this user access to it or choose another --data"
    where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
    why = f"{where}{error.strerror or os.strerror(error.errno)}"
    return f"the data folder {data} cannot be used: {why}; {mend_of_file(error)}, or choose another --data"


def unexpected(error: BaseException) -> str:
    """Describe an unforeseen error, with the last place in this package that it came through."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "irchat" in frame.filename] or frames
    place = f" ({Path(ours[-1].filename).name}, line {ours[-1].lineno})" if ours else ""
    return f"{type(error).__name__}: {error}{place}; please report this line in the project's tracker"


def _cannot_listen(error: CannotBind, config: Config) -> str:
    numbers = {config.web_port: "--web-port", config.irc_port: "--irc-port", config.ssh_port: "--ssh-port"}
    option = numbers.get(error.port, "--port") if error.port else "--port"
    of_main = option == "--port"
    host, port = (config.host, config.port) if of_main else (error.host, error.port)
    mend = _MENDS_OF_PORT.get(error.errno or 0, "choose another {host} or {port}")
    mend = mend.format(host="--web-host" if option == "--web-port" else "--host", port=option)
    why = os.strerror(error.errno) if error.errno else str(error)
    return f"cannot listen on {host or 'all addresses'}, port {port}: {why}; {mend}"
