"""The encoding of events for one session, with a whole server."""

import math

from twisted.internet.defer import ensureDeferred

from irchat.interfaces.bus import ChangePlace, Publication
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

    def test_timed(self) -> None:
        """Live timed messages come with the earliest end of them, and only the missed ones."""
        server = self.make_server()
        alice, bob = server.json("alice"), server.json("bob")
        for text, seconds in ("one", 60), ("two", 30):
            bob.ask("send", chat="GLOBAL", text=text, expires_in=seconds)
        session = alice.connection.session
        data, further, until = session.say_timed_since(0, set(), 100_000)
        self.assertEqual((data.count(b"\n"), b'"one"' in data, b'"two"' in data, further), (2, True, True, None))
        self.assertEqual(until, server.clock.seconds() + 30)
        self.patch(session.protocol, "shows_timed", False)
        self.assertEqual(session.say_timed_since(0, set(), 100_000)[2], math.inf)

    def test_changes(self) -> None:
        """The present states of changed messages are encoded, and the protocol learns of each change that is missed."""
        server = self.make_server()
        alice, bob = server.json("alice"), server.json("bob")
        for text in "one", "two":
            bob.ask("send", chat="GLOBAL", text=text)
        for seq in 1, 2:
            bob.ask("amend", chat="GLOBAL", seq=seq, text=f"changed {seq}")
        session = alice.connection.session
        page = self.successResultOf(ensureDeferred(session.missed_page(GLOBAL, after_rev=0)))
        data = session.say_changes(GLOBAL, page)
        self.assertEqual([b"changed 1" in data, b"changed 2" in data, b'"one"' in data], [True, True, False])
        missed: list[Publication] = []
        self.patch(session.protocol, "missed", missed.append)
        change = Publication(events.Pong(), (), place=ChangePlace(GLOBAL, 1, 1))
        session.missed(change)
        self.assertEqual(missed, [change])

    def test_user(self) -> None:
        """A subclass says whose session it is."""
        self.assertRaises(NotImplementedError, lambda: EventEncoding().user)
