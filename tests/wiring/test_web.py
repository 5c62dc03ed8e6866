"""The web door beside the main port, and what the start says of it."""

from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from irchat.settings import make_config
from irchat.wiring.banner import Started
from irchat.wiring.web import open_web, web_banner
from tests.helpers.server import Server


class WebDoorTests(SynchronousTestCase):
    """`open_web` and `web_banner`."""

    def said(self, fingerprint: str = "", **given: Any) -> list[str]:
        """Open the door. Return the lines of the start."""
        config = make_config({name.replace("_", "-"): value for name, value in given.items()})
        server = Server()
        self.addCleanup(server.close)
        self.lines = server.factory
        self.opened: list[tuple[str | None, int]] = []
        open_web(
            config, self.lines, server.irc_shared, lambda host, number, factory: self.opened.append((host, number))
        )
        return list(web_banner(config, Started(config, 7667, Path("/data"), fingerprint, "", "")))

    def test_default(self) -> None:
        """With TLS the page is on the main port, and a warning of the browser is announced for an own certificate."""
        signed = self.said("AB", host="192.0.2.7", tls_cert="c", tls_key="k")
        self.assertEqual(signed, ["In a browser: https://192.0.2.7:7667/"])
        self.assertIsNotNone(self.lines.web)
        self.assertEqual(self.opened, [])
        self.assertEqual(self.said("AB")[1:], ["(it will warn once: compare the fingerprint above)"])
        self.assertEqual(self.said(), [])

    def test_off(self) -> None:
        """Without the door, nothing is served or said."""
        self.assertEqual(self.said("AB", no_web=True), [])
        self.assertIsNone(self.lines.web)

    def test_port(self) -> None:
        """A port of its own is opened and named, with a warning where others can reach it."""
        self.assertEqual(self.said(web_port=99), ["In a browser, without TLS: http://127.0.0.1:99/"])
        self.assertEqual(self.opened, [("127.0.0.1", 99)])
        self.assertIn("put a proxy with TLS before it", self.said(web_port=99, web_host="0.0.0.0")[-1])
