"""Connections from a balancer."""

import ipaddress

from twisted.internet.defer import ensureDeferred
from twisted.logger import LogEvent, globalLogPublisher

from irchat.interfaces.limits import Limits
from irchat.net.tls import TLSLayer
from irchat.protocol.rules import LOGIN_SECONDS
from irchat.server.listeners.connection import Connection
from irchat.server.listeners.proxied import ProxiedConnection
from tests.helpers.client_fakes import certificate
from tests.helpers.server import GREETING, PASSWORD, Client, ServerTestCase, request
from tests.net.test_proxy_header import v2

_BALANCER = "10.0.0.1"
_NETWORKS = (ipaddress.ip_network("10.0.0.0/24"), ipaddress.ip_network("2001:db8::1/128"))
_NO_HEADER = "! The server requires the PROXY protocol from this address (--proxy-from). Use the balancer.\n"


class ProxiedTests(ServerTestCase):
    """`ProxiedConnection` before a plain connection."""

    def setUp(self) -> None:
        """Create a server with few connections per address."""
        self.server = self.make_server(balancers=_NETWORKS, limits=Limits(per_address=2))
        self.lines: list[LogEvent] = []
        globalLogPublisher.addObserver(self.lines.append)
        self.addCleanup(globalLogPublisher.removeObserver, self.lines.append)

    def _through(self, *header: bytes, host: str = _BALANCER) -> Client:
        """Return a client behind the balancer, after its header."""
        client = Client(self.server, host=host)
        self.assertEqual(client.read(), "")
        client.send(*header)
        client.connection = client.socket.protocol
        return client

    def test_stated_address(self) -> None:
        """The stated address is that of the connection, for bans and limits. The bytes after the header are its own."""
        client = self._through(v2("192.0.2.7") + request("register", name="alice", password=PASSWORD))
        self.assertIsInstance(client.connection, Connection)
        self.assertEqual(str(client.connection.address), "192.0.2.7")
        self.assertEqual(client.connection.session.address, "192.0.2.7")
        shown = client.read()
        self.assertTrue(shown.startswith(GREETING))
        self.assertIn('"type":"welcome"', shown)

    def test_pieces(self) -> None:
        """A header that arrives byte by byte is read, and the client's own bytes follow."""
        for header in b"PROXY TCP6 2001:db8::99 ::1 1 2\r\n", v2("2001:db8::99"):
            client = self._through(*(header[place : place + 1] for place in range(len(header))))
            self.assertEqual(client.connection.session.address, "2001:db8::/64")
            self.assertEqual(client.read(), GREETING)
            client.leave()

    def test_limits(self) -> None:
        """The limit per address counts clients by their own addresses, not by that of the balancer."""
        for number in range(20):
            self.assertTrue(self._through(v2(f"192.0.2.{number}")).is_open)
        self._through(v2("192.0.2.1"))
        third = self._through(v2("192.0.2.1"))
        self.assertIn("Too many connections from your address", third.read())
        self.assertFalse(third.is_open)
        self.assertEqual(self.server.factory.room.taken, 21)

    def test_ban(self) -> None:
        """A ban of a network counts for the stated address, and not for others behind the same balancer."""
        self.successResultOf(ensureDeferred(self.server.chat.moderation.ban("192.0.2.0/24", None, "spam", None)))
        banned = self._through(v2("192.0.2.7"))
        banned.send(b"alice\n")
        self.assertIn("spam", banned.read())
        other = self._through(v2("198.51.100.7"))
        other.send(b"alice\n")
        self.assertNotIn("spam", other.read())
        self.successResultOf(ensureDeferred(self.server.chat.moderation.ban("198.51.100.7", None, "noise", None)))
        self.server.turn()
        self.assertFalse(other.is_open)

    def test_no_address(self) -> None:
        """A health check, a UNIX socket and an unknown source count as the balancer itself."""
        for header in b"PROXY UNKNOWN\r\n", v2("192.0.2.7", command=0x20), v2("192.0.2.7", family=0x00):
            client = self._through(header)
            self.assertEqual(client.connection.session.address, _BALANCER)
            client.leave()

    def test_not_believed(self) -> None:
        """From other addresses a header is ordinary bad input, and states nothing."""
        for header in b"PROXY TCP4 192.0.2.7 10.0.0.1 1 2\r\n", v2("192.0.2.7"):
            for host in "10.0.1.1", "192.0.2.9", "2001:db8::2":
                client = Client(self.server, host=host)
                self.assertEqual(client.read(), GREETING)
                client.send(header)
                self.assertNotEqual(client.connection.session.address, "192.0.2.7")
                self.assertIn("!", client.read())
                client.leave()

    def test_bad_header(self) -> None:
        """Other bytes from a balancer close the connection with the reason. The log names the remedy once a minute."""
        for data in b"alice\n", b"PROXY TCP9 a b c d\r\n", b"x" * 9_000:
            client = self._through(data)
            self.assertEqual((client.read(), client.is_open), (_NO_HEADER, False))
            client.connection.dataReceived(v2("192.0.2.7"))
            self.assertEqual(client.read(), "")
        self.assertEqual(self.server.factory.room.taken, 0)
        self.assertEqual(len(self.lines), 1)
        self.server.advance(61)
        self._through(b"alice\n")
        self.server.advance(61)
        self._through(b"alice\n")
        self.assertEqual([line["count"] for line in self.lines], [1, 3, 1])  # each since the last line

    def test_silence(self) -> None:
        """A balancer that sends no header, or half of one, is disconnected after the time for signing in."""
        clients = [self._through(), self._through(v2("192.0.2.7")[:20])]
        self.server.advance(LOGIN_SECONDS - 1)
        self.assertTrue(all(client.is_open for client in clients))
        self.server.advance(1)
        for client in clients:
            self.assertEqual((client.read(), client.is_open), (_NO_HEADER, False))
        self.assertEqual(self.server.factory.room.taken, 0)

    def test_lost(self) -> None:
        """A connection that is lost before its header leaves nothing behind."""
        client = self._through()
        self.assertEqual(self.server.factory.room.taken, 1)
        client.leave()
        self.assertEqual(self.server.factory.room.taken, 0)
        self.assertEqual(self.server.clock.getDelayedCalls(), [])

    def test_other_family(self) -> None:
        """A balancer is known by its IPv6 address too, and by an IPv4 address mapped into IPv6."""
        for host in "2001:db8::1", "::ffff:10.0.0.1":
            self.assertIsInstance(Client(self.server, host=host).connection, ProxiedConnection)


class ProxiedTLSTests(ServerTestCase):
    """`ProxiedConnection` before TLS."""

    def setUp(self) -> None:
        """Create a server with a certificate."""
        self.server = self.make_server(
            tls=certificate("chat.example")[0], balancers=_NETWORKS, limits=Limits(per_address=1)
        )

    def test_tls(self) -> None:
        """TLS begins after the header, and nothing is sent before it. A second client of an address is closed."""
        client = Client(self.server, host=_BALANCER)
        client.send(v2("192.0.2.7"))
        self.assertIsInstance(client.socket.protocol, TLSLayer)
        second = Client(self.server, host=_BALANCER)
        second.send(v2("192.0.2.7"))
        self.assertEqual((second.read(), second.is_open), ("", False))

    def test_bad_header(self) -> None:
        """A peer without a header gets no plain text."""
        client = Client(self.server, host=_BALANCER)
        client.send(b"\x16\x03\x01")
        self.assertEqual((client.read(), client.is_open), ("", False))
