"""The SSH door beside a port: its own port, its sockets, its end."""

from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.trial.unittest import TestCase

from irchat.protocol.ssh_door import DOOR_SOCKET, HOST_KEY_FILE, RELAY_SOCKET, DoorConfig
from irchat.server.listeners.ssh.host_keys import WrongHostKey, ensure_host_key
from irchat.server.listeners.ssh.ssh_factory import SSHDoor
from tests.helpers.server import Client, Server, ServerTestCase
from tests.helpers.ssh_doors import CLIENT_VERSION, Door, HandProcess, address
from tests.helpers.tls_wire import server_context


class DoorTests(ServerTestCase):
    """`SSHDoor` in memory."""

    def setUp(self) -> None:
        """Start a server with a door."""
        self.server = self.make_server(tls=server_context())
        self.door = Door(self.server)

    def test_own_port(self) -> None:
        """On a port of its own, the version goes first, and is not repeated by the process."""
        client = self.own_port()
        self.assertEqual(client.read(), "SSH-2.0-IRChat\r\n")
        client.send(CLIENT_VERSION)
        self.door.process.ends[0].protocol.dataReceived(b"SSH-2.0-IRChat\r\nkex")
        self.server.turn()
        self.assertEqual(client.read(), "kex")

    def own_port(self) -> Client:
        """Return a client of the port of the door."""
        client = Client.__new__(Client)
        client._connect(self.server, self.door.door.buildProtocol(address("192.0.2.7")))
        return client

    def test_no_room(self) -> None:
        """Without room for a connection, the port of the door accepts none."""
        self.server.factory.room.taken = 10**9
        self.assertIsNone(self.door.door.buildProtocol(address("192.0.2.7")))

    def test_numbers(self) -> None:
        """Each client has a number of its own, by which its sessions find it while it is connected."""
        clients = [self.door.relayed() for _ in range(3)]
        self.assertEqual([relay.number for relay in self.door.door], [1, 2, 3])
        clients[1].leave()
        self.assertEqual([relay.number for relay in self.door.door], [1, 3])
        self.assertFalse(self.door.session(2).is_open)

    def test_stop(self) -> None:
        """The end of the door ends its process, and then all relays: until then the process can leave the screens."""
        clients = [self.door.relayed() for _ in range(3)]
        ended = self.door.process.ended = Deferred()
        stopped = self.door.door.stop()
        self.server.turn()
        self.assertTrue(self.door.process.is_stopped)
        self.door.process.ends[0].protocol.dataReceived(b"the last bytes")
        self.server.turn()
        self.assertEqual(clients[0].read(), "the last bytes")
        ended.callback(None)
        self.successResultOf(stopped)
        self.server.turn()
        self.assertEqual([client.is_open for client in clients], [False] * 3)

    def test_siege(self) -> None:
        """Hundreds of silent clients, half versions and long ones reach no process, and leave nothing behind."""
        self.server.services.admission._limits.pending = 0
        for number in range(500):
            data = ((), (b"SSH-2.0-half",), (b"S",), (b"SSH-2.0-" + b"x" * 5_000,), (b"SSH-2.0-\n" * 600,))[number % 5]
            self.door.client(*data, host=f"2001:db8:{number:x}::1")
            if len(self.server.clients) > 100:
                self.server.clients = [client for client in self.server.clients if client.is_open]
        self.assertLess(len(self.door.process.ends), 101)
        self.server.advance(3, 60, 11)
        for end in self.door.process.ends:
            end.abortConnection()
        self.server.advance(11)
        self.assertEqual(self.server.services.admission.pending, 0)
        self.assertEqual((len(self.door.door), self.server.factory.room.taken), (0, 0))


class SocketTests(TestCase):
    """The sockets of a door."""

    async def test_socket(self) -> None:
        """The socket of sessions is opened before each start of the process if it is missing, and closed at the end.

        Without its host key, the process is not started.
        """
        server = Server()
        self.addCleanup(server.close)
        folder = Path(self.mktemp())
        folder.mkdir(mode=0o700)
        prepare = []

        def start(reactor: object, config: DoorConfig, prepared: object) -> HandProcess:
            prepare.append(prepared)
            return HandProcess(server.clock, config, lambda: None)

        config = DoorConfig(str(folder), 500, passwords=True, name="Test")
        door = SSHDoor(reactor, server.factory, config, Logger(), start)
        error = self.assertRaises(WrongHostKey, prepare[0])
        self.assertIn("or restart the server to create a new one", str(error))
        ensure_host_key(folder)
        socket = folder / DOOR_SOCKET
        self.assertFalse(socket.exists())
        for _ in range(2):
            prepare[0]()  # type: ignore[operator]
            self.assertTrue(socket.is_socket())
            self.assertEqual(socket.stat().st_mode & 0o777, 0o600)
            prepare[0]()  # type: ignore[operator]
            socket.unlink()
        prepare[0]()  # type: ignore[operator]
        (folder / RELAY_SOCKET).touch()
        await door.stop()
        self.assertEqual([path.name for path in folder.iterdir()], [HOST_KEY_FILE])
