"""A connection: lines in, the choice of the protocol, and the limits of time.

The server greets; the first line chooses the protocol. Who does not sign in within a minute is told so and
disconnected. A JSON client that is silent for 45 seconds is asked for a sign of life, after 90 it is given up; in the
text protocol the systems at both ends do this. A line that is too long is thrown away up to its end, and answered. Who
closes the sending half of a TCP connection, as ``nc -N`` does at the end of its input, is answered and then
disconnected.
"""

import re
import socket
import struct
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IHalfCloseableProtocol, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from irchat.net.socket_writer import Outgoing, SocketWriter
from irchat.net.tls import TLSLayer
from irchat.protocol import events
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import CLIENT_LINE_BYTES, LOGIN_SECONDS, PING_AFTER, PROTOCOL, SILENCE_ENDS
from irchat.server.admission import Visit
from irchat.server.delivery.shared_lines import SharedRenderer
from irchat.server.protocols.json_lines import JSONProtocol
from irchat.server.protocols.text import TextProtocol
from irchat.server.sessions.allowance import LONG
from irchat.server.sessions.services import Services
from irchat.server.sessions.session import Session

_HTTP_REQUEST = re.compile(rb"[A-Z]+ \S+ HTTP/\d")
_KEEPALIVE_PROBES = 3
# While something is unacknowledged the system sends no keepalive probes but waits for that anew, so in a chat where
# much is said it may take twice as long. So the server looks itself, so often, how long ago its system heard of a peer.
_LOOK_SECONDS = 15
# tcpi_last_ack_recv of Linux's struct tcp_info, in milliseconds.
_LAST_HEARD = struct.Struct("=56xI")
_LINGER_SECONDS = 10.0
# One read from a socket may bring thousands of lines. After so many the others get their turn.
_LINES_A_TURN = 32


@implementer(IHalfCloseableProtocol)
class Connection(LineReceiver):
    """One connection of a client."""

    transport: Any  # Twisted's TCP connection, TLS over it, or a test's
    delimiter = b"\n"
    # Room for the carriage return that may come before the end.
    MAX_LENGTH = CLIENT_LINE_BYTES + 1

    def __init__(
        self, services: Services, clock: IReactorTime, server_name: str, visit: Visit, renderer: SharedRenderer
    ) -> None:
        self._services = services
        self._clock = clock
        self._server_name = server_name
        self._visit = visit
        self._renderer = renderer
        self._protocol: TextProtocol | JSONProtocol
        self._has_protocol = False
        self._rest = b""
        self._last_line = clock.seconds()
        self._is_pinged = False
        self._timer: IDelayedCall | None = None
        self._is_full = False
        self._said_all = False
        self._lines_taken = 0
        self._resting: IDelayedCall | None = None

    def connectionMade(self) -> None:
        """Greet."""
        writer: Outgoing = self.transport if isinstance(self.transport, TLSLayer) else SocketWriter(self.transport)
        self.session = Session(self._services, writer, self._visit, self._welcomed, self._pause, self._linger)
        self._protocol = TextProtocol(
            self.session,
            self._services.chat.directory,
            self._services.accounts,
            self._renderer,
            self._clock,
        )
        self.session.speak(self._protocol)
        self._timer = self._clock.callLater(LOGIN_SECONDS, self._sign_in_late)
        self.session.outbox.put(f"IRChat/{PROTOCOL} {self._server_name}: your username?\n".encode())

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The client is gone."""
        self._cancel_timer()
        if self._resting is not None:
            self._resting.cancel()
            self._resting = None
        self.session.lost()
        self._visit.over()

    def readConnectionLost(self) -> None:
        """The client sends no more: answer what it asked, and close. So does a client begin that is gone altogether.

        Of TCP alone. Where reading rests, lines may wait still: it is called again when reading goes on.
        """
        if not self._said_all:
            self._said_all = True
            self._cancel_timer()
            self._timer = self._clock.callLater(SILENCE_ENDS, self._abort)
        if not self.paused:
            self.session.end_when_answered("all that you sent is answered")

    def writeConnectionLost(self) -> None:
        """Never called: the server closes both halves at once."""

    def dataReceived(self, data: bytes) -> None:
        """Bytes came. What follows an overlong line is taken up anew, for LineReceiver has let go of it."""
        if self._resting is None:
            self._lines_taken = 0
        data, self._rest = self._rest + data, b""
        LineReceiver.dataReceived(self, data)
        while self._rest and not self.paused:
            rest, self._rest = self._rest, b""
            LineReceiver.dataReceived(self, rest)

    def lineReceived(self, line: bytes) -> None:
        """A line came."""
        self._count_line()
        line = line.removesuffix(b"\r")
        self._last_line = self._clock.seconds()
        self._is_pinged = False
        if len(line) > LONG:
            self.session.count_line(len(line))
        if len(line) > CLIENT_LINE_BYTES:
            self._refuse_overlong()
        elif line and (self._has_protocol or self._choose_protocol(line)):
            self._protocol.line(line)

    def lineLengthExceeded(self, line: bytes) -> None:
        """More than a line may hold came, with or without its end."""
        self._count_line()
        self._refuse_overlong()
        _, end, self._rest = line.partition(self.delimiter)
        if not end:
            self.setRawMode()

    def rawDataReceived(self, data: bytes) -> None:
        """More of a line that is too long came: throw it away up to its end."""
        _, end, rest = data.partition(self.delimiter)
        if end:
            self.setLineMode(rest)

    def _refuse_overlong(self) -> None:
        refusal = Refusal(
            Code.LINE_TOO_LONG, f"The line is longer than {CLIENT_LINE_BYTES:,} bytes; it was thrown away. Send less."
        )
        self.session.refuse(refusal, None)

    def _choose_protocol(self, line: bytes) -> bool:
        """The first line that is not blank chooses; False where it is not for the protocol to read."""
        if not line.strip():
            return False
        if _HTTP_REQUEST.match(line):
            self.session.end("this is no web server")
            return False
        if line.startswith(b"{"):
            self._protocol.lost()
            self._protocol = JSONProtocol(self.session)
            self.session.speak(self._protocol)
        self._has_protocol = True
        return True

    def _welcomed(self) -> None:
        if isinstance(self._protocol, JSONProtocol):
            self._watch()
        else:
            self._keep_alive()
            self._watch_system()

    def _sign_in_late(self) -> None:
        self._timer = None
        self.session.end(f"nobody signed in within {LOGIN_SECONDS} seconds")

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _watch(self) -> None:
        """Look again when the client will have been silent for too long."""
        self._cancel_timer()
        due = self._last_line + (SILENCE_ENDS if self._is_pinged else PING_AFTER)
        self._timer = self._clock.callLater(max(0.0, due - self._clock.seconds()), self._look)

    def _look(self) -> None:
        self._timer = None
        silence = self._clock.seconds() - self._last_line
        if silence >= SILENCE_ENDS:
            self.session.end(f"nothing heard for {SILENCE_ENDS} seconds")
            return
        if silence >= PING_AFTER and not self._is_pinged:
            self._is_pinged = True
            self.session.outbox.put(JSONProtocol.encode(events.Ping()))
        self._watch()

    @property
    def _tcp(self) -> Any:
        return self.transport.transport if isinstance(self.transport, TLSLayer) else self.transport

    def _watch_system(self) -> None:
        """Look again by and by whether the system still hears of a text client."""
        self._cancel_timer()
        if hasattr(socket, "TCP_INFO"):
            self._timer = self._clock.callLater(_LOOK_SECONDS, self._look_at_system)

    def _look_at_system(self) -> None:
        self._timer = None
        information = self._tcp.getHandle().getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAST_HEARD.size)
        (silence_ms,) = _LAST_HEARD.unpack(information)
        if silence_ms > (SILENCE_ENDS - _LOOK_SECONDS) * 1_000:  # at the next look it would be too late
            self.session.end(f"nothing heard for {silence_ms // 1_000} seconds")
        else:
            self._watch_system()

    def _keep_alive(self) -> None:
        """Have the system probe a text client that is silent, and give it up by itself after 90 seconds."""
        tcp = self._tcp
        tcp.setTcpKeepAlive(1)
        handle = tcp.getHandle()
        interval = (SILENCE_ENDS - PING_AFTER) // _KEEPALIVE_PROBES
        for option, value in (
            ("TCP_KEEPIDLE", PING_AFTER),
            ("TCP_KEEPINTVL", interval),
            ("TCP_KEEPCNT", _KEEPALIVE_PROBES),
            # This also ends who is there but takes nothing.
            ("TCP_USER_TIMEOUT", SILENCE_ENDS * 1_000),
        ):
            if hasattr(socket, option):
                handle.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)

    def _linger(self) -> None:
        """The connection closes; who does not read the last line is not waited for long."""
        self._cancel_timer()
        self._timer = self._clock.callLater(_LINGER_SECONDS, self._abort)

    def _abort(self) -> None:
        self._timer = None
        self.transport.abortConnection()

    def _count_line(self) -> None:
        self._lines_taken += 1
        if self._lines_taken >= _LINES_A_TURN and self._resting is None:
            self._resting = self._clock.callLater(0, self._rested)
            self._read_on()

    def _rested(self) -> None:
        self._resting = None
        self._read_on()

    def _pause(self, is_full: bool) -> None:
        """Read no more while the session has more to answer than it may, and read on after."""
        self._is_full = is_full
        self._read_on()

    def _read_on(self) -> None:
        pauses = self._is_full or self._resting is not None
        if pauses and not self.paused:
            self.pauseProducing()
        elif self.paused and not pauses:
            self.resumeProducing()
