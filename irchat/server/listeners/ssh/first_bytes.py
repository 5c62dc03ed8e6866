"""The first bytes of a connection, by which SSH is distinguished from the other protocols of a port."""

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IHalfCloseableProtocol, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from irchat.protocol.rules import LOGIN_SECONDS
from irchat.server.admission import Visit
from irchat.server.listeners.connection import Connection

BEGINNING = b"SSH-"
# A client that says nothing for so long waits for the version of an SSH server.
SILENCE_SECONDS = 3.0


def may_be_ssh(data: bytes) -> bool:
    """Return whether ``data`` is the beginning of SSH, or may become it."""
    return BEGINNING.startswith(data[: len(BEGINNING)])


def hand_over(transport: Any, inner: Protocol, data: bytes) -> None:
    """Make ``inner`` the protocol of ``transport``, and pass it the bytes that have arrived."""
    transport.protocol = inner
    inner.makeConnection(transport)
    if data:
        inner.dataReceived(data)


class BeforeTLS(Protocol):
    """Waits for the first bytes on a port with TLS, then hands the transport to the protocol that they choose.

    ``make_ssh`` is called with whether the client waits for the server's version.
    """

    transport: Any

    def __init__(
        self,
        clock: IReactorTime,
        visit: Visit,
        make_tls: Callable[[], Protocol],
        make_ssh: Callable[[bool], Protocol],
    ) -> None:
        self._clock = clock
        self._visit = visit
        self._make_tls = make_tls
        self._make_ssh = make_ssh
        self._data = b""
        self._late: IDelayedCall

    def connectionMade(self) -> None:
        """Wait for the client, a short time."""
        self._late = self._clock.callLater(SILENCE_SECONDS, self._is_silent)

    def dataReceived(self, data: bytes) -> None:
        """Choose as soon as the bytes allow it."""
        if not self._data:
            self._wait(LOGIN_SECONDS, self.transport.abortConnection)
        self._data += data
        if not may_be_ssh(self._data):
            self._become(self._make_tls())
        elif len(self._data) >= len(BEGINNING):
            self._become(self._make_ssh(False))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Forget a connection that is lost before the choice."""
        if self._late.active():
            self._late.cancel()
        self._visit.over()
        del self._make_tls, self._make_ssh

    def _is_silent(self) -> None:
        self._become(self._make_ssh(True))

    def _become(self, inner: Protocol) -> None:
        if self._late.active():
            self._late.cancel()
        del self._make_tls, self._make_ssh
        hand_over(self.transport, inner, self._data)

    def _wait(self, seconds: float, call: Callable[[], None]) -> None:
        self._late.cancel()
        self._late = self._clock.callLater(seconds, call)


@implementer(IHalfCloseableProtocol)
class BesideGreeting(Protocol):
    """Lets ``connection`` greet on a port without TLS, and takes the transport from it if the client speaks SSH.

    An SSH client skips the lines before the version (RFC 4253, section 4.2). ``make_ssh`` returns None if there is no
    room for the client.
    """

    transport: Any

    def __init__(self, connection: Connection, make_ssh: Callable[[], Protocol | None]) -> None:
        self._connection = connection
        self._make_ssh = make_ssh
        self._data = b""

    def connectionMade(self) -> None:
        """Send the greeting."""
        inner: Protocol = self._connection
        inner.makeConnection(self.transport)

    def dataReceived(self, data: bytes) -> None:
        """Choose as soon as the bytes allow it."""
        self._data += data
        if not may_be_ssh(self._data):
            self._stay()
        elif len(self._data) >= len(BEGINNING):
            self._leave()

    def readConnectionLost(self) -> None:
        """Pass on the end of the input."""
        connection = self._connection
        self._stay()
        connection.readConnectionLost()

    def writeConnectionLost(self) -> None:
        """Do nothing, as `Connection` does."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Pass on the loss."""
        self._connection.connectionLost(reason)
        del self._connection, self._make_ssh

    def _stay(self) -> None:
        connection, data = self._connection, self._data
        self.transport.protocol = connection
        del self._connection, self._make_ssh
        if data:
            connection.dataReceived(data)

    def _leave(self) -> None:
        connection, make_ssh = self._connection, self._make_ssh
        del self._connection, self._make_ssh
        self.transport.unregisterProducer()
        connection.connectionLost()
        inner = make_ssh()
        if inner is None:
            self.transport.protocol = Protocol()
            self.transport.loseConnection()
        else:
            hand_over(self.transport, inner, self._data)
