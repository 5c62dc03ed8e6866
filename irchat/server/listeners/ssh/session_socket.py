"""The socket by which the process of the SSH door asks for sessions. Only the owner of its folder can open it."""

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import Protocol, ServerFactory, connectionDone
from twisted.python.failure import Failure

from irchat.protocol.errors import Refusal
from irchat.protocol.events import Bye
from irchat.protocol.public_keys import PublicKey, read_key
from irchat.protocol.rules import CLIENT_LINE_BYTES, LOGIN_SECONDS
from irchat.protocol.ssh_door import DoorHello, OfferedKey, read_door_hello
from irchat.protocol.wire import encode
from irchat.server.admission import Visit
from irchat.server.listeners.connection import Connection
from irchat.server.listeners.factory import ChatFactory
from irchat.server.listeners.ssh.first_bytes import hand_over
from irchat.server.listeners.ssh.relay import Relay
from irchat.server.protocols.base import greeting
from irchat.server.protocols.door_json import SSHDoorProtocol
from irchat.server.protocols.offers import Offers


class SessionSocket(ServerFactory):
    """Creates a connection for each session of the relays that ``find`` returns.

    It shares all limits with ``lines``, the factory of the main port.
    """

    noisy = False

    def __init__(self, lines: ChatFactory, find: Callable[[int], Relay | None]) -> None:
        self.lines = lines
        self.find = find

    def buildProtocol(self, addr: Any) -> "NamedSession":
        """Return a new connection."""
        return NamedSession(self)


class NamedSession(Protocol):
    """Waits for the line that names the connection of the client, then becomes a session of it."""

    transport: Any

    def __init__(self, socket: SessionSocket) -> None:
        self._socket = socket
        self._data = b""
        self._late: IDelayedCall

    def connectionMade(self) -> None:
        """Wait for the line."""
        self._late = self._socket.lines.clock.callLater(LOGIN_SECONDS, self._refuse)

    def dataReceived(self, data: bytes) -> None:
        """Read the line."""
        if not self._late.active():
            return
        self._data += data
        line, end, rest = self._data.partition(b"\n")
        if end:
            self._take(line, rest)
        elif len(line) > CLIENT_LINE_BYTES:
            self._refuse()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Stop waiting."""
        if self._late.active():
            self._late.cancel()

    def _take(self, line: bytes, rest: bytes) -> None:
        self._late.cancel()
        try:
            hello = read_door_hello(line)
        except msgspec.MsgspecError:
            self._refuse()
            return
        relay = self._socket.find(hello.relay)
        if relay is None:  # the client has gone away
            self._refuse()
            return
        lines = self._socket.lines
        try:
            visit = relay.lend() or Visit(lines.services.admission, relay.counted_address)
        except Refusal as refusal:
            self.transport.write(greeting(lines.name) + encode(Bye(reason=refusal.text)))
            self.transport.loseConnection()
            return
        session = RelayedSession(lines, relay, hello)
        hand_over(self.transport, session.connect(visit), rest)

    def _refuse(self) -> None:
        self.transport.loseConnection()


class RelayedSession:
    """A session over SSH, as its connection, its commands and its relay see it."""

    def __init__(self, lines: ChatFactory, relay: Relay, hello: DoorHello) -> None:
        self.clock = lines.clock
        self.services = lines.services
        self.registry = lines.registry
        self.offers = Offers(partial(SSHDoorProtocol, ssh=self))
        self.offered = readable(hello.keys)
        self.name = lines.name
        self._room = lines.room
        self._relay = relay
        self._connection: Connection | None = None

    def connect(self, visit: Visit) -> Connection:
        """Return the connection of the session, with its own visit or that of the relay."""
        self._room.taken += 1
        self._relay.sessions.add(self)
        self._connection = Connection(self, _SessionVisit(visit, self._relay, self._lost), self._relay.address)
        return self._connection

    def end(self, reason: str) -> None:
        """End the session."""
        if self._connection is not None:
            self._connection.session.end(reason)

    def answered(self) -> None:
        """See `irchat.commands.base.SSHConnection`, also for the following method."""
        self._relay.answered()

    def keep(self, token: str) -> None:
        self._relay.tokens.add(token)

    def _lost(self) -> None:
        self._room.taken -= 1
        self._relay.sessions.discard(self)
        self._connection = None
        del self.offers  # it refers to this object, and only the collector frees a cycle


class _SessionVisit(Visit):
    """The visit of a session, which its relay gets back at its end: the client is connected still."""

    def __init__(self, visit: Visit, relay: Relay, on_over: Callable[[], None]) -> None:
        self.address = visit.address
        self._counted = visit
        self._relay = relay
        self._on_lost = on_over
        self._is_in = self._is_given_back = False

    def enter(self, sessions_of_user: int) -> None:
        """See `irchat.server.admission.Visit`, also for the following methods."""
        self._counted.enter(sessions_of_user)
        self._is_in = True
        self._relay.signed_in(1)

    def leave(self) -> None:
        if self._is_in:
            self._is_in = False
            self._counted.leave()
            self._relay.signed_in(-1)

    def over(self) -> None:
        self.leave()
        if not self._is_given_back:
            self._is_given_back = True
            self._relay.give_back(self._counted)
            self._on_lost()


def readable(keys: list[OfferedKey]) -> list[PublicKey]:
    """Return the offered keys that can be added."""
    found = []
    for key in keys:
        try:
            found.append(read_key(key.kind, key.blob))
        except Refusal:
            continue
    return found
