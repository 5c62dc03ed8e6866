"""The life of a connection: greeting, choice of the protocol, sign-in timer, signs of life, and the ways it ends.

A client that has not signed in after a minute is told so and disconnected. One that is silent for 45 seconds is asked
for a sign of life by its protocol, and given up after 90; if the protocol has no such question, the systems at both
ends do the same. A client that closes the sending half of a TCP connection, as ``nc -N`` does at the end of its input,
is answered and then disconnected. How bytes become lines is in `irchat.server.listeners.line_framing`.
"""

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IHalfCloseableProtocol, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from irchat.net.addresses import Address
from irchat.net.socket_writer import Outgoing, SocketWriter
from irchat.net.tls import TLSLayer
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import CLIENT_LINE_BYTES, LOGIN_SECONDS, PING_AFTER, SILENCE_ENDS
from irchat.server.admission import Visit
from irchat.server.listeners.keepalive import keep_alive, silence_of
from irchat.server.listeners.line_framing import LineFraming
from irchat.server.listeners.registry import ConnectionRegistry
from irchat.server.protocols.offers import Offers
from irchat.server.sessions.allowance import LONG
from irchat.server.sessions.services import Services
from irchat.server.sessions.session import Session

# How often to look for how long the system has not heard of a peer.
_LOOK_SECONDS = 15
_LINGER_SECONDS = 10.0


@implementer(IHalfCloseableProtocol)
class Connection(LineFraming):
    """One connection of a client, from ``address`` (None if it is not one of a network)."""

    def __init__(
        self,
        services: Services,
        clock: IReactorTime,
        offers: Offers,
        registry: ConnectionRegistry,
        visit: Visit,
        address: Address | None,
        server_name: str,
    ) -> None:
        super().__init__(clock)
        self.address = address
        self._services = services
        self._offers = offers
        self._registry = registry
        self._visit = visit
        self._server_name = server_name
        self._receive: Callable[[bytes], None]
        self._last_line = clock.seconds()
        self._is_asked = False
        self._timer: IDelayedCall | None = None
        self._said_all = False

    def connectionMade(self) -> None:
        """Greet."""
        writer: Outgoing = self.transport if isinstance(self.transport, TLSLayer) else SocketWriter(self.transport)
        self.session = Session(self._services, writer, self._visit, self._welcomed, self.hold, self._linger)
        protocol = self._offers.default(self.session)
        self.session.speak(protocol)
        self._receive = self._choose
        self._set_timer(LOGIN_SECONDS, self._sign_in_late)
        self.session.outbox.put(protocol.greeting(self._server_name))
        self._registry.add(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Let go of everything: the client is gone."""
        self._cancel_timer()
        self.stop_reading()
        self.session.lost()
        self._visit.over()
        self._registry.remove(self)
        del self._receive  # which may lead back here; a cycle would be garbage

    def readConnectionLost(self) -> None:
        """Answer what the client asked, and close: it sends nothing more. A client that is gone begins like this too.

        Only TCP has this. While reading rests, there may be lines left; then it is called again when reading goes on.
        """
        if not self._said_all:
            self._said_all = True
            self._set_timer(SILENCE_ENDS, self.abort)
        if not self.paused:
            self.session.end_when_answered("all that you sent is answered")

    def writeConnectionLost(self) -> None:
        """Never called: the server closes both halves at once."""

    def line_received(self, line: bytes) -> None:
        """Hand a line to the protocol."""
        self._last_line = self._clock.seconds()
        self._is_asked = False
        if len(line) > LONG:
            self.session.count_line(len(line))
        if line:
            self._receive(line)

    def line_too_long(self) -> None:
        """Refuse a line that was discarded."""
        refusal = Refusal(
            Code.LINE_TOO_LONG, f"The line is longer than {CLIENT_LINE_BYTES:,} bytes; it was discarded. Send less."
        )
        self.session.refuse(refusal, None)

    def end(self, reason: str) -> None:
        """Say goodbye and close the connection when that is sent."""
        self.session.end(reason)

    def abort(self) -> None:
        """Close the connection now."""
        self._cancel_timer()
        self.transport.abortConnection()

    def _choose(self, line: bytes) -> None:
        """Take the first line that is not blank, which chooses the protocol. A banned client now understands why."""
        if not line.strip():
            return
        make = self._offers.choose(line)
        if make is not None:
            self.session.protocol.lost()
            self.session.speak(make(self.session))
        self._receive = self.session.protocol.receive
        if not self._registry.end_if_banned(self):
            self._receive(line)

    def _welcomed(self) -> None:
        if self.session.protocol.keepalive is None:
            keep_alive(self._tcp)
            self._set_timer(_LOOK_SECONDS, self._look_at_system)
        else:
            self._look_at_lines()

    def _sign_in_late(self) -> None:
        self.session.end(f"nobody signed in within {LOGIN_SECONDS} seconds")

    def _look_at_lines(self) -> None:
        """Ask a silent client for a sign of life, give one up that does not answer, and look again in time."""
        silence = self._clock.seconds() - self._last_line
        if silence >= SILENCE_ENDS:
            self.session.end(f"nothing heard for {SILENCE_ENDS} seconds")
            return
        if silence >= PING_AFTER and not self._is_asked:
            self._is_asked = True
            self.session.outbox.put(self.session.protocol.keepalive or b"")
        self._set_timer((SILENCE_ENDS if self._is_asked else PING_AFTER) - silence, self._look_at_lines)

    def _look_at_system(self) -> None:
        """Give a client up that the system has not heard of for too long, and look again."""
        silence = silence_of(self._tcp)
        if silence is None:
            self._cancel_timer()
        elif silence > SILENCE_ENDS - _LOOK_SECONDS:  # at the next look it would be too late
            self.session.end(f"nothing heard for {int(silence)} seconds")
        else:
            self._set_timer(_LOOK_SECONDS, self._look_at_system)

    @property
    def _tcp(self) -> Any:
        return self.transport.transport if isinstance(self.transport, TLSLayer) else self.transport

    def _linger(self) -> None:
        """Wait for a while until the last line is sent: the connection closes."""
        self._set_timer(_LINGER_SECONDS, self.abort)

    def _set_timer(self, seconds: float, call: Callable[[], None]) -> None:
        self._cancel_timer()
        self._timer = self._clock.callLater(seconds, self._timed, call)

    def _timed(self, call: Callable[[], None]) -> None:
        self._timer = None
        call()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
