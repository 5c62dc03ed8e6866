"""A relay between an SSH client and the process of the door: bytes both ways, and the state of the client.

The server reads nothing but the version of the client. It counts the connection, and lends its `Visit` to the first
session that the process opens for it.
"""

from collections.abc import Callable
from typing import Any
from typing import Protocol as Interface

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from irchat.net.addresses import Address, read_address
from irchat.protocol.rules import LOGIN_SECONDS
from irchat.protocol.ssh_door import GUEST_SECONDS, VERSION, RelayHello, encode
from irchat.server.admission import Visit
from irchat.server.listeners.ssh.disconnecting import NOT_ALLOWED, UNAVAILABLE, refusal

_VERSIONS = (b"SSH-2.0-", b"SSH-1.99-")
# Bytes, with the line end (RFC 4253, section 4.2).
_VERSION_MOST = 255
_LINGER_SECONDS = 10.0
_SERVER_VERSION = VERSION + b"\r\n"


_log = Logger()


class Unavailable(Exception):
    """The door cannot be used now. The text is for the user."""


class ToEnd(Interface):
    """A session of the process for a client."""

    def end(self, reason: str, /) -> None:
        """End the session, with the reason."""


class Keeper(Interface):
    """The door, as its relays see it."""

    clock: IReactorTime

    def ban_of(self, address: Address | None, /) -> str | None:
        """Return the notice of the ban of an address, or None."""

    def add(self, relay: "Relay", /) -> None:
        """Add a relay whose client has sent its version."""

    def remove(self, relay: "Relay", /) -> None:
        """Remove a relay whose client is gone."""

    def connect(self, end: "ProcessEnd", /) -> Deferred[None]:
        """Connect with the process. Fails with Unavailable."""


class Relay(Protocol):
    """The connection of an SSH client at ``host``.

    ``number``: its number among all. ``speaks_first``: send the version of the server at once, because the client waits
    for it.
    """

    transport: Any

    def __init__(self, keeper: Keeper, host: str, visit: Visit, number: int, *, speaks_first: bool) -> None:
        self.address = read_address(host)
        self.number = number
        self.sessions: set[ToEnd] = set()
        self.tokens: set[str] = set()
        """The tokens that the server keeps for this connection."""
        self._keeper = keeper
        self._host = host
        self.counted_address = visit.address
        self._visit: Visit | None = visit
        self._signed_in = 0
        self._speaks_first = speaks_first
        self._received = b""
        self._is_known = self._is_over = False
        self._end: ProcessEnd | None = None
        self._timer: IDelayedCall | None = None

    def connectionMade(self) -> None:
        """Wait for the version of the client."""
        self._set_timer(LOGIN_SECONDS, self.abort)
        if self._speaks_first:
            self.transport.write(_SERVER_VERSION)

    def dataReceived(self, data: bytes) -> None:
        """Pass bytes on, after the version."""
        if self._end is not None:
            self._end.transport.write(data)
        elif not self._is_over:
            self._received += data
            if not self._is_known:
                self._read_version()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """End the process's side."""
        self._is_over = True
        self._set_timer(0, None)
        if self._end is not None:
            self._end.close()
            self._end = None
        self._keeper.remove(self)
        if self._visit is not None:
            self._visit.over()
            self._visit = None

    def refuse(self, reason: int, text: str) -> None:
        """Make the client show ``text``, and disconnect it. The process must not have sent anything."""
        self._is_over = True
        self.transport.write(refusal(reason, text, has_version=self._speaks_first))
        self._close()

    def close(self, reason: str) -> None:
        """End all sessions with ``reason``, then disconnect the client."""
        for session in list(self.sessions):
            session.end(reason)
        self._set_timer(_LINGER_SECONDS if self.sessions else 0, self._close)

    def abort(self) -> None:
        """Disconnect the client now."""
        self._is_over = True
        self.transport.abortConnection()

    # Called by the sessions.

    def lend(self) -> Visit | None:
        """Return the visit for a session, or None if another session has it."""
        visit, self._visit = self._visit, None
        return visit

    def give_back(self, visit: Visit) -> None:
        """Take the visit back after a session."""
        if self._is_over or self._visit is not None:
            visit.over()
        else:
            self._visit = visit

    def signed_in(self, change: int) -> None:
        """Note that one session more (1) or less (-1) is signed in."""
        self._signed_in += change
        self.answered()

    def answered(self) -> None:
        """Note that the client has answered a question: a guest may wait again."""
        if not self._is_over:
            self._set_timer(GUEST_SECONDS, None if self._signed_in else self._silent)

    # The process's side.

    def process_lost(self) -> None:
        """Disconnect the client after the process has ended the connection."""
        self._end = None
        if not self._is_over:
            self._is_over = True
            self._close()

    def _read_version(self) -> None:
        line, end, _ = self._received[:_VERSION_MOST].partition(b"\n")
        if not line.startswith(_VERSIONS) and not any(version.startswith(line) for version in _VERSIONS):
            self.refuse(UNAVAILABLE, "This server speaks SSH 2 alone.")
        elif not end and len(self._received) >= _VERSION_MOST:
            self.refuse(UNAVAILABLE, "The version of this SSH client is too long.")
        elif end:
            self._is_known = True
            self._begin()

    def _begin(self) -> None:
        notice = self._keeper.ban_of(self.address)
        if notice is not None:
            self.refuse(NOT_ALLOWED, f"{notice}.")
            return
        self.transport.pauseProducing()
        self._keeper.add(self)
        self.answered()
        end = ProcessEnd(self, RelayHello(self._host, self.number), strips_version=self._speaks_first)
        connected = self._keeper.connect(end).addCallbacks(lambda _: self._joined(end), self._failed)
        connected.addErrback(lambda failure: _log.failure("a relay of SSH has failed", failure))

    def _joined(self, end: "ProcessEnd") -> None:
        if self._is_over:
            end.close()
            return
        self._end = end
        received, self._received = self._received, b""
        end.transport.write(received)
        end.transport.registerProducer(self.transport, True)
        self.transport.registerProducer(end.transport, True)
        self.transport.resumeProducing()

    def _failed(self, failure: Failure) -> None:
        failure.trap(Unavailable)
        if not self._is_over:
            self.refuse(UNAVAILABLE, str(failure.value))

    def _silent(self) -> None:
        self.close(f"nobody signed in within {GUEST_SECONDS // 60} minutes")

    def _close(self) -> None:
        self._is_over = True
        self.transport.unregisterProducer()
        self.transport.loseConnection()
        self._set_timer(_LINGER_SECONDS, self.transport.abortConnection)

    def _set_timer(self, seconds: float, call: Callable[[], None] | None) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None if call is None else self._keeper.clock.callLater(seconds, call)


class ProcessEnd(Protocol):
    """The connection of a relay with the process. ``strips_version``: the client has the version already."""

    transport: Any

    def __init__(self, relay: Relay, hello: RelayHello, *, strips_version: bool) -> None:
        self._relay: Relay | None = relay
        self._hello = hello
        self._strips_version = strips_version
        self._begun = b""

    def connectionMade(self) -> None:
        """Name the connection."""
        self.transport.write(encode(self._hello))

    def dataReceived(self, data: bytes) -> None:
        """Pass bytes on to the client."""
        if self._relay is None:
            return
        if self._strips_version:
            self._begun += data
            if len(self._begun) < len(_SERVER_VERSION):
                return
            self._strips_version = False
            data = self._begun.removeprefix(_SERVER_VERSION)
        if data:
            self._relay.transport.write(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """End the connection of the client."""
        relay, self._relay = self._relay, None
        if relay is not None:
            relay.process_lost()

    def close(self) -> None:
        """End the connection after all bytes are sent."""
        self._relay = None
        self.transport.unregisterProducer()
        self.transport.loseConnection()
