"""A door of SSH in memory, beside a server in memory. The test speaks for the client and for the process."""

import base64
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from twisted.internet.address import IPv6Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.logger import Logger

from irchat.protocol.public_keys import PublicKey
from irchat.protocol.ssh_door import DoorConfig, DoorHello, OfferedKey, encode
from irchat.server.listeners.ssh.relay import ProcessEnd, Unavailable
from irchat.server.listeners.ssh.ssh_factory import SSHDoor
from tests.helpers.server import Client, JSONClient, Server, Socket

CLIENT_VERSION = b"SSH-2.0-Test\r\n"


class HandProcess:
    """Stands for the process. Its ends of the relays are sockets of the test, ``ends``. ``away``: why it has none."""

    def __init__(self, reactor: Any, config: DoorConfig, prepare: Callable[[], None]) -> None:
        self.ends: list[Socket] = []
        self.away = ""
        self.holds = False
        self.is_stopped = False
        self.ended: Deferred[None] = succeed(None)
        self._reactor = reactor
        self._held: list[tuple[ProcessEnd, Deferred[None]]] = []

    def connect(self, end: ProcessEnd) -> Deferred[None]:
        if self.holds:
            self._held.append((end, Deferred()))
            return self._held[-1][1]
        if self.away:
            return fail(Unavailable(self.away))
        socket = Socket(self._reactor)
        socket.protocol = end
        self.ends.append(socket)
        end.makeConnection(socket)
        return succeed(None)

    def release(self) -> None:
        """Answer the held calls."""
        self.holds = False
        held, self._held = self._held, []
        for end, done in held:
            self.connect(end).chainDeferred(done)

    def stop(self) -> Deferred[None]:
        self.is_stopped = True
        return self.ended


class Door:
    """The door of ``server``, and its process."""

    def __init__(self, server: Server) -> None:
        self.server = server
        processes: list[HandProcess] = []

        def start(*arguments: Any) -> HandProcess:
            processes.append(HandProcess(*arguments))
            return processes[0]

        config = DoorConfig("/nonexistent", 500, passwords=True, name="Test")
        self.door = server.factory.ssh = SSHDoor(server.clock, server.factory, config, Logger(), start)
        (self.process,) = processes

    def client(self, *data: bytes, host: str = "192.0.2.7") -> Client:
        """Return a client of the main port that has sent ``data``."""
        client = Client(self.server, host=host)
        for part in data:
            client.socket.protocol.dataReceived(part)
        self.server.turn()
        return client

    def relayed(self, host: str = "192.0.2.7") -> Client:
        """Return an SSH client whose connection is relayed to the last of the ends of the process."""
        return self.client(CLIENT_VERSION, host=host)

    def received(self) -> bytes:
        """Return all that the process has received on its newest end."""
        self.server.turn()
        for end in self.process.ends:
            end.turn()
        return b"".join(self.process.ends[-1].writes)

    def session(self, relay: int, *keys: PublicKey) -> "DoorSession":
        """Return a session that the process opens for a relay."""
        return DoorSession(self, relay, keys)


class DoorSession(JSONClient):
    """A session over SSH, as the process uses it."""

    def __init__(self, door: Door, relay: int, keys: tuple[PublicKey, ...] = ()) -> None:
        self._connect(door.server, door.door.sessions.buildProtocol(None))
        offered = [OfferedKey(key.kind, base64.b64encode(key.blob).decode()) for key in keys]
        self.socket.protocol.dataReceived(encode(DoorHello("ssh", relay, offered)))
        self.connection = self.socket.protocol
        self.server.turn()


def address(host: str) -> IPv6Address:
    """Return the address of a client."""
    return IPv6Address("TCP", host, 1)


def new_key(comment: str = "") -> PublicKey:
    """Return a new public key."""
    public = ed25519.Ed25519PrivateKey.generate().public_key()
    line = public.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
    kind, blob = line.split()
    return PublicKey(kind, base64.b64decode(blob), comment)


def line_of(key: PublicKey) -> str:
    """Return a key as a line of ``authorized_keys``."""
    return f"{key.kind} {base64.b64encode(key.blob).decode()} {key.comment}".strip()
