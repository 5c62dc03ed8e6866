"""A connection: the choice of the protocol, and the time limits."""

import contextlib
import json
import socket
import ssl

from twisted.internet import main
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from irchat.net.tls import TLSLayer
from irchat.protocol.rules import CLIENT_LINE_BYTES, SILENCE_ENDS
from tests.helpers.client_fakes import certificate
from tests.helpers.server import GREETING, PASSWORD, Client, JSONClient, ServerTestCase, TextClient, request

_LONGEST = CLIENT_LINE_BYTES


class GreetingTests(ServerTestCase):
    """The first lines."""

    def setUp(self) -> None:
        """Create a server."""
        self.server = self.make_server()

    def test_greeting(self) -> None:
        """The server speaks first: one line with the version, its name and the question for the username."""
        self.assertEqual(JSONClient(self.server).read(), GREETING)

    def test_json(self) -> None:
        """A first line that starts with a brace selects JSON, also after blank lines. All later lines are JSON."""
        client = JSONClient(self.server)
        client.send(b"\n\r\n  \n \t\r\n" + request("ping", ref=1) + b"bob\n\n")
        self.assertEqual([line["type"] for line in client.got()], ["pong", "error"])

    def test_text(self) -> None:
        """Any other first line selects text and is the username. Later lines with a brace are text too."""
        client = TextClient(self.server)
        client.type("", "bob", '{"type":"ping"}')
        shown = client.shown()
        self.assertIn("bob is a new name here", shown)
        self.assertNotIn('"', shown)

    def test_http(self) -> None:
        """A web browser is turned away at once."""
        for line in b"GET / HTTP/1.1\r\n", b"POST /x HTTP/2\r\n":
            client = Client(self.server)
            client.send(line + b"Host: chat\r\n\r\n{}\n")
            self.assertEqual(
                client.read(), said(GREETING, "this is not a web server: the option --web-port opens one for browsers")
            )
            self.assertFalse(client.is_open)

    def test_errors_before_the_choice(self) -> None:
        """Before the choice of the protocol errors are text. The choice stays open unless the line selected text."""
        client = JSONClient(self.server)
        client.send(b"{" * (_LONGEST + 2) + b"\n" + request("ping", ref=1))
        shown = client.read().splitlines()
        self.assertIn("! The line is longer than", shown[1])
        self.assertEqual(shown[2], '{"ref":1,"type":"pong"}')
        client = TextClient(self.server)
        client.send(b"\xff\n" + request("ping"))
        self.assertIn("! This line is not UTF-8", client.shown())
        self.assertEqual(client.connection.session.outbox.encode, None)


def said(greeting: str, reason: str) -> str:
    """The greeting and farewell of a text client."""
    return f"{greeting}\x1b[2m-- goodbye: {reason}\x1b[0m\n"


class TimeTests(ServerTestCase):
    """The time limits."""

    def setUp(self) -> None:
        """Create a server."""
        self.server = self.make_server()

    def test_nobody_signs_in(self) -> None:
        """A connection without a sign-in after 60 seconds gets a goodbye and is closed, in either protocol or none."""
        silent, program, person = Client(self.server), JSONClient(self.server), TextClient(self.server)
        for _ in range(5):
            program.ask("ping")
            person.type("bob")
            self.server.advance(11.9)
        program.got()
        person.shown()
        self.assertTrue(silent.is_open and program.is_open and person.is_open)
        self.server.advance(0.6)
        self.assertEqual(program.one("bye")["reason"], "nobody signed in within 60 seconds")
        self.assertIn("goodbye: nobody signed in", person.shown())
        self.assertEqual(silent.read(), said(GREETING, "nobody signed in within 60 seconds"))
        self.assertFalse(silent.is_open or program.is_open or person.is_open)

    def test_signed_in(self) -> None:
        """A signed-in connection may stay longer, a text client for any time."""
        program, person = self.server.json("alice"), self.server.text("bob")
        self.server.advance(61)
        program.ask("ping")
        self.server.advance(80)
        self.assertTrue(program.is_open and person.is_open)
        self.server.advance(100_000)
        self.assertFalse(program.is_open)
        self.assertTrue(person.is_open)

    def test_silent_person(self) -> None:
        """The system tells how long nothing was heard from a person. It is asked again and again."""
        person = self.server.text("bob")
        self.server.advance(*[30] * 10)
        person.socket.heard_at = self.server.clock.seconds()
        self.server.advance(20)
        person.socket.heard_at = self.server.clock.seconds()
        self.server.advance(30)
        self.assertTrue(person.is_open)
        self.server.advance(*[10] * 6)
        self.assertFalse(person.is_open)

    def test_ping(self) -> None:
        """After 45 seconds of silence a program is pinged once, after 90 it is disconnected."""
        client = self.server.json("alice")
        self.server.advance(44.9)
        self.assertEqual(client.got(), [])
        self.server.advance(0.2)
        client.one("ping")
        self.server.advance(44.8)
        self.assertEqual((client.got(), client.is_open), ([], True))
        self.server.advance(0.2)
        self.assertEqual(client.one("bye")["reason"], "nothing heard for 90 seconds")
        self.assertFalse(client.is_open)

    def test_any_line_answers(self) -> None:
        """Any line is a sign of life, even ``pong`` or an invalid request, and each silence begins after it."""
        client = self.server.json("alice")
        for line in request("pong"), b"nonsense\n", b"\n", request("ping"):
            self.server.advance(46)
            client.one("ping")
            self.server.advance(43)
            client.send(line)
            client.got()
        self.server.advance(44)
        self.assertEqual(client.got(), [])
        self.server.advance(2, 45)
        self.assertEqual([line["type"] for line in client.got()], ["ping", "bye"])

    def test_busy(self) -> None:
        """A program that is never silent for 45 seconds is never pinged."""
        client = self.server.json("alice")
        for _ in range(20):
            self.server.advance(30)
            client.ask("ping")
        self.assertEqual({line["type"] for line in client.got()}, {"pong"})

    def test_last_line_is_not_read(self) -> None:
        """A client that does not read the last line is disconnected 10 seconds later."""
        client = self.server.json("alice", room=0)
        client.ask("logout")
        self.server.advance(9.9)
        self.assertTrue(client.is_open)
        self.server.advance(0.2)
        self.assertFalse(client.is_open)

    def test_no_timers_are_left(self) -> None:
        """A closed connection leaves no delayed call."""
        for client in (JSONClient(self.server), self.server.json("alice"), self.server.text("bob")):
            client.leave()
        self.server.advance(2)
        self.assertEqual(self.server.clock.calls, [])


class Channel(StringTransport):
    """A transport that is not a socket: it keeps written data until the test drains it."""

    def drain(self) -> bytes:
        """Return the written data, and report all of it as sent."""
        data = self.value()
        self.clear()
        self.producer.resumeProducing()
        return data


class NoSocketTests(ServerTestCase):
    """A connection over a transport that is not a socket."""

    def test_slow_reader(self) -> None:
        """Without draining it holds a limited number of bytes. After draining, it delivers every message in order."""
        server = self.make_server()
        writer, channel = server.json("alice"), Channel()
        connection = server.factory.buildProtocol(None)
        connection.makeConnection(channel)
        connection.dataReceived(request("register", name="bob", password=PASSWORD))
        server.turn()
        self.assertIn(b"welcome", channel.drain())
        said = [f"{number} {'x' * 3_900}" for number in range(200)]
        for text in said:
            writer.ask("send", chat="GLOBAL", text=text)
        self.assertLess(len(channel.value()), 300_000)
        self.assertTrue(connection.session.outbox.behind)
        got = b""
        while data := channel.drain():
            got += data
            server.turn()
        self.assertFalse(connection.session.outbox.behind)
        self.assertEqual([line["text"] for line in map(json.loads, got.splitlines()) if "text" in line], said)
        connection.connectionLost(Failure(main.CONNECTION_DONE))


class TLSTests(ServerTestCase):
    """Connections over TLS."""

    def setUp(self) -> None:
        """A TLS client in memory."""
        self.server = self.make_server(tls=certificate("chat.example")[0])
        self.client = Client(self.server)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing)
        for _ in range(3):
            with contextlib.suppress(ssl.SSLWantReadError):
                self.tls.do_handshake()
            self._exchange()

    def _exchange(self) -> None:
        self.client.send(self.outgoing.read())
        self.incoming.write(b"".join(self.client.socket.writes))
        self.client.socket.writes.clear()

    def _type(self, *lines: str) -> str:
        for line in lines:
            self.tls.write(f"{line}\n".encode())
        self._exchange()
        shown = b""
        with contextlib.suppress(ssl.SSLWantReadError):
            while piece := self.tls.read(65_536):
                shown += piece
        return shown.decode()

    def test_text_over_tls(self) -> None:
        """Over TLS the protocol is the same, and keepalive is set on the TCP connection below."""
        self.assertIsInstance(self.client.connection, TLSLayer)
        shown = self._type("bob", PASSWORD, PASSWORD)
        self.assertTrue(shown.startswith(GREETING))
        self.assertIn("Welcome to IRChat", shown)
        self.assertTrue(self.client.socket.keeps_alive)
        self.assertIn("goodbye", self._type("exit"))
        self.assertFalse(self.client.is_open)

    def test_not_read_last_line(self) -> None:
        """Over TLS too, a client that does not read the last line is disconnected 10 seconds later."""
        self.client.socket.room = 0
        self._type("GET / HTTP/1.1")
        self.assertTrue(self.client.is_open)
        self.server.advance(11)
        self.assertFalse(self.client.is_open)


class KeepaliveTests(ServerTestCase):
    """TCP keepalive, by which the system detects lost text clients."""

    def setUp(self) -> None:
        """Create a server."""
        self.server = self.make_server()

    def test_keepalive(self) -> None:
        """In the text protocol the system detects a lost peer within 90 seconds. In JSON keepalive is off."""
        person, program = self.server.text("bob"), self.server.json("alice")
        self.assertTrue(person.socket.keeps_alive)
        self.assertFalse(program.socket.keeps_alive)
        options = {option: value for _, option, value in person.socket.options}
        self.assertEqual(options.get(socket.TCP_USER_TIMEOUT), SILENCE_ENDS * 1_000, "in ms")
        dead_after = options[socket.TCP_KEEPIDLE] + options[socket.TCP_KEEPINTVL] * options[socket.TCP_KEEPCNT]
        self.assertEqual(dead_after, 90)

    def test_keepalive_elsewhere(self) -> None:
        """On a system without these options, keepalive is still switched on."""
        for option in "TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT", "TCP_INFO":
            self.patch(socket, option, 1)
            delattr(socket, option)
        person = self.server.text("bob")
        self.assertEqual((person.socket.keeps_alive, person.socket.options), (True, []))
        person.socket.heard_at = self.server.clock.seconds()
        self.server.advance(100, 100)
        self.assertTrue(person.is_open)
