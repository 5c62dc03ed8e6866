"""The factory: the connections that there are, and the way they end when the server stops."""

from twisted.internet.address import IPv6Address

from irchat.interfaces.limits import Limits
from irchat.net.tls import TLSLayer
from tests.helpers.client_fakes import certificate
from tests.helpers.server import Client, JSONClient, ServerTestCase, TextClient, request


class FactoryTests(ServerTestCase):
    """`ChatFactory`."""

    def setUp(self) -> None:
        """A server."""
        self.server = self.make_server()
        self.factory = self.server.factory

    def test_holds_connections(self) -> None:
        """It knows each connection from its beginning to its end."""
        clients = [Client(self.server), self.server.json("alice"), self.server.text("bob")]
        self.assertEqual(self.factory.connections, {client.connection for client in clients})
        clients[1].leave()
        clients[2].type("exit")
        self.assertEqual(self.factory.connections, {clients[0].connection})

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
        self.assertEqual(server.factory.connections, set())

    def test_tls_handshake_in_time(self) -> None:
        """Who does not finish the handshake within 60 seconds is disconnected."""
        server = self.make_server(tls=certificate("chat.example")[0])
        client = Client(server)
        server.advance(61)
        self.assertFalse(client.is_open)

    def test_stop(self) -> None:
        """On stop everyone is told so, whatever they were doing, and it is done when all are closed."""
        program, person, nobody = self.server.json("alice"), self.server.text("bob"), Client(self.server)
        self.server.advance(2)
        program.got()
        stopped = self.factory.stop()
        self.assertNoResult(stopped)
        self.server.turn()
        self.successResultOf(stopped)
        self.assertEqual(program.one("bye")["reason"], "the server stops")
        for client in person, nobody:
            self.assertIn("goodbye: the server stops", client.read())
        self.assertFalse(any(client.is_open for client in (program, person, nobody)))
        self.assertEqual(self.server.clock.calls, [])

    def test_stop_with_nobody(self) -> None:
        """With nobody there it is done at once, and leaves no call behind."""
        self.successResultOf(self.factory.stop())
        self.assertEqual(self.server.clock.calls, [])

    def test_stop_with_a_slow_reader(self) -> None:
        """Who does not read the farewell is disconnected after a second, and all that waits no longer."""
        slow = self.server.json("alice", room=0)
        quick = self.server.json("bob")
        stopped = self.factory.stop()
        self.server.advance(0.9)
        self.assertNoResult(stopped)
        self.assertEqual((slow.is_open, quick.is_open), (True, False))
        self.server.advance(0.2)
        self.successResultOf(stopped)
        self.assertTrue(slow.socket.aborted)
        self.assertEqual(self.server.clock.calls, [])

    def test_stop_saves(self) -> None:
        """What was shown is saved as read on stop, and what was sent before it is committed."""
        person, program = self.server.text("bob"), self.server.json("alice")
        program.send(request("send", chat="GLOBAL", text="hi"))
        self.assertIn("hi", person.shown())
        self.factory.stop()
        self.server.turn()
        self.successResultOf(self.server.chat.settled())
        self.assertEqual(self.server.json("bob").welcome["unread"], [])

    def test_leave_before_the_stop(self) -> None:
        """Connections that were over before the stop are of no matter to it."""
        for client in JSONClient(self.server), TextClient(self.server):
            client.leave()
        self.successResultOf(self.factory.stop())
