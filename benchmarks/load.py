"""The load generator: many connections on one poller, in a process of its own."""

import contextlib
import errno
import select
import socket
import ssl
import struct
import time
from collections.abc import Callable, Iterable

from benchmarks.servers import HOST, Server

_READ_BYTES = 262_144
_NO_LINGER = struct.pack("ii", 1, 0)  # a close leaves no socket in TIME_WAIT
_READ, _WRITE = select.EPOLLIN, select.EPOLLIN | select.EPOLLOUT

Lines = Callable[["Connection", bytes], None]
"""Called with complete lines, including their ends."""


class Lost(Exception):
    """Raised if a server closes a connection, takes too long, or loses, duplicates or reorders messages."""


def context() -> ssl.SSLContext:
    """Return a context that verifies nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Connection:
    """A connection of a client. ``on_lines`` is called with received lines; ``ready`` is set after the sign-in."""

    __slots__ = ("_backlog", "_load", "_rest", "_secure", "_shaken", "fd", "number", "on_lines", "position", "ready",
                 "server", "sock")  # fmt: skip

    def __init__(self, load: "Load", server: Server, number: int, on_lines: Lines, source: str = "") -> None:
        self._load = load
        self.server = server
        self.number = number
        self.on_lines = on_lines
        self.position = 0
        self.ready = False
        self._rest = b""
        self._backlog = b""
        self.sock = socket.socket()
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if source:
            self.sock.bind((source, 0))
        code = self.sock.connect_ex((HOST, server.port))
        if code not in (0, errno.EINPROGRESS):
            raise Lost(f"{server.name} cannot be connected: {errno.errorcode[code]}")
        self.fd = self.sock.fileno()
        self._shaken = not server.tls
        self._secure: ssl.SSLSocket | None = None
        if server.tls:
            self._secure = load.tls.wrap_socket(self.sock, do_handshake_on_connect=False)
            self.sock = self._secure
            self.fd = self.sock.fileno()

    def send(self, data: bytes) -> None:
        """Send lines."""
        self.push(data)

    def push(self, data: bytes) -> None:
        """Send bytes."""
        if self._backlog or not self._shaken:
            self._backlog += data
            self._load.watch(self, _WRITE)
            return
        try:
            sent = self.sock.send(data)
        except (BlockingIOError, ssl.SSLWantWriteError):
            sent = 0
        except OSError as error:
            if error.errno != errno.ENOTCONN:
                raise Lost(f"{self.server.name} closed connection {self.number}: {error}") from error
            sent = 0
        if sent < len(data):
            self._backlog = data[sent:]
            self._load.watch(self, _WRITE)

    def lines_in(self, data: bytes) -> bytes:
        """Return the lines, or parts of lines, in received bytes."""
        return data

    def turn(self, mask: int) -> None:
        """Handle a socket that can be read or written."""
        if not self._shaken and not self._shake():
            return
        if self._backlog and mask & select.EPOLLOUT:
            data, self._backlog = self._backlog, b""
            self._load.watch(self, _READ)
            self.push(data)
        if mask & ~select.EPOLLOUT:
            self._read()

    def close(self) -> None:
        """Close at once."""
        self._load.forget(self)
        self.sock.close()

    def _shake(self) -> bool:
        assert self._secure is not None
        try:
            self._secure.do_handshake()
        except ssl.SSLWantReadError:
            self._load.watch(self, _READ)
            return False
        except ssl.SSLWantWriteError:
            self._load.watch(self, _WRITE)
            return False
        self._shaken = True
        self._load.watch(self, _WRITE if self._backlog else _READ)
        return True

    def _read(self) -> None:
        while True:
            try:
                data = self.sock.recv(_READ_BYTES)
            except (BlockingIOError, ssl.SSLWantReadError):
                return
            except OSError as error:
                raise Lost(f"{self.server.name} closed connection {self.number}: {error}") from error
            if not data:
                raise Lost(f"{self.server.name} closed connection {self.number}: {self._rest[-300:]!r}")
            data = self.lines_in(data)
            if self._rest:
                data = self._rest + data
            end = data.rfind(b"\n") + 1
            self._rest = data[end:]
            if end:
                self.on_lines(self, data if end == len(data) else data[:end])
            if self._secure is None or self.sock.fileno() < 0:
                return


class Load:
    """A poller and its connections."""

    def __init__(self) -> None:
        self.tls = context()
        self.connections: dict[int, Connection] = {}
        self._poller = select.epoll()

    def open(self, server: Server, number: int, hello: bytes, on_lines: Lines, source: str = "") -> Connection:
        """Open a connection that sends ``hello`` first, from the address ``source``."""
        connection = (server.connection or Connection)(self, server, number, on_lines, source)
        self.connections[connection.fd] = connection
        self._poller.register(connection.fd, _WRITE)
        connection.send(hello)
        if connection._shaken and not connection._backlog:
            self.watch(connection, _READ)
        return connection

    def watch(self, connection: Connection, mask: int) -> None:
        """Set the poll events of a connection."""
        self._poller.modify(connection.fd, mask)

    def forget(self, connection: Connection) -> None:
        """Remove a connection that was closed here."""
        if self.connections.pop(connection.fd, None) is not None:
            self._poller.unregister(connection.fd)

    def close(self, connections: Iterable[Connection]) -> None:
        """Close connections."""
        for connection in connections:
            connection.close()

    def once(self, seconds: float) -> None:
        """Handle one round of events, waiting up to ``seconds`` for it."""
        for fd, mask in self._poller.poll(max(0.0, seconds)):
            connection = self.connections.get(fd)
            if connection is not None:
                connection.turn(mask)

    def until(self, done: Callable[[], bool], what: str, patience: float = 120.0) -> None:
        """Handle events until ``done`` returns True. Raise Lost after a time limit."""
        deadline = time.monotonic() + patience
        while not done():
            self.once(0.05)
            if time.monotonic() > deadline:
                raise Lost(f"waited in vain for {what}")

    def quiet(self, seconds: float = 0.5, longest: float = 15.0) -> None:
        """Handle events until nothing has arrived for some seconds."""
        deadline = time.monotonic() + longest
        while time.monotonic() < deadline:
            events = self._poller.poll(seconds)
            if not events:
                return
            for fd, mask in events:
                with contextlib.suppress(KeyError):
                    self.connections[fd].turn(mask)
