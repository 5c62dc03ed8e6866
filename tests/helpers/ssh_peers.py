"""The peers of the SSH door's process: the server behind it, and a client of the SSH library."""

import asyncio
import base64
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncssh
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from irchat.client.connect.request_channel import RequestChannel
from irchat.client.connect.server_connection import ServerConnection
from irchat.client.exceptions import ClientError
from irchat.protocol import events, requests, wire
from irchat.protocol.ssh_door import OfferedKey, RelayHello, encode
from irchat.ssh.algorithms import server_options
from irchat.ssh.relayed_connection import RelayedConnection
from tests.helpers.client_fakes import GREETING, welcome

Answer = Callable[[Any], events.Event | None]


def default_answer(request: Any) -> events.Event | None:
    """Answer as a server whose only user is alice, with the password ``correct horse`` and any key."""
    match request:
        case requests.KeyOf(user="alice"):
            return events.Ok()
        case requests.Login(name="alice", password="correct horse"):
            return welcome()
        case requests.Vouch() | requests.Resume():
            return welcome()
        case requests.Logout():
            return events.Bye("bye")
        case requests.KeyOf() | requests.Login():
            return events.Error("bad-credentials", "Wrong.")
    return events.Ok()


class FakeDoor:
    """A server that answers each request on the door at once. ``asked`` are all requests."""

    name = "Test"

    def __init__(self, answer: Answer = default_answer) -> None:
        self.clock = Clock()
        self.answer = answer
        self.asked: list[Any] = []
        self.hellos: list[tuple[int, list[OfferedKey]]] = []
        self.connections: list[ServerConnection] = []
        self.transports: list[_AnsweringTransport] = []
        self.is_down = False

    async def connect(self, relay: int, keys: Sequence[OfferedKey] = ()) -> ServerConnection:
        """Return a new connection."""
        if self.is_down:
            raise ClientError("The server does not answer.")
        self.hellos.append((relay, list(keys)))
        connection = ServerConnection("Test")
        transport = _AnsweringTransport(self, connection)
        connection.makeConnection(transport)
        connection.dataReceived(GREETING)
        self.connections.append(connection)
        self.transports.append(transport)
        return connection

    def channel(self, connection: ServerConnection) -> RequestChannel:
        """Return the requests of a connection."""
        return RequestChannel(self.clock, connection, lambda event: None, lambda why: None)

    def tell(self, event: events.Event, number: int = -1) -> None:
        """Send an event on one of the connections."""
        self.connections[number].dataReceived(wire.encode(event))


class _AnsweringTransport(StringTransport):
    """Takes all bytes at once, and answers the requests in them."""

    def __init__(self, door: FakeDoor, connection: ServerConnection) -> None:
        super().__init__()
        self._door = door
        self._connection = connection

    def writeSomeData(self, data: bytes) -> int:
        """Take requests."""
        for line in data.splitlines():
            request = wire.decode_door_request(line)
            self._door.asked.append(request)
            reply = self._door.answer(request)
            if reply is not None:
                self._connection.dataReceived(wire.encode_reply(reply, request.ref))
        return len(data)


def write_host_key(folder: Path) -> Path:
    """Write a host key. Return its path."""
    folder.mkdir(exist_ok=True)
    path = folder / "host_key"
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(path)
    return path


def offered(key: asyncssh.SSHKey) -> OfferedKey:
    """Return a key as a client offers it."""
    return OfferedKey(key.get_algorithm(), base64.b64encode(key.public_data).decode())


@asynccontextmanager
async def ssh_client(
    host_key: Path, keeper: asyncssh.SSHServer, **options: Any
) -> AsyncIterator[asyncssh.SSHClientConnection]:
    """Connect a client of the library to a server with ``keeper``, over a relay with the number 7."""
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listening:  # the library wants an address
        ours = socket.create_connection(listening.getsockname())
        theirs, _ = listening.accept()
    accepted = server_options(host_key, lambda: keeper)
    transport, _ = await loop.connect_accepted_socket(lambda: RelayedConnection(loop, accepted), theirs)
    ours.sendall(encode(RelayHello("192.0.2.1", 7)))
    defaults = {"username": "alice", "known_hosts": None, "config": None, "agent_path": None, "client_keys": None}
    try:
        async with asyncssh.connect(sock=ours, **{**defaults, **options}) as connection:
            yield connection
    finally:
        transport.close()
