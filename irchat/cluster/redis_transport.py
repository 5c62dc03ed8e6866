"""The transport over Redis or Valkey: PUBLISH and SUBSCRIBE only, so that nothing is stored."""

from collections.abc import Callable
from random import random
from typing import Any
from urllib.parse import unquote, urlsplit

import txredisapi
from OpenSSL.SSL import Error as SSLError
from twisted.application.internet import ClientService, backoffPolicy
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import IDelayedCall, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.ssl import optionsForClientTLS
from twisted.logger import Logger
from twisted.python.failure import Failure

from irchat.system.streams import one_line

CHANNEL = b"irchat"
_PORT = 6_379
_CONNECT_SECONDS = _PREPARE_SECONDS = 5.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 2.0

_log = Logger()


class RedisTransport:
    """A `irchat.cluster.transport.Transport` over the server at ``url``, which may contain a user and a password.

    A connection that subscribes cannot publish, so there are two. A subscriber that reads too slowly is disconnected by
    the server, and connects again. ``jitter`` returns the seconds (by default up to 1) that are added to each pause, so
    that nodes do not reconnect at the same moment.
    """

    def __init__(self, reactor: Any, url: str, channel: bytes = CHANNEL, jitter: Callable[[], float] = random) -> None:
        self.received: Callable[[bytes], None] = lambda data: None
        self.connected: Callable[[], None] = lambda: None
        self.lost: Callable[[], None] = lambda: None
        self.reactor = reactor
        self.channel = channel
        parts = urlsplit(url)
        self.user = unquote(parts.username) if parts.username else None
        self.password = unquote(parts.password) if parts.password else None
        self._place = parts.scheme == "rediss", parts.hostname or "localhost", parts.port or _PORT
        self._pauses = backoffPolicy(_FIRST_PAUSE, _LONGEST_PAUSE, jitter=jitter)
        self._services: list[ClientService] = []
        self._ready: dict[type[_Connection], _Connection] = {}
        self._has_complained = False

    def start(self) -> None:
        """Connect, and connect again whenever a connection is lost."""
        endpoint = _endpoint(self.reactor, *self._place)
        for kind in _Publisher, _Subscriber:
            service = ClientService(endpoint, _Factory(self, kind), self._pauses, self.reactor)
            self._services.append(service)
            service.startService()
            service.whenConnected(failAfterFailures=1).addErrback(self.complain)

    def stop(self) -> Deferred[None]:
        """Disconnect for good."""
        stopped = gatherResults([service.stopService() for service in self._services])
        return stopped.addCallback(lambda _: None)

    @property
    def _is_up(self) -> bool:
        return len(self._ready) == 2

    def publish(self, data: bytes) -> None:
        """Send ``data`` to all subscribers, if both connections are made."""
        if self._is_up:
            self._ready[_Publisher].execute_command("PUBLISH", self.channel, data).addErrback(self.complain)

    def reset(self) -> None:
        """Give up both connections and make new ones."""
        for connection in list(self._ready.values()):
            connection.transport.abortConnection()

    def made(self, connection: "_Connection") -> None:
        """Note that a connection can be used."""
        self._ready[type(connection)] = connection
        if self._is_up:
            self._has_complained = False
            self.connected()

    def gone(self, connection: "_Connection") -> None:
        """Note that a connection is lost."""
        if self._ready.get(type(connection)) is connection:
            was_up = self._is_up
            del self._ready[type(connection)]
            if was_up:
                self.lost()

    def complain(self, failure: Failure) -> None:
        """Log why the server cannot be used, once for each outage."""
        if not failure.check(CancelledError, txredisapi.ConnectionError) and not self._has_complained:
            self._has_complained = True
            _log.error("the bus cannot be used: {why}; look at the server and at --bus", why=one_line(_reason(failure)))


class _Connection(txredisapi.SubscriberProtocol):  # type: ignore[misc]
    """A connection to the server."""

    def __init__(self, owner: RedisTransport) -> None:
        super().__init__(charset=None, convertNumbers=False)
        self.owner = owner
        self._rest = b""
        self._end: IDelayedCall | None = None

    def connectionMade(self) -> None:
        """Authenticate and begin. Keep a refused connection open for a while, so that attempts are not too frequent."""
        preparing = Deferred.fromCoroutine(self._prepare())
        preparing.addTimeout(_PREPARE_SECONDS, self.owner.reactor)
        preparing.addErrback(self._refused)

    async def _prepare(self) -> None:
        if self.owner.password is not None:
            await self.auth(self.owner.password, self.owner.user)
        await self.begin()
        self.owner.made(self)

    async def begin(self) -> None:
        """Send the first command, whose answer shows whether the connection can be used."""

    def _refused(self, failure: Failure) -> None:
        self.owner.complain(failure)
        self._end = self.owner.reactor.callLater(_LONGEST_PAUSE, self.transport.abortConnection)

    def connectionLost(self, reason: Failure) -> None:
        """Note that the connection is lost."""
        super().connectionLost(reason)
        if self._end is not None and self._end.active():
            self._end.cancel()
        self.owner.gone(self)
        if not reason.check(ConnectionDone, ConnectionAborted):
            self.owner.complain(reason)

    def dataReceived(self, data: bytes, unpause: bool = False) -> None:
        """Parse all replies and messages in one turn of the reactor. The base class takes a turn for each."""
        while data:
            self._rest = b""
            super().dataReceived(data, unpause)
            data = self._rest

    def setLineMode(self, extra: bytes = b"") -> None:
        """Leave the rest of the data to `dataReceived`."""
        self.line_mode = 1
        self._rest = extra


class _Publisher(_Connection):
    """Publishes."""

    async def begin(self) -> None:
        """Publish an empty message, to check that publishing is allowed."""
        await self.execute_command("PUBLISH", self.owner.channel, b"")


class _Subscriber(_Connection):
    """Receives."""

    async def begin(self) -> None:
        """Subscribe."""
        await self.execute_command("SUBSCRIBE", self.owner.channel)

    def messageReceived(self, pattern: None, channel: bytes, message: bytes) -> None:
        """Pass on a message."""
        if message:
            self.owner.received(message)


class _Factory(Factory):
    """Makes the connections of one kind."""

    noisy = False

    def __init__(self, owner: RedisTransport, kind: type[_Connection]) -> None:
        self._owner = owner
        self._kind = kind

    def buildProtocol(self, addr: object) -> _Connection:
        connection = self._kind(self._owner)
        connection.factory = self
        return connection


def _reason(failure: Failure) -> str:
    """Return the text of a failure. That of TLS is in a list of triples."""
    error = failure.value
    if isinstance(error, SSLError) and error.args:
        return ", ".join(str(parts[-1]) for parts in error.args[0])
    return failure.getErrorMessage().rstrip(".")


def _endpoint(reactor: Any, with_tls: bool, host: str, port: int) -> IStreamClientEndpoint:
    endpoint: IStreamClientEndpoint = HostnameEndpoint(reactor, host, port, timeout=_CONNECT_SECONDS)
    return wrapClientTLS(optionsForClientTLS(host), endpoint) if with_tls else endpoint
