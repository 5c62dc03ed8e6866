"""The factory: the connections it builds, and their TLS handshakes. Refusals are tested in test_descriptors.py."""

import ssl
from ipaddress import ip_network

from twisted.internet.address import IPv6Address

from irchat.interfaces.limits import Limits
from irchat.net.tls import TLSLayer
from irchat.server.sessions.costs import ADDRESS_SHARE, WORK_AT_ONCE, WORK_OF_CONNECTION
from tests.helpers.client_fakes import certificate
from tests.helpers.server import GREETING, PASSWORD, Client, JSONClient, ServerTestCase


def _hello() -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    outgoing = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="chat.example")
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()
    raise AssertionError("a handshake needs an answer")


class FactoryTests(ServerTestCase):
    """`ChatFactory`."""

    def setUp(self) -> None:
        """Create a server."""
        self.server = self.make_server()

    def test_settings_of_new_connections(self) -> None:
        """A new server name is in all later greetings."""
        self.server.factory.name = "Other"
        self.assertIn("IRChat/1 Other: ", Client(self.server).read())

    def test_new_certificate(self) -> None:
        """A new certificate is that of all later connections."""
        server = self.make_server(tls=certificate("chat.example")[0])
        new = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.factory.tls = new
        self.assertIs(server.factory.tls, new)
        self.assertIs(server.factory.beside(server.factory.offers).tls, new)

    def test_no_address(self) -> None:
        """A peer without an address is no balancer."""
        server = self.make_server(balancers=(ip_network("10.0.0.0/8"),))
        self.assertEqual(Client(server, host="").read(), GREETING)

    def test_turned_away(self) -> None:
        """A connection above the limit is refused until another leaves. Behind TLS it gets no answer."""
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

    def test_plain_on_a_port_with_tls(self) -> None:
        """Without the page, nobody is sent to it: other bytes than TLS close the connection without an answer."""
        server = self.make_server(tls=certificate("chat.example")[0])
        client = Client(server)
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual((client.read(), client.is_open), ("", False))

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


class PlainTests(ServerTestCase):
    """Connections without TLS: charged to their address."""

    def test_no_debt(self) -> None:
        """An address owes little after any number of connections, so that its other users wait only a moment."""
        server = self.make_server(limits=Limits(per_address=5))
        limiter = server.services.rate_limiters.of("192.0.2.1")
        for _ in range(2_000):
            Client(server, host="192.0.2.1").leave()
        self.assertLess(limiter.work, WORK_OF_CONNECTION)
        self.assertGreater(limiter.work, -2 * WORK_OF_CONNECTION)
        client = JSONClient(server, host="192.0.2.1")
        client.ask("register", name="alice", password=PASSWORD)
        server.advance(1)
        self.assertEqual(client.one("welcome")["name"], "alice")


class HandshakeTests(ServerTestCase):
    """TLS handshakes: charged to their address, delayed above its budget, and limited per turn."""

    def setUp(self) -> None:
        """Start a server with limits, but with many connections per address."""
        self.server = self.make_server(tls=certificate("chat.example")[0], limits=Limits(per_address=5_000))
        self.hello = _hello()

    def _begin(self, host: str) -> Client:
        client = Client(self.server, host=host)
        client.send(self.hello)
        return client

    def _answered(self, clients: list[Client]) -> int:
        return sum(bool(client.socket.writes) for client in clients)

    def test_wait_for_work(self) -> None:
        """Above the budget of an address its handshakes wait, unread, and continue later. Others are unaffected."""
        most = int(WORK_AT_ONCE * ADDRESS_SHARE / WORK_OF_CONNECTION)
        many = [self._begin("192.0.2.1") for _ in range(most + 50)]
        self.server.turn()
        self.assertEqual(self._answered(many), most)
        self.assertFalse(many[-1].socket.is_read)
        other = self._begin("192.0.2.2")
        self.server.turn()
        self.assertEqual(self._answered([other]), 1)
        self.server.advance(*[0.01] * 60)
        self.assertEqual(self._answered(many), most + 50)
        self.assertTrue(many[-1].socket.is_read)

    def test_cost(self) -> None:
        """A handshake of several steps costs once."""
        limiter = self.server.services.rate_limiters.of("192.0.2.1")
        before = limiter.work
        take = self.server.factory._handshake_of("192.0.2.1")
        for _ in range(3):
            take(lambda: None)
            self.server.turn()
        self.assertEqual(before - limiter.work, WORK_OF_CONNECTION)

    def test_slices(self) -> None:
        """A turn of the reactor begins no step after 5 ms. The others follow later, and a failing one stops none."""
        clock = self.server.clock
        take = self.server.factory._handshake_of("192.0.2.1")
        made: list[int] = []

        def step(number: int) -> None:
            made.append(number)
            clock.rightNow += 0.003
            if number == 0:
                raise OSError

        for number in range(5):
            take(lambda number=number: step(number))  # type: ignore[misc]
        for most in 2, 4, 5:
            (turn,) = clock.getDelayedCalls()
            make = turn.func
            turn.cancel()
            make()
            self.assertEqual(made, list(range(most)))
        self.assertEqual(clock.getDelayedCalls(), [])
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)

    def test_closed(self) -> None:
        """A connection that closes while it waits for its handshake leaves nothing."""
        client = self._begin("192.0.2.1")
        client.leave()
        self.server.turn()
        self.assertEqual(self.server.services.admission._pending, {})
        self.assertEqual(self.server.clock.calls, [])
