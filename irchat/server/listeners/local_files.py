"""The files that lead programs on this machine to the server: the control socket and the port note.

Tools that clean up old files may delete them while the server runs, so they are checked and created again.
"""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet import tcp, unix
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import ServerFactory
from twisted.logger import Logger
from twisted.python import log
from twisted.python.failure import Failure

from irchat.net.port_note import PortFile
from irchat.net.socket_paths import short_path
from irchat.server.listeners.descriptors import SpareDescriptor

SECONDS_BETWEEN_LOOKS = 60.0

_log = Logger()

Made = TypeVar("Made")
FileID = tuple[int, int]
"""The device and the inode of a file or folder."""


class SocketPort(unix.Port):
    """A Twisted port that deletes its socket file, unless another file has taken its place."""

    def __init__(self, path: Path, bound: str, factory: ServerFactory, logger: Logger, reactor: Any) -> None:
        unix.Port.__init__(self, os.fsencode(bound), factory, mode=0o600, wantPID=False, reactor=reactor)
        self._path = path
        self._logger = logger
        self._inode: FileID | None = None

    def startListening(self) -> None:
        # Without the context of the caller: it may be a connection, whose log lines have the address of the peer.
        log.callWithContext({"system": "-"}, unix.Port.startListening, self)
        self.socket = SpareDescriptor(self.socket)
        self._inode = _inode(self._path)

    def connectionLost(self, reason: Failure) -> None:
        if self.stands():
            self._path.unlink(missing_ok=True)
        tcp.Port.connectionLost(self, reason)

    def stands(self) -> bool:
        """Return whether the file still exists and was not replaced."""
        return self._inode is not None and _inode(self._path) == self._inode


class LocalFiles:
    """Maintains the two files. If one cannot be created, this logs each reason once, and the server runs without it.

    ``logger`` receives the lines that Twisted writes about each connection that it cannot accept.
    """

    def __init__(
        self, reactor: Any, socket_path: Path, factory: ServerFactory, logger: Logger, note: Callable[[], PortFile]
    ) -> None:
        self._reactor = reactor
        self._socket_path = socket_path
        self._folder = folder_id(socket_path.parent)
        self._factory = factory
        self._logger = logger
        self._note = note
        self._port: SocketPort | None = None
        self._port_file: PortFile | None = None
        self._next_look: IDelayedCall | None = None
        self._logged: set[str] = set()

    def look(self) -> None:
        """Create missing files, now and every minute."""
        if self._next_look is not None and self._next_look.active():
            self._next_look.cancel()
        self._next_look = self._reactor.callLater(SECONDS_BETWEEN_LOOKS, self.look)
        if self._port is None or not self._port.stands():
            self._close_socket()
            self._port = self._made(self._open_socket, "irchat-admin cannot reach this server while it runs")
        if self._port_file is None or not self._port_file.stands():
            self._forget_note()
            self._port_file = self._made(self._note, "clients on this machine have to name the port")

    def close(self) -> Deferred[None]:
        """Delete the files. Fires when the socket is closed."""
        if self._next_look is not None:
            self._next_look.cancel()
            self._next_look = None
        self._forget_note()
        return self._close_socket()

    def _made(self, make: Callable[[], Made], otherwise: str) -> Made | None:
        try:
            return make()
        except (OSError, CannotListenError) as error:
            text = f"{otherwise}: {error}"
            if text not in self._logged:
                self._logged.add(text)
                _log.error("{text}", text=text)
            return None

    def _open_socket(self) -> SocketPort:
        return open_socket(self._reactor, self._socket_path, self._factory, self._logger, self._folder)

    def _close_socket(self) -> Deferred[None]:
        port, self._port = self._port, None
        return succeed(None) if port is None else maybeDeferred(port.stopListening)

    def _forget_note(self) -> None:
        if self._port_file is not None:
            self._port_file.remove()
            self._port_file = None


def open_socket(reactor: Any, path: Path, factory: ServerFactory, logger: Logger, folder: FileID | None) -> SocketPort:
    """Listen at ``path``, in the ``folder`` that this process has locked. Raises OSError or CannotListenError.

    If the folder was moved, another one may be at its path now, with the socket of another server.
    """
    if folder_id(path.parent) != folder:
        raise OSError(errno.ESTALE, "The data folder was moved while the server runs", str(path.parent))
    path.unlink(missing_ok=True)  # left by a dead server
    with short_path(path) as bound:
        port = SocketPort(path, bound, factory, logger, reactor)
        port.startListening()
    return port


def folder_id(path: Path) -> FileID | None:
    """Return what identifies the folder that is at a path now, or None."""
    return _inode(Path(os.path.realpath(path)))


def _inode(path: Path) -> FileID | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
