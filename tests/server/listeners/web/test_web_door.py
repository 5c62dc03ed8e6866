"""The door of browsers on the TLS port of the lines."""

import ssl
from ipaddress import ip_network

from irchat.server.listeners.web.web_connection import WebConnection
from irchat.server.listeners.web.web_door import WebDoor
from irchat.server.protocols.offers import web_protocols
from tests.helpers.server import Server, ServerTestCase
from tests.helpers.tls_wire import server_context


class DoorTests(ServerTestCase):
    """`WebDoor`."""

    def setUp(self) -> None:
        """Start a server with TLS and a web door."""
        super().setUp()
        context = server_context()
        context.set_alpn_protocols(["http/1.1", "irchat"])
        self.server = Server(tls=context)
        self.addCleanup(self.server.close)
        self.server.factory.web = WebDoor(self.server.factory, web_protocols())

    def speak(self, names: list[str], say: bytes) -> bytes:
        """Shake hands as a client that offers ``names``, say something, and return the answer."""
        client = self.server.json()
        into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
        trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        if names:
            trusting.set_alpn_protocols(names)
        layer = trusting.wrap_bio(into, out)
        got = b""
        for _ in range(8):
            try:
                layer.do_handshake()
                if say:
                    layer.write(say)
                    say = b""
                got += layer.read(100_000)
            except ssl.SSLWantReadError:
                pass
            client.send(out.read())
            into.write(b"".join(client.socket.writes))
            client.socket.writes.clear()
        return got

    def test_chosen_by_the_handshake(self) -> None:
        """HTTP gets the page; irchat, another name or none get lines."""
        request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        self.assertTrue(self.speak(["h2", "http/1.1"], request).startswith(b"HTTP/1.1 200 OK"))
        for names in [], ["irchat"], ["h2"]:
            self.assertIn(b"your username?", self.speak(names, b""))

    def test_no_address(self) -> None:
        """A peer without an address, as on a UNIX socket, is no proxy."""
        door = WebDoor(self.server.factory, web_protocols(), [ip_network("127.0.0.0/8")])
        self.assertIsInstance(door.buildProtocol(None), WebConnection)

    def test_plain(self) -> None:
        """A browser that forgot the s is sent to it. Other plain bytes are closed without an answer."""
        client = self.server.json()
        client.send(b"GET / HTTP/1.1\r\nHost: a:7667\r\n\r\n")
        self.assertIn("Location: https://a:7667/\r\n", client.read())
        other = self.server.json()
        other.send(b"GIVE me\r\n")
        self.assertEqual(other.read(), "")
        self.assertTrue(other.socket.disconnecting)

    def test_without_room(self) -> None:
        """A door of its own accepts no connection without room for it."""
        self.server.factory.room.taken = 10**9
        door = self.server.factory.web
        assert isinstance(door, WebDoor)
        self.assertIsNone(door.buildProtocol(None))
        self.server.factory.room.taken = 0
        self.assertIsInstance(door.buildProtocol(None), WebConnection)
