"""The ports of the web door, and what the start says of them."""

from typing import Any

from twisted.internet import reactor
from twisted.logger import Logger
from twisted.trial.unittest import TestCase

from irchat.server.listeners.listener import CannotBind, listening_socket
from irchat.settings import Config, make_config
from irchat.wiring.web import WebPorts, check_web
from tests.helpers.server import Server


class WebPortsTests(TestCase):
    """`WebPorts` and `check_web`."""

    def open(self, config: Config, *, tls: object = None) -> WebPorts:
        """Open the ports of a server without a main port."""
        server = Server()
        self.addCleanup(server.close)
        server.factory.tls = tls  # type: ignore[assignment]
        self.lines = server.factory
        ports = WebPorts(reactor, config, server.factory, Logger())
        self.addCleanup(ports.stop)
        return ports

    def said(self, *, tls: object = None, is_own: bool = False, **given: Any) -> list[str]:
        """Return the lines of the start."""
        config = make_config({name.replace("_", "-"): value for name, value in given.items()})
        return list(self.open(config, tls=tls).banner("chat.example:7667", is_own=is_own))

    def test_default(self) -> None:
        """With TLS the page is on the main port, and a warning of the browser is announced for an own certificate."""
        self.assertEqual(self.said(tls=object()), ["In a browser: https://chat.example:7667/"])
        self.assertIsNotNone(self.lines.web)
        own = self.said(tls=object(), is_own=True)
        self.assertEqual(own[1:], ["(it will warn once: compare the fingerprint above)"])
        self.assertEqual(self.said(), [])

    def test_off(self) -> None:
        """Without the door, nothing is served or said."""
        self.assertEqual(self.said(tls=object(), no_web=True), [])
        self.assertIsNone(self.lines.web)

    def test_port(self) -> None:
        """A port of its own is named, with a warning where others can reach it. A taken port ends the start."""
        with listening_socket("127.0.0.1", 0) as taken:
            port = taken.getsockname()[1]
            self.assertRaises(CannotBind, check_web, make_config({"web-port": port}))
        self.assertEqual(self.said(web_port=port), [f"In a browser, without TLS: http://127.0.0.1:{port}/"])
        check_web(make_config({}))

    def test_open_port(self) -> None:
        """On all addresses, the start warns."""
        with listening_socket("127.0.0.1", 0) as free:
            port = free.getsockname()[1]
        self.assertIn("put a proxy with TLS before it", self.said(web_port=port, web_host="0.0.0.0")[-1])
