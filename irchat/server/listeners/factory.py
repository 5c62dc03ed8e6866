"""The factory of a listener: it creates a connection for each client, with or without TLS."""

import ssl
from typing import Any

from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Protocol, ServerFactory, connectionDone
from twisted.python.failure import Failure

from irchat.net.addresses import read_address
from irchat.net.tls import TLSLayer
from irchat.protocol.errors import Refusal
from irchat.protocol.rules import LOGIN_SECONDS
from irchat.server.admission import Visit, counted_address
from irchat.server.listeners.connection import Connection
from irchat.server.listeners.descriptors import Room
from irchat.server.listeners.handshakes import Handshakes
from irchat.server.listeners.registry import ConnectionRegistry
from irchat.server.protocols.offers import Offers
from irchat.server.sessions.costs import WORK_OF_CONNECTION
from irchat.server.sessions.services import Services


class ChatFactory(ServerFactory):
    """Creates the connections of one listener, with the protocols in ``offers``.

    ``name`` (of the server) and ``tls`` (None: plain TCP) can be changed. Changes apply to later connections.
    """

    noisy = False

    def __init__(
        self,
        services: Services,
        clock: IReactorTime,
        offers: Offers,
        registry: ConnectionRegistry,
        *,
        name: str,
        tls: ssl.SSLContext | None,
        room: Room | None = None,
    ) -> None:
        self._services = services
        self._clock = clock
        self._offers = offers
        self._registry = registry
        self.name = name
        self.tls = tls
        self.room = room or Room(clock.seconds)
        self._handshakes = Handshakes(services.rate_limiters, clock)

    def buildProtocol(self, addr: IAddress | None) -> Protocol | None:
        """Return a connection for a client, or None if there is no room for it."""
        if not self.room.is_there():
            return None
        host = getattr(addr, "host", "")
        address = counted_address(host)
        try:
            visit = Visit(self._services.admission, address, self._left)
        except Refusal as refusal:
            # With TLS, sending the reason would cost a handshake, which helps a flood of connections.
            return _TurnedAway(refusal.text, self.room) if self.tls is None else None
        self.room.taken += 1
        connection = Connection(
            self._services, self._clock, self._offers, self._registry, visit, read_address(host), self.name
        )
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

    def _left(self) -> None:
        self.room.taken -= 1


class _TurnedAway(Protocol):
    """A connection that is closed at once, after the reason is sent."""

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
