"""The first bytes of a connection: SSH, TLS or lines, at every split."""

import contextlib
import ipaddress
import ssl

from irchat.net.tls import TLSLayer
from irchat.protocol.rules import LOGIN_SECONDS
from irchat.server.listeners.connection import Connection
from irchat.server.listeners.ssh.first_bytes import BeforeTLS, BesideGreeting, may_be_ssh
from irchat.server.listeners.ssh.relay import Relay
from tests.helpers.server import GREETING, Client, ServerTestCase
from tests.helpers.ssh_doors import CLIENT_VERSION, Door
from tests.helpers.tls_wire import server_context
from tests.net.test_proxy_header import v2


def hello() -> bytes:
    """Return the first flight of a TLS client."""
    into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(into, out).do_handshake()
    return out.read()


class ChoiceTests(ServerTestCase):
    """`BesideGreeting`: the choice."""

    def test_no_byte_too_late(self) -> None:
        """SSH is chosen with the last byte that can tell it from a line."""
        server = self.make_server()
        door = Door(server)
        client = door.client(b"SSH-")
        self.assertIsInstance(client.socket.protocol, Relay)


class BeforeTLSTests(ServerTestCase):
    """`BeforeTLS`, on a port with TLS."""

    def setUp(self) -> None:
        """Start a server with a door."""
        networks = (ipaddress.ip_network("10.0.0.0/24"),)
        self.server = self.make_server(tls=server_context(), balancers=networks)
        self.door = Door(self.server)

    def test_every_split(self) -> None:
        """SSH and TLS are distinguished wherever their bytes are split, and get all bytes."""
        for place in range(1, len(CLIENT_VERSION)):
            client = self.door.client(CLIENT_VERSION[:place], CLIENT_VERSION[place:])
            self.assertIsInstance(client.socket.protocol, Relay)
            self.assertTrue(self.door.received().endswith(CLIENT_VERSION))
        flight = hello()
        for place in range(1, 8):
            client = self.door.client(flight[:place])
            self.assertIsInstance(client.socket.protocol, TLSLayer)
            client.connection = client.socket.protocol
            client.send(flight[place:])
            self.assertTrue(client.socket.writes[0].startswith(b"\x16\x03"))

    def test_beginnings(self) -> None:
        """Any beginning of SSH may become it, and nothing else."""
        for place in range(5):
            self.assertTrue(may_be_ssh(b"SSH-2.0"[:place]))
        for other in b"SSL", b"X", b"SSHX", b"ssh-", b"\x16SSH-":
            self.assertFalse(may_be_ssh(other))
            self.assertIsInstance(self.door.client(other).socket.protocol, TLSLayer)

    def test_silence(self) -> None:
        """After 3 s without any byte, the client gets the version of the server. After one byte it does not."""
        silent, slow = self.door.client(), self.door.client(b"S")
        self.server.advance(2.9)
        self.assertEqual(silent.read(), "")
        self.server.advance(0.2)
        self.assertEqual(silent.read(), "SSH-2.0-IRChat\r\n")
        self.assertIsInstance(silent.socket.protocol, Relay)
        self.assertIsInstance(slow.socket.protocol, BeforeTLS)
        self.server.advance(LOGIN_SECONDS)
        self.assertFalse(slow.is_open)
        self.assertEqual(self.door.process.ends, [])

    def test_leaving(self) -> None:
        """A client that leaves before the choice is no longer counted."""
        for data in (), (b"SS",):
            client = self.door.client(*data)
            self.assertEqual(self.server.services.admission.pending, 1)
            client.leave()
            self.assertEqual(self.server.services.admission.pending, 0)
        self.server.advance(LOGIN_SECONDS)

    def test_behind_a_balancer(self) -> None:
        """First bytes and silence count after the PROXY header, and the stated address is passed on."""
        client = Client(self.server, host="10.0.0.1")
        self.server.advance(5)
        self.assertEqual(client.read(), "")
        client.send(v2("192.0.2.9"))
        self.server.advance(2.9)
        self.assertEqual(client.read(), "")
        client.socket.protocol.dataReceived(CLIENT_VERSION)
        self.assertIn(b'"address":"192.0.2.9"', self.door.received())
        other = Client(self.server, host="10.0.0.1")
        other.send(v2("192.0.2.9"))
        self.server.advance(3)
        self.assertEqual(other.read(), "SSH-2.0-IRChat\r\n")


class BesideGreetingTests(ServerTestCase):
    """`BesideGreeting`, on a port without TLS."""

    def setUp(self) -> None:
        """Start a server without TLS, with a door."""
        self.server = self.make_server()
        self.door = Door(self.server)

    def test_every_split(self) -> None:
        """The greeting goes first. SSH and lines are distinguished wherever their bytes are split."""
        for place in range(1, len(CLIENT_VERSION)):
            client = self.door.client(CLIENT_VERSION[:place], CLIENT_VERSION[place:])
            self.assertEqual(client.read(), GREETING)
            self.assertIsInstance(client.socket.protocol, Relay)
            self.assertTrue(self.door.received().endswith(CLIENT_VERSION))
        self.assertEqual(len(self.server.connections), 0)
        self.assertEqual(self.server.services.admission.pending, len(CLIENT_VERSION) - 1)

    def test_lines(self) -> None:
        """A line that begins like SSH is a line, and so is all else."""
        for line in b"SSHd is my name\n", b"alice\n", b'{"type":"ping"}\n':
            for place in range(1, 6):
                client = self.door.client(line[:place], line[place:])
                self.assertIsInstance(client.socket.protocol, Connection)
                self.assertNotEqual(client.read(), GREETING)
        self.assertEqual(self.door.process.ends, [])

    def test_both_ways_go_on(self) -> None:
        """A relay that took the transport over reads and writes, and its end leaves nothing behind."""
        client = self.door.relayed()
        (end,) = self.door.process.ends
        client.read()
        end.protocol.dataReceived(b"SSH-2.0-IRChat\r\n")
        self.server.turn()
        self.assertEqual(client.read(), "SSH-2.0-IRChat\r\n")
        client.leave()
        self.assertEqual(self.server.services.admission.pending, 0)
        self.assertEqual(self.server.factory.room.taken, 0)

    def test_silence_and_end(self) -> None:
        """A silent client gets a goodbye after a minute, and one that ends its input is answered."""
        silent = self.door.client()
        self.assertIsInstance(silent.socket.protocol, BesideGreeting)
        self.server.advance(LOGIN_SECONDS)
        self.assertIn("nobody signed in", silent.read())
        self.assertFalse(silent.is_open)
        short = self.door.client(b"SS")
        short.end_sending()
        self.server.turn()
        self.assertFalse(short.is_open)
        self.assertEqual(self.server.services.admission.pending, 0)

    def test_without_room(self) -> None:
        """A client that becomes one too many by then is disconnected."""
        client = self.door.client()
        self.server.services.admission._limits.pending = 1
        self.server.services.admission.pending = 2
        client.socket.protocol.dataReceived(CLIENT_VERSION)
        self.server.turn()
        self.assertFalse(client.is_open)
        self.assertEqual(self.door.process.ends, [])
