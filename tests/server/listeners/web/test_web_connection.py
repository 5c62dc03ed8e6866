"""Requests of browsers: answers, refusals, limits, and the upgrade to a WebSocket."""

import base64
import gzip
import json
from ipaddress import ip_network
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from irchat.interfaces.limits import Limits
from irchat.server.listeners.web.answers import SECURITY_HEADERS
from irchat.server.listeners.web.web_connection import WebConnection
from irchat.server.listeners.web.web_door import WebDoor
from irchat.server.protocols.irc.irc_shared import make_shared
from irchat.server.protocols.offers import irc_protocols, web_protocols
from irchat.server.sessions.costs import ADDRESS_SHARE, WORK_AT_ONCE, WORK_OF_PAGE
from tests.helpers.server import PASSWORD, Server, ServerTestCase, Socket

KEY = base64.b64encode(b"0123456789abcdef").decode()
UPGRADE = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": KEY}


def get(path: str = "/", line: str = "", **headers: str) -> bytes:
    """Return the head of a request. Underscores in the names of headers stand for hyphens."""
    lines = [line or f"GET {path} HTTP/1.1", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    if "Host" not in headers:
        lines.append("Host: chat.example:7667")
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def frame(text: str | bytes, first: int = 0x81) -> bytes:
    """Return a frame of a client, masked with zeros."""
    data = text.encode() if isinstance(text, str) else text
    size = bytes([0x80 | len(data)]) if len(data) < 126 else bytes([0xFE]) + len(data).to_bytes(2, "big")
    return bytes([first]) + size + bytes(4) + data


class Browser:
    """A connection to the door of ``server``."""

    def __init__(self, server: Server, door: WebDoor, host: str = "192.0.2.1") -> None:
        self.server = server
        self.socket = Socket(server.clock)
        built: Any = door.buildProtocol(IPv4Address("TCP", host, 1))
        assert isinstance(built, WebConnection)
        self.connection = self.socket.protocol = built
        self.connection.makeConnection(self.socket)

    def send(self, *data: bytes) -> bytes:
        """Send segments. Return what comes back."""
        for segment in data:
            self.connection.dataReceived(segment)
        self.server.turn()
        got = b"".join(self.socket.writes)
        self.socket.writes.clear()
        return got

    def upgrade(self) -> None:
        """Become a WebSocket, and drop the greeting."""
        got = self.send(get("/ws", **UPGRADE))
        assert got.startswith(b"HTTP/1.1 101 "), got

    @property
    def is_open(self) -> bool:
        """Whether the server keeps the connection."""
        return not (self.socket.disconnecting or self.socket.aborted)


class WebTestCase(ServerTestCase):
    """A server with a web door."""

    limits = Limits(per_address=3, per_user=0, timed=0, rate=0)

    def setUp(self) -> None:
        """Open the door."""
        super().setUp()
        self.server = Server(limits=self.limits)
        self.addCleanup(self.server.close)
        irc = irc_protocols(make_shared(self.server.services, self.server.clock, "Test"))
        self.door = WebDoor(self.server.factory, web_protocols(), [ip_network("127.0.0.0/8")], irc=irc)

    def browser(self, host: str = "192.0.2.1") -> Browser:
        """Connect a browser."""
        return Browser(self.server, self.door, host)


class RequestTests(WebTestCase):
    """Requests and their answers."""

    def test_page(self) -> None:
        """The index is at the root, with all security headers, and is never stored."""
        got = self.browser().send(get())
        self.assertTrue(got.startswith(b"HTTP/1.1 200 OK\r\n"), got)
        self.assertIn(SECURITY_HEADERS, got)
        self.assertIn(b"Cache-Control: no-store\r\n", got)
        self.assertIn(b"<!doctype html>", got)

    def test_compressed_and_not_modified(self) -> None:
        """A file is compressed for those that accept it, and not sent again to those that have it."""
        browser = self.browser()
        plain = browser.send(get("/irchat.css"))
        self.assertIn(b"Cache-Control: no-cache\r\n", plain)
        packed = browser.send(get("/irchat.css", Accept_Encoding="gzip, br"))
        self.assertIn(b"Content-Encoding: gzip\r\n", packed)
        self.assertEqual(gzip.decompress(packed.split(b"\r\n\r\n", 1)[1]), plain.split(b"\r\n\r\n", 1)[1])
        for accepted in "gzip;q=0", "br, gzip; q=0.000", "br;q=1, identity", "gzipped":
            self.assertNotIn(b"Content-Encoding", browser.send(get("/irchat.css", Accept_Encoding=accepted)), accepted)
        for accepted in "GZIP", "br;q=1.0,gzip;q=0.1", "identity;q=0, gzip;q=1.0":
            self.assertIn(b"Content-Encoding", browser.send(get("/irchat.css", Accept_Encoding=accepted)), accepted)
        tag = next(line for line in plain.split(b"\r\n") if line.startswith(b"ETag: "))[6:].decode()
        again = browser.send(get("/irchat.css", If_None_Match=tag))
        self.assertTrue(again.startswith(b"HTTP/1.1 304 "), again)
        self.assertTrue(again.endswith(b"\r\n\r\n"))

    def test_refused(self) -> None:
        """Each bad request has its own status, and ends the connection unless only the path is wrong."""
        cases: list[tuple[bytes, int, bool]] = [
            (get("/nothing"), 404, True),
            (get("/../etc/passwd"), 404, True),
            (get(line="POST / HTTP/1.1"), 405, False),
            (get(line="HEAD / HTTP/1.1"), 405, False),
            (get(line="GET / HTTP/1.0"), 505, False),
            (get(line="GET / HTTP/2.0"), 505, False),
            (get(line="GET  / HTTP/1.1"), 400, False),
            (get(line="hello"), 400, False),
            (get(line="GET http://elsewhere/ HTTP/1.1"), 400, False),
            (get(Host="a b"), 400, False),
            (get(Content_Length="5"), 400, False),
            (get(Transfer_Encoding="chunked"), 400, False),
            (b"GET / HTTP/1.1\r\n\r\n", 400, False),
            (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, False),
            (get(X="x" * 8_200), 431, False),
            (b"GET /" + b"x" * 9_000, 431, False),
            (get("/ws"), 426, False),
            (get("/ws", **{**UPGRADE, "Sec-WebSocket-Key": "short"}), 400, False),
            (get("/ws", **{**UPGRADE, "Sec-WebSocket-Version": "8"}), 400, False),
            (get("/ws", **UPGRADE, Origin="https://elsewhere.example"), 403, False),
            (get("/ws", **UPGRADE, Origin="null"), 403, False),
            (get("/irc"), 426, False),
            (get("/irc", **UPGRADE, Origin="https://elsewhere.example"), 403, False),
        ]
        for number, (head, status, stays) in enumerate(cases):
            browser = self.browser(f"192.0.2.{number + 1}")
            got = browser.send(head)
            self.assertEqual((got.split(b" ", 2)[1], browser.is_open), (str(status).encode(), stays), (head[:80], got))
            self.assertNotIn(b"etc/passwd", got)
        self.assertEqual(len(self.server.connections), 0, "none has a session")

    def test_head_without_body(self) -> None:
        """Nothing follows the head of an answer to HEAD: a proxy would take it for its next answer."""
        for number, line in enumerate(("HEAD / HTTP/1.1", "HEAD /nothing HTTP/1.0", "HEAD /%s HTTP/1.1\r\nHost: b")):
            got = self.browser(f"192.0.2.{number + 1}").send(get(line=line))
            self.assertTrue(got.endswith(b"\r\n\r\n"), got)
            self.assertEqual(got.count(b"\r\n\r\n"), 1, got)

    def test_smuggled(self) -> None:
        """Bytes that could be the body of a request, or its end, are never read as another request."""
        hidden = b"GET /icon.svg HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for number, header in enumerate(
            (
                "Content-Length: 44",
                "content-length:44",
                "Content-Length: 0\r\nContent-Length: 44",
                "Content-Length: 0, 44",
                "Content-Length: +0",
                "Content-Length: 0x0",
                "Content-Length : 44",
                "Transfer-Encoding: chunked",
                "Transfer-Encoding: \tidentity",
                "Transfer-encoding:chunked\r\nContent-Length: 0",
                " Transfer-Encoding: chunked",
                "X: a\r\n Transfer-Encoding: chunked",
                "X: a\rTransfer-Encoding: chunked",
                "X: a\x00b",
                "X: a\nContent-Length: 44",
            )
        ):
            browser = self.browser(f"192.0.2.{number + 1}")
            got = browser.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + header.encode() + b"\r\n\r\n" + hidden)
            self.assertTrue(got.startswith(b"HTTP/1.1 400 "), (header, got[:80]))
            self.assertEqual((got.count(b"HTTP/1.1 "), browser.is_open), (1, False), header)

    def test_in_pieces(self) -> None:
        """A request that comes byte by byte, or several at once, are answered in order."""
        browser = self.browser()
        head = get("/icon.svg")
        for at in range(len(head) - 1):
            self.assertEqual(browser.send(head[at : at + 1]), b"")
        self.assertIn(b"image/svg+xml", browser.send(head[-1:]))
        got = browser.send(get("/icon.svg") + get("/nothing") + get("/icon.svg"))
        self.assertEqual(got.count(b"HTTP/1.1 200"), 2)
        self.assertEqual(got.count(b"HTTP/1.1 404"), 1)

    def test_kept_connection_ends(self) -> None:
        """A connection answers a hundred requests, and stays twenty seconds without one."""
        browser = self.browser()
        for _ in range(99):
            self.assertNotIn(b"Connection: close", browser.send(get("/icon.svg")))
        self.assertIn(b"Connection: close", browser.send(get("/icon.svg")))
        self.assertFalse(browser.is_open)
        idle = self.browser()
        idle.send(get("/icon.svg"))
        self.server.advance(15)
        idle.send(get("/icon.svg"))
        self.server.advance(19)
        self.assertTrue(idle.is_open)
        self.server.advance(2)
        self.assertFalse(idle.is_open)

    def test_a_few_in_a_turn(self) -> None:
        """Of many requests sent at once, each turn answers a few. A WebSocket after them is read at once."""
        browser = self.browser()
        browser.connection.dataReceived(get("/icon.svg") * 59 + get("/ws", **UPGRADE))
        self.assertEqual(b"".join(browser.socket.writes).count(b"HTTP/1.1 200"), 4)
        self.assertFalse(browser.socket.is_read)
        got = browser.send()
        self.assertEqual((got.count(b"HTTP/1.1 200"), got.count(b"HTTP/1.1 101")), (59, 1))
        self.assertIn(
            b"welcome", browser.send(frame(json.dumps({"type": "register", "name": "al", "password": PASSWORD})))
        )
        gone = self.browser()
        gone.connection.dataReceived(get("/icon.svg") * 9)
        gone.connection.connectionLost(Failure(ConnectionDone()))
        self.server.turn()

    def test_closing(self) -> None:
        """A client may ask to close. After the last answer nothing is read, not even from the same segment."""
        for number, first in enumerate((get("/icon.svg", Connection="close"), get(line="hello"), get("/ws"))):
            for rest in (get("/nothing"),), (b"", get("/nothing")):
                browser = self.browser(f"192.0.2.{number + 1}")
                got = browser.send(first + rest[0], *rest[1:])
                self.assertEqual((got.count(b"HTTP/1.1 "), got.count(b"Connection: close")), (1, 1), got)
                self.assertFalse(browser.is_open)
                browser.connection.connectionLost(Failure(ConnectionDone()))
                self.assertEqual(browser.send(get("/nothing")), b"")

    def test_reasons(self) -> None:
        """The answer to a bad request says what is wrong, and which method is right if that is it."""
        got = self.browser().send(get(line="POST / HTTP/1.1"))
        self.assertIn(b"Allow: GET\r\n", got)
        self.assertTrue(got.endswith(b"\r\n\r\nOnly GET is answered here.\n"), got)
        got = self.browser().send(get(line="hello"))
        self.assertNotIn(b"Allow:", got)
        self.assertTrue(got.endswith(b"\r\n\r\nThat is no HTTP request.\n"), got)

    def test_last_answer_is_not_read(self) -> None:
        """A client that does not read the last answer is disconnected after twenty seconds."""
        browser = self.browser()
        browser.socket.room = 0
        browser.send(get(line="hello"))
        self.server.advance(19)
        self.assertFalse(browser.socket.aborted)
        self.server.advance(2)
        self.assertTrue(browser.socket.aborted)

    def test_gone_later(self) -> None:
        """A connection that has answered in several turns may be lost at any later moment."""
        browser = self.browser()
        browser.send(get("/icon.svg") * 9)
        browser.connection.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(self.server.clock.getDelayedCalls(), [])

    def test_silent(self) -> None:
        """A connection without a request is closed after a minute, and leaves its place to others."""
        for _ in range(3):
            self.browser()
        self.assertIsNone(self.door.buildProtocol(IPv4Address("TCP", "192.0.2.1", 1)))
        self.server.advance(61)
        self.server.advance(1)
        self.assertTrue(self.browser().is_open)

    def test_slow_reader(self) -> None:
        """While an answer waits, no further request is read."""
        browser = self.browser()
        browser.socket.room = 10
        browser.send(get("/main.js") * 5)
        self.assertFalse(browser.socket.is_read)
        self.assertLess(browser.socket.waiting, 60_000)
        browser.socket.room = None
        for _ in range(10):
            browser.socket.turn()
            self.server.turn()
        self.assertEqual(b"".join(browser.socket.writes).count(b"ETag: "), 5)


class WorkTests(WebTestCase):
    """Requests cost work of their address."""

    limits = Limits(per_address=3)

    def test_used_up(self) -> None:
        """A request waits until its address has work left, and other addresses do not."""
        browser = self.browser()
        limiter = self.server.services.rate_limiters.of("192.0.2.1")
        limiter.work = 0.2
        self.assertEqual(browser.send(get("/icon.svg") * 4).count(b"HTTP/1.1 200"), 1)
        self.assertIn(b"HTTP/1.1 200", self.browser("192.0.2.2").send(get("/icon.svg")))
        self.server.advance(1)
        self.assertEqual(browser.send().count(b"HTTP/1.1 200"), 3)

    def test_kept(self) -> None:
        """What an address has used stays used when its only connection ends."""
        browser = self.browser()
        browser.send(get("/icon.svg", Connection="close"))
        browser.connection.connectionLost(Failure(ConnectionDone()))
        del browser
        limiter = self.server.services.rate_limiters.of("192.0.2.1")
        self.assertAlmostEqual(limiter.work, WORK_AT_ONCE * ADDRESS_SHARE - WORK_OF_PAGE)

    def test_new_connections(self) -> None:
        """The first request of a connection waits too, so that no flood of connections leaves a debt behind."""
        limiter = self.server.services.rate_limiters.of("192.0.2.1")
        limiter.work = 0.2
        for _ in range(500):
            browser = self.browser()
            browser.send(get("/icon.svg", Connection="close"))
            browser.connection.connectionLost(Failure(ConnectionDone()))
        self.assertGreater(limiter.work, -1)
        browser = self.browser()
        self.assertEqual(browser.send(get("/icon.svg")), b"")
        self.assertFalse(browser.socket.is_read)
        self.server.advance(1)
        self.assertEqual(browser.send().count(b"HTTP/1.1 200"), 1)
        self.assertTrue(browser.socket.is_read)


class ProxyTests(WebTestCase):
    """A reverse proxy names the client."""

    def test_named(self) -> None:
        """The last address of the header counts, from a proxy alone."""
        for given, counted in {
            "198.51.100.7": "198.51.100.7",
            "10.0.0.1, 198.51.100.7": "198.51.100.7",
            "lie, [2001:db8::1]": "2001:db8::/64",
            "lie": "127.0.0.1",
        }.items():
            browser = self.browser("127.0.0.1")
            browser.send(get(X_Forwarded_For=given))
            assert browser.connection._visit is not None
            self.assertEqual(browser.connection._visit.address, counted)
            browser.connection.connectionLost(Failure(ConnectionDone()))
        stranger = self.browser("192.0.2.9")
        stranger.send(get(X_Forwarded_For="198.51.100.7"))
        assert stranger.connection._visit is not None
        self.assertEqual(stranger.connection._visit.address, "192.0.2.9")

    def test_too_many(self) -> None:
        """The limit is that of the named client, which is asked to come back."""
        for _ in range(3):
            self.browser("127.0.0.1").send(get(X_Forwarded_For="198.51.100.7"))
        got = self.browser("127.0.0.1").send(get(X_Forwarded_For="198.51.100.7"))
        self.assertTrue(got.startswith(b"HTTP/1.1 503 "), got)
        self.assertIn(b"Retry-After: 5\r\n", got)
        self.assertIn(b" 200 ", self.browser("127.0.0.1").send(get(X_Forwarded_For="198.51.100.8")))
