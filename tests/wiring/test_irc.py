"""The IRC door beside the main port, and what the start says of it."""

from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from irchat.settings import make_config
from irchat.wiring.banner import Started
from irchat.wiring.irc import irc_banner, make_irc, open_irc
from tests.helpers.server import Server


class IRCDoorTests(SynchronousTestCase):
    """`make_irc`, `open_irc` and `irc_banner`."""

    def said(self, fingerprint: str = "", **given: Any) -> list[str]:
        """Open the door. Return the lines of the start."""
        self.config = make_config({name.replace("_", "-"): value for name, value in given.items()})
        server = Server()
        self.addCleanup(server.close)
        self.opened: list[tuple[str | None, int, Any]] = []
        self.irc = make_irc(self.config, server.services, server.clock)
        open_irc(self.config, server.factory, self.irc, lambda *port: self.opened.append(port))
        self.lines = server.factory
        return list(irc_banner(self.config, Started(self.config, 7667, Path("/data"), fingerprint, "", "")))

    def test_commands(self) -> None:
        """The commands of two clients pin a certificate of our own, each in the form that it takes."""
        fingerprint = "sha256:AB:CD"
        self.assertEqual(self.said(fingerprint), [
            "In weechat: /server add chat localhost/7667 -ssl",
            "  /set irc.server.chat.ssl_fingerprint abcd (weechat 4: tls_fingerprint)",
            "  /connect chat",
            "In irssi: /connect -tls -tls_pinned_cert AB:CD localhost 7667",
        ])  # fmt: skip
        signed = self.said(fingerprint, tls_cert="c", tls_key="k", host="192.0.2.7")
        self.assertEqual(signed[-1], "In irssi: /connect -tls 192.0.2.7 7667")
        self.assertNotIn("fingerprint", "".join(signed))
        self.assertEqual(self.said()[-1], "In irssi: /connect localhost 7667")

    def test_port(self) -> None:
        """A port of its own speaks IRC alone, and shares limits, name and certificate with the main one."""
        said = self.said(irc_port=6667)
        self.assertIn("localhost/6667", said[0])
        ((_, number, factory),) = self.opened
        self.assertEqual(number, 6667)
        self.assertEqual(factory.offers.by_beginning, ())
        self.lines.name, self.lines.tls = "Changed", self.lines.tls
        self.assertEqual(factory.name, "Changed")
        self.assertIs(factory.room, self.lines.room)
        self.assertIsNone(factory.web)

    def test_off(self) -> None:
        """Without the door, nothing is served or said."""
        self.assertEqual(self.said(no_irc=True), [])
        self.assertIsNone(self.irc)
        self.assertEqual(self.opened, [])

    def test_name(self) -> None:
        """The name of the server in its lines is that of the option."""
        self.said(irc_name="irc.example.org")
        assert self.irc is not None
        self.assertEqual(self.irc.lines.name, "irc.example.org")

    def test_motd(self) -> None:
        """The message of the day is that of the option, without what is blank around it."""
        self.said(irc_motd="\nBe kind.\nBe brief.\n")
        assert self.irc is not None
        self.assertEqual(self.irc.motd, "Be kind.\nBe brief.")
