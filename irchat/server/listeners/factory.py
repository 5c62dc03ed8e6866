"""The factory of a listener: it creates a connection for each client, with or without TLS."""

import ssl
import typing
from collections.abc import Callable, Collection
from copy import copy
from functools import partial
from typing import Any

from msgspec import Struct
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Protocol, ServerFactory, connectionDone
from twisted.python.failure import Failure

from irchat.net.addresses import Network, read_address
from irchat.net.tls import TLSLayer
from irchat.protocol.errors import Refusal
from irchat.protocol.rules import LOGIN_SECONDS
from irchat.server.admission import Visit, counted_address
from irchat.server.listeners.connection import Connection
from irchat.server.listeners.descriptors import Room
from irchat.server.listeners.proxied import BadHeaders, ProxiedConnection
from irchat.server.listeners.registry import ConnectionRegistry
from irchat.server.listeners.web.redirects import redirect
from irchat.server.protocols.offers import Offers
from irchat.server.sessions.costs import WORK_OF_CONNECTION
from irchat.server.sessions.rate_limiter import RateLimiter
from irchat.server.sessions.services import Services
from irchat.system.call_queue import CallQueue


class Door(typing.Protocol):
    """Another door on the same port, chosen in the TLS handshake."""

    def over_tls(self, host: str, visit: Visit, /) -> Protocol:
        """Return the protocol of a connection from ``host``."""


class SSH(typing.Protocol):
    """The door of SSH on the same port, chosen by the first bytes."""

    def before_tls(self, host: str, visit: Visit, make_tls: Callable[[], Protocol], /) -> Protocol:
        """Return the protocol of a connection from ``host``, which may also be one of TLS."""

    def beside_greeting(self, host: str, connection: Connection, /) -> Protocol:
        """Return the protocol of a connection from ``host`` without TLS, which may also be ``connection``."""


class _Identity(Struct):
    """The settings that the factories of all ports share, and that can change."""

    name: str
    tls: ssl.SSLContext | None


class ChatFactory(ServerFactory):
    """Creates the connections of one listener, with the protocols in ``offers``.

    ``name`` (of the server) and ``tls`` (None: plain TCP) can be changed. Changes apply to later connections.
    ``balancers``: the networks whose PROXY headers are believed. ``web``: the door of browsers, which ask for HTTP in
    the TLS handshake. ``ssh``: that of SSH clients.
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
        balancers: Collection[Network] = (),
    ) -> None:
        self.services = services
        self.clock = clock
        self.offers = offers
        self.registry = registry
        self._identity = _Identity(name, tls)
        self.web: Door | None = None
        self.ssh: SSH | None = None
        self.room = Room(clock.seconds)
        self._handshake_steps = CallQueue(clock)
        self._balancers = balancers
        self._bad_headers = BadHeaders(clock.seconds)

    @property
    def name(self) -> str:
        """The name of the server."""
        return self._identity.name

    @name.setter
    def name(self, name: str) -> None:
        self._identity.name = name

    @property
    def tls(self) -> ssl.SSLContext | None:
        """The certificate, None for plain TCP."""
        return self._identity.tls

    @tls.setter
    def tls(self, tls: ssl.SSLContext | None) -> None:
        self._identity.tls = tls

    def beside(self, offers: Offers) -> "ChatFactory":
        """Return a factory for another port with other ``offers``. It shares all limits, the name and certificate."""
        other = copy(self)
        other.offers, other.web, other.ssh = offers, None, None
        return other

    def buildProtocol(self, addr: IAddress | None) -> Protocol | None:
        """Return a connection for a client, or None if there is no room for it."""
        return self.admit(addr, self._build, is_plain=self.tls is None)

    def admit(
        self, addr: IAddress | None, build: Callable[[str], Protocol | None], *, is_plain: bool
    ) -> Protocol | None:
        """Return what ``build`` returns for the host of a client, after the header of a balancer if it is behind one.

        Return None if there is no room for it. ``is_plain``: see `ProxiedConnection`.
        """
        if not self.room.is_there():
            return None
        host: str = getattr(addr, "host", "")
        if self._balancers and self._is_balancer(host):
            return ProxiedConnection(host, build, self.room, self.clock, self._bad_headers, is_plain=is_plain)
        return build(host)

    def _is_balancer(self, host: str) -> bool:
        address = read_address(host)
        return address is not None and any(address in network for network in self._balancers)

    def _build(self, host: str) -> Protocol | None:
        """Return a connection for a client at ``host``, or None if its address has too many."""
        address = counted_address(host)
        try:
            visit = self.visit(address)
        except Refusal as refusal:
            # With TLS, sending the reason would cost a handshake, which helps a flood of connections.
            return _TurnedAway(refusal.text, self.room) if self.tls is None else None
        if self.tls is None:
            limiter = self.services.rate_limiters.of(address)
            if not limiter.is_used_up():  # else what the client asks waits, and the address must not owe ever more
                self._charge(limiter)
            connection = Connection(self, visit, read_address(host))
            return connection if self.ssh is None else self.ssh.beside_greeting(host, connection)
        if self.ssh is None:
            return self._over_tls(self.tls, host, visit)
        return self.ssh.before_tls(host, visit, partial(self._over_tls, self.tls, host, visit))

    def _over_tls(self, tls: ssl.SSLContext, host: str, visit: Visit) -> Protocol:
        def inner(alpn: str | None) -> Protocol:
            if alpn == "http/1.1" and self.web is not None:
                return self.web.over_tls(host, visit)
            return Connection(self, visit, read_address(host))

        return TLSLayer(
            tls,
            inner,
            server_side=True,
            on_failure=lambda _: visit.over(),
            on_plain=None if self.web is None else redirect,
            clock=self.clock,
            handshake_seconds=LOGIN_SECONDS,
            in_turn=self._handshake_of(visit.address),
        )

    def visit(self, address: str) -> Visit:
        """Count a connection from a counted ``address``. Raises Refusal ``too-many``."""
        visit = Visit(self.services.admission, address, self._left)
        self.room.taken += 1
        return visit

    def _handshake_of(self, address: str) -> Callable[[Callable[[], None]], None]:
        """Return a function that runs the steps of one TLS handshake from the counted ``address``, a few in each turn.

        A handshake costs more than a message, so it waits until its address has work left.
        """
        limiter = self.services.rate_limiters.of(address)
        is_charged = False

        def begin(step: Callable[[], None]) -> None:
            nonlocal is_charged
            if not is_charged:
                is_charged = True
                self._charge(limiter)
            self._handshake_steps.add(step)

        def take(step: Callable[[], None]) -> None:
            if limiter.is_used_up():
                limiter.when_free(lambda: begin(step))
            else:
                begin(step)

        return take

    def _charge(self, limiter: RateLimiter) -> None:
        limiter.charge(WORK_OF_CONNECTION)
        self.services.rate_limiters.leave(limiter)

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
