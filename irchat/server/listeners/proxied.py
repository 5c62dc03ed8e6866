"""A connection from a balancer, until its PROXY header has arrived."""

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from irchat.net.proxy_header import read_proxy_header
from irchat.protocol.rules import LOGIN_SECONDS
from irchat.server.listeners.descriptors import Room
from irchat.system.seldom import Seldom

_NO_HEADER = "The server requires the PROXY protocol from this address (--proxy-from). Use the balancer."

_log = Logger()


class BadHeaders:
    """Logs connections without a valid header, once a minute and without addresses."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seldom = Seldom(seconds)

    def add(self) -> None:
        """Count and log one connection."""
        if count := self._seldom.add():
            _log.error(
                "{count:,} connections from --proxy-from had no valid PROXY header: set send-proxy-v2 in the balancer,"
                " or leave that address out of --proxy-from",
                count=count,
            )


class ProxiedConnection(Protocol):
    """Waits for the header, then hands the transport on to the protocol that ``build`` returns for the client's host.

    ``host``: the address of the balancer, used if the header states none. ``is_plain``: whether a reason can be sent as
    text to a peer without a header.
    """

    transport: Any

    def __init__(
        self,
        host: str,
        build: Callable[[str], Protocol | None],
        room: Room,
        clock: IReactorTime,
        bad: BadHeaders,
        *,
        is_plain: bool,
    ) -> None:
        self._host = host
        self._build = build
        self._room = room
        self._bad = bad
        self._is_plain = is_plain
        self._data = b""
        self._is_over = False
        self._late: IDelayedCall = clock.callLater(LOGIN_SECONDS, self._refuse)
        room.taken += 1

    def dataReceived(self, data: bytes) -> None:
        """Read the header, and pass the bytes after it to the connection of the client."""
        if self._is_over:
            return
        self._data += data
        try:
            header = read_proxy_header(self._data)
        except ValueError:
            self._refuse()
            return
        if header is None:
            return
        self._end()
        inner = self._build(header.host or self._host)
        if inner is None:
            self.transport.loseConnection()
            return
        transport, rest = self.transport, self._data[header.length :]
        transport.protocol = inner
        inner.makeConnection(transport)
        if rest:
            inner.dataReceived(rest)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Forget a connection that is lost before its header."""
        self._end()

    def _refuse(self) -> None:
        """Close a connection without a valid header."""
        self._end()
        self._bad.add()
        if self._is_plain:
            self.transport.write(f"! {_NO_HEADER}\n".encode())
        self.transport.loseConnection()

    def _end(self) -> None:
        if not self._is_over:
            self._is_over = True
            self._room.taken -= 1
            if self._late.active():
                self._late.cancel()
