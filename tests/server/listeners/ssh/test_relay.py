"""A relay: its version, its bytes, its backpressure, the deaths of both ends, and its guests."""

from twisted.internet.defer import ensureDeferred

from irchat.interfaces.limits import Limits
from irchat.protocol.rules import LOGIN_SECONDS
from irchat.protocol.ssh_door import GUEST_SECONDS, VERSION, RelayHello, read_relay_hello
from irchat.server.listeners.ssh.disconnecting import NOT_ALLOWED, UNAVAILABLE, refusal
from tests.helpers.server import PASSWORD, ServerTestCase
from tests.helpers.ssh_doors import CLIENT_VERSION, Door, address
from tests.helpers.tls_wire import server_context


class RelayTests(ServerTestCase):
    """`Relay` and `ProcessEnd`."""

    def setUp(self) -> None:
        """Start a server with a door."""
        self.server = self.make_server(tls=server_context(), limits=Limits(per_address=3))
        self.door = Door(self.server)

    def test_bytes(self) -> None:
        """The process gets a line about the client, the version, and all later bytes. Its own bytes go back."""
        client = self.door.client(CLIENT_VERSION + b"kex", host="2001:db8::7")
        (end,) = self.door.process.ends
        line, _, rest = self.door.received().partition(b"\n")
        self.assertEqual(read_relay_hello(line), RelayHello("2001:db8::7", 1))
        self.assertEqual(rest, CLIENT_VERSION + b"kex")
        client.connection = client.socket.protocol
        client.send(b"more")
        self.assertTrue(self.door.received().endswith(b"kexmore"))
        end.protocol.dataReceived(b"SSH-2.0-IRChat\r\nanswer")
        end.protocol.dataReceived(b", and more")
        self.server.turn()
        self.assertEqual(client.read(), "SSH-2.0-IRChat\r\nanswer, and more")

    def test_version_in_pieces(self) -> None:
        """A version is passed on when it is whole. Half a version reaches no process."""
        for place in range(1, len(CLIENT_VERSION)):
            client = self.door.client(CLIENT_VERSION[:place])
            self.assertEqual(self.door.process.ends, [])
            client.socket.protocol.dataReceived(CLIENT_VERSION[place:])
            self.assertTrue(self.door.received().endswith(b"}\n" + CLIENT_VERSION))
            client.leave()
            self.server.turn()
            self.door.process.ends.clear()

    def test_wrong_versions(self) -> None:
        """A client that sends no version, an old one or an endless one sees why and is disconnected."""
        for data, has_version in (
            (b"SSH-1.5-old\r\n", False),
            (b"SSH-2.0-" + b"x" * 5_000, False),
            (b"SSH-" + b"x" * 5_000, False),
        ):
            client = self.door.client(data)
            said = b"".join(client.socket.writes)
            self.assertTrue(said.startswith(VERSION + b"\r\n\x00\x00"), said)
            self.assertIn(b"SSH", said[20:])
            self.assertFalse(client.is_open, has_version)
        self.assertEqual(self.door.process.ends, [])
        self.assertEqual(self.server.services.admission.pending, 0)

    def test_longest_version(self) -> None:
        """A version has at most 255 bytes with its line end (RFC 4253, section 4.2). A longer one is not waited for."""
        version = b"SSH-2.0-" + b"x" * 245 + b"\r\n"
        self.assertEqual(len(version), 255)
        self.assertTrue(self.door.client(version).is_open)
        self.assertTrue(self.door.received().endswith(version))
        self.assertTrue(self.door.client(version[:-1]).is_open)
        for long in b"SSH-2.0-" + b"x" * 247, b"SSH-2.0-" + b"x" * 246 + b"\r\n":
            client = self.door.client(long)
            self.assertFalse(client.is_open)
            self.assertIn(b"too long", b"".join(client.socket.writes))

    def test_version_of_the_server_first(self) -> None:
        """A client that got the version from the server does not get it from the process again."""
        client = self.door.client()
        self.server.advance(3)
        self.assertEqual(client.read(), "SSH-2.0-IRChat\r\n")
        client.connection = client.socket.protocol
        client.send(CLIENT_VERSION)
        (end,) = self.door.process.ends
        for data in b"SSH-2.0", b"-IRChat\r", b"\nkex":
            end.protocol.dataReceived(data)
        self.server.turn()
        self.assertEqual(client.read(), "kex")
        end.protocol.dataReceived(b"more")
        self.server.turn()
        self.assertEqual(client.read(), "more")

    def test_half_a_version_is_not_waited_for(self) -> None:
        """A client that does not complete its version is disconnected after a minute."""
        for data in (b"SS",), (b"SSH-2.0",), ():
            client = self.door.client(*data)
            self.server.advance(3.1, LOGIN_SECONDS)
            self.assertFalse(client.is_open, data)
        self.assertEqual(self.server.services.admission.pending, 0)
        self.assertEqual(self.server.factory.room.taken, 0)

    def test_slow_client(self) -> None:
        """While the client does not read, the process is not read; and while the process does not, the client."""
        client = self.door.relayed()
        (end,) = self.door.process.ends
        client.socket.room = 0
        end.protocol.dataReceived(b"x" * 200_000)
        self.assertFalse(end.is_read)
        client.socket.room = None
        self.server.turn()
        self.assertTrue(end.is_read)
        end.room = 0
        client.socket.protocol.dataReceived(b"x" * 200_000)
        self.assertFalse(client.socket.is_read)
        end.room = None
        end.turn()
        self.assertTrue(client.socket.is_read)

    def test_client_leaves(self) -> None:
        """The end of the process is closed when the client is gone, and nothing is left."""
        client = self.door.relayed()
        (end,) = self.door.process.ends
        self.assertEqual(self.server.factory.room.taken, 2)
        client.leave()
        self.assertTrue(end.disconnecting)
        end.turn()
        self.server.turn()
        self.assertFalse(end.connected)
        self.assertEqual(len(self.door.door), 0)
        self.assertEqual(self.server.factory.room.taken, 0)
        self.assertEqual(self.server.services.admission.pending, 0)

    def test_process_ends(self) -> None:
        """The client gets what the process has sent last, and is disconnected, also if it reads nothing."""
        clients = [self.door.relayed(), self.door.relayed()]
        clients[1].socket.room = 0
        for end in list(self.door.process.ends):
            end.protocol.dataReceived(b"bye")
            end.abortConnection()
        self.server.turn()
        self.assertEqual(clients[0].read(), "bye")
        self.assertFalse(clients[0].is_open)
        self.server.advance(11)
        self.assertFalse(clients[1].is_open)

    def test_process_is_away(self) -> None:
        """A client learns that there is no process. One that has left meanwhile costs nothing."""
        self.door.process.away = "SSH is away."
        client = self.door.relayed()
        self.assertEqual(client.read().encode(), refusal(UNAVAILABLE, "SSH is away.", has_version=False))
        self.assertFalse(client.is_open)
        self.door.process.away = ""
        self.door.process.holds = True
        patient, gone = self.door.relayed(), self.door.relayed()
        patient.connection = patient.socket.protocol
        patient.send(b"kex")
        self.assertFalse(patient.socket.is_read)
        gone.leave()
        self.door.process.release()
        self.server.turn()
        self.assertTrue(patient.socket.is_read)
        patient.send()
        self.door.received()
        self.assertTrue(self.door.process.ends[0].writes[-1].endswith(b"kex"))
        self.assertFalse(self.door.process.ends[1].connected)

    def test_ban(self) -> None:
        """A banned address is refused with the notice, and a ban ends the relays of its network, and no others."""
        client, other = self.door.relayed(), self.door.relayed(host="198.51.100.1")
        self.ban("192.0.2.0/24")
        self.assertFalse(client.is_open)
        self.assertTrue(other.is_open)
        relays = len(self.door.process.ends)
        banned = self.door.relayed()
        said = banned.read()
        self.assertIn("spam", said)
        self.assertEqual(said.encode(), refusal(NOT_ALLOWED, "You are banned: spam.", has_version=False))
        self.assertFalse(banned.is_open)
        self.assertEqual(len(self.door.process.ends), relays)  # the process hears nothing of it

    def ban(self, network: str) -> None:
        """Ban a network."""
        self.successResultOf(ensureDeferred(self.server.chat.moderation.ban(network, None, "spam", None)))
        self.server.turn()

    def test_limits(self) -> None:
        """Relays count against the limit per address, on the port of the door too."""
        for _ in range(3):
            self.assertTrue(self.door.relayed().is_open)
        self.assertIsNone(self.server.factory.buildProtocol(address("192.0.2.7")))
        self.assertIsNone(self.door.door.buildProtocol(address("192.0.2.7")))
        self.assertIsNotNone(self.door.door.buildProtocol(address("192.0.2.8")))

    def test_guest(self) -> None:
        """A guest that answers nothing for ten minutes is disconnected, with the reason in its session."""
        client = self.door.relayed()
        self.server.advance(GUEST_SECONDS - 60)
        session = self.door.session(1)
        session.ask("login", name="alice", password="wrong password")
        self.server.advance(20, 20, GUEST_SECONDS - 50)
        self.assertTrue(client.is_open)
        later = self.door.session(1)
        later.read()
        self.server.advance(10)
        self.assertIn("nobody signed in within 10 minutes", later.read())
        self.assertTrue(client.is_open)  # the process shows the reason first
        self.server.advance(11)
        self.assertFalse(client.is_open)

    def test_signed_in(self) -> None:
        """A client with a session that is signed in may stay silent, and counts as a guest again after its end."""
        client = self.door.relayed()
        session = self.door.session(1)
        session.ask("register", name="alice", password=PASSWORD)
        for _ in range(100):
            self.server.advance(20)
            session.ask("pong")
        self.assertTrue(client.is_open)
        session.leave()
        self.server.advance(GUEST_SECONDS + 1, 11)
        self.assertFalse(client.is_open)
