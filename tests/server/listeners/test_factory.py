"""The factory: what it makes for each client; who is turned away is in test_descriptors.py."""

from twisted.internet.address import IPv6Address

from irchat.interfaces.limits import Limits
from irchat.net.tls import TLSLayer
from tests.helpers.client_fakes import certificate
from tests.helpers.server import Client, ServerTestCase


class FactoryTests(ServerTestCase):
    """`ChatFactory`."""

    def setUp(self) -> None:
        """A server."""
        self.server = self.make_server()

    def test_settings_of_new_connections(self) -> None:
        """A new name of the server is in the greetings from then on."""
        self.server.factory.name = "Other"
        self.assertIn("IRChat/1 Other: ", Client(self.server).read())

    def test_turned_away(self) -> None:
        """Whoever is one too many reads why, and is disconnected, until another leaves; behind TLS nothing is said."""
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
        """With a certificate each connection is behind TLS, and there is one only when the handshake is done."""
        server = self.make_server(tls=certificate("chat.example")[0])
        self.assertIsInstance(server.factory.buildProtocol(None), TLSLayer)
        Client(server)
        self.assertEqual(list(server.connections), [])

    def test_tls_handshake_in_time(self) -> None:
        """Who does not finish the handshake within 60 seconds is disconnected."""
        server = self.make_server(tls=certificate("chat.example")[0])
        client = Client(server)
        server.advance(61)
        self.assertFalse(client.is_open)
