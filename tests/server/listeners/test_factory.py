"""The factory: the connections it builds. Refusals are tested in test_descriptors.py."""

from twisted.internet.address import IPv6Address

from irchat.interfaces.limits import Limits
from irchat.net.tls import TLSLayer
from tests.helpers.client_fakes import certificate
from tests.helpers.server import Client, ServerTestCase


class FactoryTests(ServerTestCase):
    """`ChatFactory`."""

    def setUp(self) -> None:
        """Create a server."""
        self.server = self.make_server()

    def test_settings_of_new_connections(self) -> None:
        """A new server name is in all later greetings."""
        self.server.factory.name = "Other"
        self.assertIn("IRChat/1 Other: ", Client(self.server).read())

    def test_turned_away(self) -> None:
        """A connection above the limit is told so and closed, until another leaves. Behind TLS nothing is said."""
        server = self.make_server(limits=Limits(per_address=1))
        first = Client(server, host="192.0.2.1")
        late = Client(server, host="192.0.2.1")
        said = "! Too many connections from your address wait to sign in. Close some.\n"
        self.assertEqual((late.read(), late.is_open), (said, False))
        first.leave()
        self.assertTrue(Client(server, host="192.0.2.1").is_open)
        self.assertEqual(server.factory.room.taken, 1)
        behind_tls = self.make_server(tls=certificate("chat.example")[0], limits=Limits(per_address=1))
        Client(behind_tls, host="192.0.2.1")
        self.assertIsNone(behind_tls.factory.buildProtocol(IPv6Address("TCP", "192.0.2.1", 1)))

    def test_tls(self) -> None:
        """With a certificate each connection uses TLS, and exists only after the handshake."""
        server = self.make_server(tls=certificate("chat.example")[0])
        self.assertIsInstance(server.factory.buildProtocol(None), TLSLayer)
        Client(server)
        self.assertEqual(list(server.connections), [])

    def test_tls_handshake_in_time(self) -> None:
        """A client that does not finish the handshake within 60 seconds is disconnected."""
        server = self.make_server(tls=certificate("chat.example")[0])
        client = Client(server)
        server.advance(61)
        self.assertFalse(client.is_open)
