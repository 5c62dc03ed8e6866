"""The upgrade of a browser connection to a WebSocket, and the session behind it."""

import json

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from tests.helpers.server import PASSWORD
from tests.server.listeners.web.test_web_connection import UPGRADE, WebTestCase, frame, get


class WebSocketTests(WebTestCase):
    """The upgrade, and the session behind it."""

    def test_at_once(self) -> None:
        """What comes with the upgrade is read. The times of requests end nothing any more."""
        browser = self.browser()
        browser.send(get("/icon.svg"))
        line = json.dumps({"type": "register", "name": "alice", "password": PASSWORD})
        got = browser.send(get("/ws", **UPGRADE) + frame(line))
        self.assertIn(b'"type":"welcome"', got)
        for _ in range(5):
            self.server.advance(40)
            self.assertIn(b"pong", browser.send(frame('{"type":"ping"}')))

    def test_origin(self) -> None:
        """The page itself may connect, with or without the usual port, and so may a program."""
        for number, (origin, host) in enumerate(
            [("https://chat.example:7667", "chat.example:7667"), ("https://chat.example", "chat.example:443"),
             ("http://chat.example:80", "chat.example"), ("https://CHAT.example:7667", "chat.example:7667")]
        ):  # fmt: skip
            got = self.browser(f"192.0.2.{number + 1}").send(get("/ws", **UPGRADE, Origin=origin, Host=host))
            self.assertTrue(got.startswith(b"HTTP/1.1 101 "), (origin, got))

    def test_session(self) -> None:
        """After the greeting, JSON lines work as on any other door, also after another request of the connection."""
        browser = self.browser()
        browser.send(get("/icon.svg"))
        got = browser.send(get("/ws", **UPGRADE))
        self.assertIn(b"IRChat/1 Test: your username?\n", got)
        line = json.dumps({"type": "register", "name": "alice", "password": PASSWORD, "ref": 1})
        welcome = browser.send(frame(line))
        self.assertIn(b'"type":"welcome"', welcome)
        self.assertIn(b'"type":"sent"', browser.send(frame('{"type":"send","chat":"GLOBAL","text":"hi"}')))
        bob = self.server.json("bob")
        bob.ask("send", chat="GLOBAL", text="hello")
        self.assertIn(b'"text":"hello"', browser.send(b""))

    def test_no_json(self) -> None:
        """A first line that is no JSON ends the connection with 1008."""
        browser = self.browser()
        browser.upgrade()
        got = browser.send(frame("NICK alice"))
        self.assertIn(b'"type":"bye"', got)
        self.assertEqual(got[-4:], b"\x88\x02\x03\xf0")

    def test_leaving(self) -> None:
        """A user who leaves is not told that the server refuses: the code is that of a normal end."""
        browser = self.browser()
        browser.upgrade()
        browser.send(frame(json.dumps({"type": "register", "name": "alice", "password": PASSWORD})))
        self.assertEqual(browser.send(frame('{"type":"logout"}'))[-4:], b"\x88\x02\x03\xe8")

    def test_close_codes(self) -> None:
        """A stop of the server and a ban of the network have codes of their own."""
        for act, code in (
            (self.server.connections.stop, b"\x03\xe9"),
            (lambda: self.server.chat.moderation.ban("192.0.2.0/24", None, "", None), b"\x03\xf0"),
        ):
            browser = self.browser()
            browser.upgrade()
            browser.send(frame('{"type":"ping"}'))
            act()
            got = browser.send(b"")
            self.assertEqual(got[-4:], b"\x88\x02" + code)
            self.server.advance(3)

    def test_one_visit(self) -> None:
        """A WebSocket and its earlier requests are one connection, which is counted until it is lost."""
        browsers = [self.browser() for _ in range(3)]
        for browser in browsers:
            browser.upgrade()
        self.assertIsNone(self.door.buildProtocol(IPv4Address("TCP", "192.0.2.1", 1)))
        browsers[0].connection.connectionLost(Failure(ConnectionDone()))
        self.assertTrue(self.browser().is_open)
        self.assertEqual(len(self.server.connections), 2)
