"""The encoding of events for one session, with a whole server."""

from irchat.interfaces.bus import Publication
from irchat.interfaces.stored import GLOBAL
from irchat.protocol import events
from irchat.server.sessions.event_encoding import EventEncoding
from tests.helpers.server import ServerTestCase


class EventEncodingTests(ServerTestCase):
    """`EventEncoding`."""

    def test_protocol(self) -> None:
        """Events are encoded by the protocol, and it says what the session wants."""
        session = self.make_server().json("alice").connection.session
        publication = Publication(events.Pong(), ())
        self.assertEqual(session.say(publication), b'{"type":"pong"}\n')
        self.assertEqual(session.say_run([publication] * 2), b'{"type":"pong"}\n' * 2)
        self.assertEqual((session.shows_timed, session.wants_asides), (True, False))

    def test_missed(self) -> None:
        """Missed messages are read, and those of a blocked user left out."""
        server = self.make_server()
        alice, bob = server.json("alice"), server.json("bob")
        bob.ask("send", chat="GLOBAL", text="one")
        session = alice.connection.session
        page = self.successResultOf(session.missed_page(GLOBAL, after=0))
        self.assertIn(b'"one"', session.say_stored(page.messages[0]))
        alice.ask("block", name="bob")
        self.assertEqual(session.say_stored(page.messages[0]), b"")
        self.assertEqual(session.say_timed_since(0, set(), 1_000)[0], b"")

    def test_user(self) -> None:
        """A subclass says whose session it is."""
        self.assertRaises(NotImplementedError, lambda: EventEncoding().user)
