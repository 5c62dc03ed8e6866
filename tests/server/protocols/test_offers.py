"""Tests of `irchat.server.protocols.offers`."""

from irchat.server.protocols.json_lines import JSONProtocol
from irchat.server.protocols.offers import Offers, all_protocols, web_protocols
from irchat.server.protocols.text import TextProtocol
from tests.helpers.server import Client, ServerTestCase


class OffersTests(ServerTestCase):
    """The choice of a protocol."""

    def test_choice(self) -> None:
        """The first entry with a matching beginning is selected. Without a match, the default stays."""
        offers = Offers(str, ((b"AB", int), (b"A", float)))
        chosen = [offers.choose(line) for line in (b"abc", b"a", b"b", b" ab")]
        self.assertEqual(chosen, [int, float, None, None])
        self.assertIsNone(Offers(str).choose(b"a"))

    def test_web(self) -> None:
        """A page must choose JSON: other first lines end its session."""
        offers = web_protocols()
        self.assertEqual((offers.must_choose, offers.choose(b"{"), offers.choose(b"bob")), (True, JSONProtocol, None))

    def test_main_port(self) -> None:
        """The main port offers JSON for a brace, and text for everything else. All text sessions share a renderer."""
        server = self.make_server()
        offers = all_protocols(server.services, server.clock)
        self.assertEqual([offers.choose(line) for line in (b"{", b"bob", b"[")], [JSONProtocol, None, None])
        session = Client(server).connection.session
        first, second = offers.default(session), offers.default(session)
        self.assertIsInstance(first, TextProtocol)
        self.assertIs(first._renderer, second._renderer)
