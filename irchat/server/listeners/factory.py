"""The factory: makes connections, with or without TLS, and holds those that there are."""

import ssl
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime
from twisted.internet.protocol import Protocol, ServerFactory, connectionDone
from twisted.python.failure import Failure

from irchat.chat.state import bans
from irchat.net.addresses import Address, read_address
from irchat.net.tls import TLSLayer
from irchat.protocol.errors import Refusal
from irchat.protocol.rules import LOGIN_SECONDS
from irchat.server.admission import Visit, counted_address
from irchat.server.delivery.shared_lines import SharedRenderer
from irchat.server.listeners.connection import Connection
from irchat.server.listeners.descriptors import Room
from irchat.server.listeners.handshakes import Handshakes
from irchat.server.sessions.costs import WORK_OF_CONNECTION
from irchat.server.sessions.services import Services

_STOP_SECONDS = 1.0


class ChatFactory(ServerFactory):
    """Builds a `Connection` for each client. ``name`` and ``tls`` (None: plain TCP) are what new ones are given."""

    noisy = False

    def __init__(
        self,
        services: Services,
        clock: IReactorTime,
        *,
        name: str,
        tls: ssl.SSLContext | None,
        room: Room | None = None,
    ) -> None:
        self.connections: set[_HeldConnection] = set()
        self._services = services
        self._clock = clock
        self.name = name
        self.tls = tls
        self.room = room or Room(clock.seconds)
        self._handshakes = Handshakes(services.rate_limiters, clock)
        self._renderer = SharedRenderer(clock, colour=True, wall_ms=services.chat.wall_ms)
        self._stopped: Deferred[None] | None = None
        self._late: IDelayedCall | None = None
        services.chat.moderation.on_network_banned = self._end_banned

    def buildProtocol(self, addr: IAddress | None) -> Protocol | None:
        """A connection for a client."""
        if not self.room.is_there():
            return None
        address = counted_address(getattr(addr, "host", ""))
        try:
            visit = Visit(self._services.admission, address, self._left)
        except Refusal as refusal:
            # Under TLS a word of why would cost a handshake, which is what who comes in masses wants.
            return _TurnedAway(refusal.text, self.room) if self.tls is None else None
        self.room.taken += 1
        host = read_address(getattr(addr, "host", ""))
        connection = _HeldConnection(self, host, self._services, self._clock, self.name, visit, self._renderer)
        if self.tls is None:
            limiter = self._services.rate_limiters.of_address(address)
            limiter.charge(WORK_OF_CONNECTION)
            self._services.rate_limiters.leave(limiter)
            return connection
        return TLSLayer(
            self.tls,
            connection,
            server_side=True,
            on_failure=lambda _: visit.over(),
            clock=self._clock,
            handshake_seconds=LOGIN_SECONDS,
            in_turn=self._handshakes.of(address),
        )

    def stop(self) -> Deferred[None]:
        """Say ``bye`` to all sessions and close them; fires when all are closed, in a second at most."""
        stopped = self._stopped = Deferred()
        self._late = self._clock.callLater(_STOP_SECONDS, self._abort_all)
        for connection in list(self.connections):
            connection.session.end("the server stops")
        self.noticed()
        return stopped

    def _left(self) -> None:
        self.room.taken -= 1

    def noticed(self) -> None:
        """A connection came or went."""
        if self._stopped is not None and not self.connections:
            stopped, self._stopped = self._stopped, None
            if self._late is not None:
                self._late.cancel()
            stopped.callback(None)

    def end_if_banned(self, connection: "_HeldConnection") -> bool:
        """End a connection from a banned address, with the reason; tells whether it is one."""
        chat = self._services.chat
        ban = chat.directory.network_bans.of(connection.address, chat.wall_ms())
        if ban is not None:
            connection.session.end(bans.notice(ban))
        return ban is not None

    def _end_banned(self) -> None:
        for connection in list(self.connections):
            self.end_if_banned(connection)

    def _abort_all(self) -> None:
        self._late = None
        for connection in list(self.connections):
            connection.transport.abortConnection()


class _TurnedAway(Protocol):
    """A connection that is closed at once, with the reason."""

    def __init__(self, reason: str, room: Room) -> None:
        self._reason = reason
        self._room = room

    def connectionMade(self) -> None:
        self._room.taken += 1
        transport: Any = self.transport
        transport.write(f"! {self._reason}\n".encode())
        transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._room.taken -= 1


class _HeldConnection(Connection):
    """A connection that its factory knows of."""

    def __init__(self, chat_factory: ChatFactory, address: Address | None, *args: Any) -> None:
        super().__init__(*args)
        self.address = address
        self._chat_factory = chat_factory

    def connectionMade(self) -> None:
        super().connectionMade()
        self._chat_factory.connections.add(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)
        self._chat_factory.connections.discard(self)
        self._chat_factory.noticed()

    def _choose_protocol(self, line: bytes) -> bool:
        """The goodbye to a banned address waits for the choice, for a client has to understand it."""
        return super()._choose_protocol(line) and not self._chat_factory.end_if_banned(self)
