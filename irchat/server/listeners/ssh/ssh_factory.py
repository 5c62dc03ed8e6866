"""The SSH door: it recognises SSH clients, and relays each to the process that speaks SSH."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any
from typing import Protocol as Interface

from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.logger import Logger

from irchat.chat.state import bans
from irchat.net.addresses import Address
from irchat.protocol.errors import Refusal
from irchat.protocol.ssh_door import DOOR_SOCKET, RELAY_SOCKET, DoorConfig
from irchat.server.admission import Visit, counted_address
from irchat.server.listeners.connection import Connection
from irchat.server.listeners.factory import ChatFactory
from irchat.server.listeners.local_files import SocketPort, folder_id, open_socket
from irchat.server.listeners.ssh.door_process import DoorProcess
from irchat.server.listeners.ssh.first_bytes import BeforeTLS, BesideGreeting
from irchat.server.listeners.ssh.host_keys import read_host_key
from irchat.server.listeners.ssh.relay import ProcessEnd, Relay
from irchat.server.listeners.ssh.session_socket import SessionSocket


class Process(Interface):
    """The process that speaks SSH."""

    def connect(self, end: ProcessEnd, /) -> Deferred[None]:
        """See `Keeper.connect`."""

    def stop(self) -> Deferred[None]:
        """End the process."""


class SSHDoor(ServerFactory):
    """The door beside ``lines``, the factory of the main port, whose limits it shares.

    As a factory it serves a port of its own, on which it sends its version first. ``quiet`` logs for its sockets.
    ``start`` makes the process, which asks for ``sessions``.
    """

    noisy = False

    def __init__(
        self,
        reactor: Any,
        lines: ChatFactory,
        config: DoorConfig,
        quiet: Logger,
        start: Callable[[Any, DoorConfig, Callable[[], None]], Process] = DoorProcess,
    ) -> None:
        self.clock = reactor
        self._reactor = reactor
        self._lines = lines
        self._folder = Path(config.folder)
        self._folder_id = folder_id(self._folder)
        self._quiet = quiet
        self._numbers = count(1)
        self._relays: dict[int, Relay] = {}
        self.sessions = SessionSocket(lines, self._relays.get)
        self._socket: SocketPort | None = None
        self._process = start(reactor, config, self._prepare)
        lines.registry.on_network_banned = self._end_banned

    def __len__(self) -> int:
        return len(self._relays)

    def __iter__(self) -> Iterator[Relay]:
        return iter(self._relays.values())

    # Called by the factories of ports (`irchat.server.listeners.factory.SSH`).

    def before_tls(self, host: str, visit: Visit, make_tls: Callable[[], Protocol]) -> Protocol:
        """Return a protocol that waits for the first bytes on a port with TLS."""
        return BeforeTLS(self.clock, visit, make_tls, lambda waits: self._relay(host, visit, speaks_first=waits))

    def beside_greeting(self, host: str, connection: Connection) -> Protocol:
        """Return a protocol that greets on a port without TLS."""
        return BesideGreeting(connection, lambda: self._build(host, speaks_first=False))

    def buildProtocol(self, addr: IAddress | None) -> Protocol | None:
        """Return a connection on the port of the door, or None if there is no room for it."""
        return self._lines.admit(addr, lambda host: self._build(host, speaks_first=True), is_plain=True)

    def _build(self, host: str, *, speaks_first: bool) -> Relay | None:
        try:
            visit = self._lines.visit(counted_address(host))
        except Refusal:
            return None
        return self._relay(host, visit, speaks_first=speaks_first)

    def _relay(self, host: str, visit: Visit, *, speaks_first: bool) -> Relay:
        return Relay(self, host, visit, next(self._numbers), speaks_first=speaks_first)

    def stop(self) -> Deferred[None]:
        """End the process, which leaves the screens of its clients first, and then all relays."""
        ended = self._process.stop()
        ended.addCallback(lambda _: self._end_relays())
        return ended

    # Called by the relays (`irchat.server.listeners.ssh.relay.Keeper`).

    def ban_of(self, address: Address | None) -> str | None:
        """Return the notice of the ban of an address, or None."""
        chat = self._lines.services.chat
        ban = chat.directory.network_bans.of(address, chat.wall_ms())
        return None if ban is None else bans.notice(ban)

    def add(self, relay: Relay) -> None:
        """Add a relay. It has another connection, with the process."""
        self._relays[relay.number] = relay
        self._lines.room.taken += 1

    def remove(self, relay: Relay) -> None:
        """Remove a relay, and end its tokens."""
        if self._relays.pop(relay.number, None) is not None:
            self._lines.room.taken -= 1
            self._lines.services.accounts.vouched.forget(relay.tokens)

    def connect(self, end: ProcessEnd) -> Deferred[None]:
        """Connect with the process, which is started if necessary. Fails with Unavailable."""
        return self._process.connect(end)

    # The socket of the sessions.

    def _prepare(self) -> None:
        """Look at the host key and open the socket, before the process starts. Raises WrongHostKey or OSError."""
        read_host_key(self._folder)
        if self._socket is None or not self._socket.stands():
            self._close_socket()
            self._socket = open_socket(
                self._reactor, self._folder / DOOR_SOCKET, self.sessions, self._quiet, self._folder_id
            )

    def _end_relays(self) -> Deferred[None]:
        for relay in list(self):
            relay.abort()
        return self._close_socket()

    def _close_socket(self) -> Deferred[None]:
        port, self._socket = self._socket, None
        if folder_id(self._folder) == self._folder_id:
            (self._folder / RELAY_SOCKET).unlink(missing_ok=True)
        return succeed(None) if port is None else maybeDeferred(port.stopListening)

    def _end_banned(self) -> None:
        for relay in list(self):
            notice = self.ban_of(relay.address)
            if notice is not None:
                relay.close(notice)
