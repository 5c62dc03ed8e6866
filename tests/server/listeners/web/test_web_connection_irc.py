"""IRC over WebSocket, on its own path of the web door."""

from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from irchat.server.listeners.web.web_door import WebDoor
from irchat.server.protocols.offers import web_protocols
from tests.server.listeners.web.test_web_connection import UPGRADE, Browser, WebTestCase, frame, get


class IRCTests(WebTestCase):
    """IRC over WebSocket."""

    def handshake(self, named: str = "") -> tuple[Browser, bytes]:
        """Upgrade on the path of IRC. Return the browser and the answer."""
        browser = self.browser()
        offered = {"Sec-WebSocket-Protocol": named} if named else {}
        return browser, browser.send(get("/irc", **UPGRADE, **offered))

    def test_subprotocols(self) -> None:
        """The client's first known subprotocol wins. Without a known one there is none in the answer."""
        for named, chosen in {
            "text.ircv3.net": b"text.ircv3.net",
            "binary.ircv3.net, text.ircv3.net": b"binary.ircv3.net",
            "mqtt,text.ircv3.net , binary.ircv3.net": b"text.ircv3.net",
            "mqtt": None,
            "": None,
        }.items():
            browser, got = self.handshake(named)
            self.assertTrue(got.startswith(b"HTTP/1.1 101 "), got)
            header = b"" if chosen is None else b"Sec-WebSocket-Protocol: " + chosen + b"\r\n"
            self.assertEqual(header, b"".join(line + b"\r\n" for line in got.split(b"\r\n") if b"Protocol:" in line))
            self.assertTrue(got.endswith(b"\r\n\r\n"), "IRC does not greet")
            browser.connection.connectionLost(Failure(ConnectionDone()))

    def test_lines(self) -> None:
        """A message is a line in both directions, text or binary as chosen."""
        for named, opcode in ("text.ircv3.net", 0x81), ("binary.ircv3.net", 0x82):
            browser, _ = self.handshake(named)
            line = b":irchat PONG irchat :one"
            self.assertEqual(browser.send(frame("PING one", opcode)), bytes((opcode, len(line))) + line)
            self.assertEqual(browser.send(frame("QUIT", opcode))[-4:], b"\x88\x02\x03\xe8")
            browser.connection.connectionLost(Failure(ConnectionDone()))

    def test_not_utf8(self) -> None:
        """Bytes that are not UTF-8 are refused in a binary message, and end a connection of text messages."""
        browser, _ = self.handshake("binary.ircv3.net")
        self.assertIn(b"FAIL NICK INVALID_UTF8", browser.send(frame(b"NICK \xff", 0x82)))
        browser, _ = self.handshake("text.ircv3.net")
        self.assertEqual(browser.send(frame(b"NICK \xff"))[:1], b"\x88")

    def test_switched_off(self) -> None:
        """Without IRC, there is nothing at its path."""
        self.door = WebDoor(self.server.factory, web_protocols())
        _, got = self.handshake()
        self.assertTrue(got.startswith(b"HTTP/1.1 404 "), got)
