"""The connections of an attack, in the process of `benchmarks.attacks`."""

import contextlib
import errno
import json
import select
import socket
import ssl
from collections.abc import Callable
from typing import NamedTuple

from benchmarks.servers import HOST
from tests.helpers.tls_peer import TLSPeer

SESSIONS_OF_ADDRESS = 50

_READ_BYTES = 262_144


class Attack(NamedTuple):
    """An attack by many connections of one user or address.

    ``line`` returns line ``number`` of a connection. ``in_flight`` lines wait for a reply at a time. After ``lines``
    lines, a connection is replaced by a new one. ``signs_in``: begin with a token instead of with ``line``. ``users``:
    all connections belong to different users behind one address, instead of to the attacker. ``reads``: read the
    replies. ``tls``: use TLS. ``records`` returns what a connection sends after its TLS handshake, by the number of
    calls before. ``is_web``: be a browser.
    """

    line: Callable[[int, int], bytes]
    in_flight: int = 4
    lines: int | None = None
    signs_in: bool = True
    reads: bool = True
    users: bool = False
    tls: bool = False
    records: Callable[[TLSPeer, int], bytes] | None = None
    is_web: bool = False

    @property
    def is_of_address(self) -> bool:
        """Whether all connections come from one address."""
        return self.users or not self.signs_in


class Session:
    """A connection of an attack."""

    def __init__(self, attack: Attack, number: int, port: int, token: str, poller: select.epoll) -> None:
        self._attack = attack
        self._number = number
        self._port = port
        self._token = token
        self._poller = poller
        self.was_in = not attack.signs_in
        self._open()

    def turn(self) -> None:
        """Handle a socket that can be read or written."""
        try:
            if self._attack.reads or not self._is_in:
                with contextlib.suppress(BlockingIOError):
                    self._take(self.socket.recv(_READ_BYTES))
            self._fill()
        except OSError:
            self._come_back()

    def _open(self) -> None:
        self.socket = socket.socket()
        self.socket.setblocking(False)
        last = 2 if self._attack.is_of_address else 2 + self._number // SESSIONS_OF_ADDRESS
        self.socket.bind((f"127.0.0.{last}", 0))
        self._is_in = not self._attack.signs_in
        self._asked = self._answered = 0
        self._out = b""
        if self.socket.connect_ex((HOST, self._port)) not in (0, errno.EINPROGRESS):
            raise OSError("the server cannot be connected")
        if self._attack.signs_in:
            self._out = json.dumps({"type": "resume", "token": self._token, "ref": "in"}).encode() + b"\n"
        self._poller.register(self.socket.fileno(), select.EPOLLIN | select.EPOLLOUT)

    def _take(self, data: bytes) -> None:
        if not data:
            raise ConnectionResetError
        if not self._is_in:
            self._is_in = b'"ref":"in"' in data or b'"type":"welcome"' in data
            self.was_in = self.was_in or self._is_in
            return
        self._answered += 1 if self._attack.tls else data.count(b"\n")
        if self._attack.lines is not None and self._answered >= self._attack.lines:
            self._come_back()

    def _fill(self) -> None:
        attack = self._attack
        while self._is_in and not self._out and self._asked < self._answered + attack.in_flight:
            if attack.lines is not None and self._asked >= attack.lines:
                break
            self._out = attack.line(self._number, self._asked)
            self._asked += 1
            self._send()
        self._send()
        waits_to_send = bool(self._out)
        self._poller.modify(self.socket.fileno(), select.EPOLLIN | (select.EPOLLOUT if waits_to_send else 0))

    def _send(self) -> None:
        if self._out:
            with contextlib.suppress(BlockingIOError):
                self._out = self._out[self.socket.send(self._out) :]

    def _come_back(self) -> None:
        sessions.pop(self.socket.fileno(), None)
        self.socket.close()
        self._open()
        sessions[self.socket.fileno()] = self


class RecordSession(Session):
    """A connection that sends TLS records as fast as it can."""

    def _open(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if self._attack.is_web:
            context.set_alpn_protocols(["http/1.1"])
        self._peer = TLSPeer(context, None)
        super()._open()
        self._out = self._peer.handshake()

    def _take(self, data: bytes) -> None:
        if not data:
            raise ConnectionResetError
        if not self._peer.is_ready:
            self._out += self._peer.handshake(data)

    def _fill(self) -> None:
        if self._peer.is_ready and not self._out and self._attack.records is not None:
            self._out = self._attack.records(self._peer, self._asked)
            self._asked += 1
        super()._fill()


def client_hello() -> bytes:
    """Return a TLS ClientHello."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing)
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


sessions: dict[int, Session] = {}
