"""The life of a connection: greeting, choice of the protocol, sign-in timeout, keepalive, and closing.

A connection that has not signed in after a minute, or after the time of its protocol, is closed with a message. After
45 seconds of silence the protocol pings the client, and after 90 the connection is closed. If the protocol has no ping,
TCP keepalive does the same. If the client closes the sending half of a TCP connection, as ``nc -N`` does at the end of
its input, its requests are answered before the connection is closed. `irchat.server.listeners.line_framing` splits
bytes into lines.
"""

import socket
import struct
import typing
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IDelayedCall, IHalfCloseableProtocol, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from irchat.net.addresses import Address
from irchat.net.socket_writer import outgoing_of
from irchat.net.websocket_layer import NORMAL, REFUSED
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import CLIENT_LINE_BYTES, LOGIN_SECONDS, PING_AFTER, SILENCE_ENDS
from irchat.server.admission import Visit
from irchat.server.listeners.line_framing import LineFraming
from irchat.server.protocols.base import SILENT
from irchat.server.protocols.offers import Offers
from irchat.server.sessions.services import Services
from irchat.server.sessions.session import Session

if TYPE_CHECKING:
    from irchat.server.listeners.registry import ConnectionRegistry

# Seconds between checks of how long a peer has been silent according to the system.
_LOOK_SECONDS = 15
_LINGER_SECONDS = 10.0
_PROBES = 3
# tcpi_last_ack_recv of Linux's struct tcp_info, in milliseconds.
_LAST_HEARD = struct.Struct("=56xI")


class Door(typing.Protocol):
    """The factory of a connection, as the connection sees it."""

    clock: IReactorTime
    services: Services
    offers: Offers
    registry: "ConnectionRegistry"

    @property
    def name(self) -> str:
        """The name of the server."""


@implementer(IHalfCloseableProtocol)
class Connection(LineFraming):
    """A connection of a client from ``address``, which is None if it is not an IP address.

    ``close_code``: the reason of its end, for a client that gets a number (RFC 6455, section 7.4.1).
    """

    def __init__(self, factory: "Door", visit: Visit, address: Address | None) -> None:
        super().__init__(factory.clock)
        self.address = address
        self.close_code = NORMAL
        self._factory = factory
        self._visit = visit
        self._began = self._last_line = factory.clock.seconds()
        self._is_asked = False
        self._timer: IDelayedCall | None = None
        self._said_all = False

    def connectionMade(self) -> None:
        """Send the greeting."""
        writer = outgoing_of(self.transport)
        self.session = Session(self._factory.services, writer, self._visit, self._welcomed, self.hold, self._linger)
        protocol = self._factory.offers.default(self.session)
        self.session.speak(protocol)
        self._receive: Callable[[bytes], None] = self._choose
        self._set_timer(LOGIN_SECONDS, self._sign_in_late)
        self.session.outbox.put(protocol.greeting(self._factory.name))
        self._factory.registry.add(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Drop everything after the connection is lost."""
        self._cancel_timer()
        self.stop_reading()
        self.session.lost()
        self._visit.over()
        self._factory.registry.remove(self)
        del self._receive  # it may refer to this object, and only the collector frees a cycle

    def readConnectionLost(self) -> None:
        """Answer the remaining requests and close. The client sends no further requests, or is gone.

        Only TCP connections call this. While reading is paused, lines may remain: then it is called again later.
        """
        if not self._said_all:
            self._said_all = True
            self._set_timer(SILENCE_ENDS, self.abort)
        if not self.paused:
            self.session.end_when_answered("all that you sent is answered")

    def writeConnectionLost(self) -> None:
        """Do nothing. Never called, because the server closes both halves at once."""

    def line_received(self, line: bytes) -> None:
        """Pass a line to the protocol."""
        self._last_line = self._clock.seconds()
        self._is_asked = False
        self.session.count_line(len(line))
        if line:
            self._receive(line)

    def line_too_long(self) -> None:
        """Refuse a discarded line."""
        refusal = Refusal(
            Code.LINE_TOO_LONG, f"The line is longer than {CLIENT_LINE_BYTES:,} bytes; it was discarded. Send less."
        )
        self.session.refuse(refusal, None)

    def discarded(self, size: int) -> None:
        """Charge for a part of an overlong line."""
        self.session.count_line(size)

    def abort(self) -> None:
        """Close the connection now."""
        self._cancel_timer()
        self.transport.abortConnection()

    def _choose(self, line: bytes) -> None:
        """Choose the protocol by the first line that is not blank. A ban is reported now, in that protocol."""
        if not line.strip():
            return
        make = self._factory.offers.choose(line)
        if make is None and self._factory.offers.must_choose:
            self.close_code = REFUSED
        if make is not None:
            self.session.protocol.lost()
            self.session.speak(make(self.session))
        self._receive = self.session.protocol.receive
        if not self._factory.registry.end_if_banned(self):
            self._receive(line)

    def _welcomed(self) -> None:
        if self.session.protocol.keepalive is None:
            _keep_alive(self._tcp)
            self._set_timer(_LOOK_SECONDS, self._look_at_system)
        else:
            self._look_at_lines()

    def _sign_in_late(self) -> None:
        seconds = self.session.protocol.sign_in_seconds
        left = self._began + seconds - self._clock.seconds()
        if left > 0:
            self._set_timer(left, self._sign_in_late)
        else:
            self.session.end(f"nobody signed in within {seconds} seconds")

    def _look_at_lines(self) -> None:
        """Ping a silent client, or close its connection if it did not answer. Schedule the next check."""
        silence = self._clock.seconds() - self._last_line
        if silence >= SILENCE_ENDS:
            self.session.end(SILENT)
            return
        if silence >= PING_AFTER and not self._is_asked:
            self._is_asked = True
            self.session.outbox.put(self.session.protocol.keepalive or b"")
        self._set_timer((SILENCE_ENDS if self._is_asked else PING_AFTER) - silence, self._look_at_lines)

    def _look_at_system(self) -> None:
        """Close a connection that is silent for too long according to the system. Schedule the next check."""
        silence = _silence_of(self._tcp)
        if silence is None:
            self._cancel_timer()
        elif silence > SILENCE_ENDS - _LOOK_SECONDS:  # the next check would be too late
            self.session.end(f"nothing heard for {int(silence)} seconds")
        else:
            self._set_timer(_LOOK_SECONDS, self._look_at_system)

    @property
    def _tcp(self) -> Any:
        return getattr(self.transport, "tcp", self.transport)

    def _linger(self) -> None:
        """Wait a limited time for the last line to be sent while the connection closes."""
        self._set_timer(_LINGER_SECONDS, self.abort)

    def _set_timer(self, seconds: float, call: Callable[[], None]) -> None:
        self._cancel_timer()
        self._timer = self._clock.callLater(seconds, call)

    def _cancel_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None


def _keep_alive(tcp: Any) -> None:
    """Make the system probe a silent peer of a TCP transport, and close the connection after `SILENCE_ENDS` seconds."""
    tcp.setTcpKeepAlive(1)
    handle = tcp.getHandle()
    for option, value in (
        ("TCP_KEEPIDLE", PING_AFTER),
        ("TCP_KEEPINTVL", (SILENCE_ENDS - PING_AFTER) // _PROBES),
        ("TCP_KEEPCNT", _PROBES),
        # This also ends a peer that is alive but reads nothing.
        ("TCP_USER_TIMEOUT", SILENCE_ENDS * 1_000),
    ):
        if hasattr(socket, option):
            handle.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def _silence_of(tcp: Any) -> float | None:
    """Return the seconds since the system last heard from the peer, or None if the system does not report them.

    The system sends no probes while bytes are unacknowledged. It waits for these instead, again after each write, so in
    a busy chat it can take twice as long to close the connection.
    """
    if not hasattr(socket, "TCP_INFO"):
        return None
    information = tcp.getHandle().getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAST_HEARD.size)
    (silence_ms,) = _LAST_HEARD.unpack(information)
    return float(silence_ms / 1_000)
