"""The feed of personas: to sessions that want asides, and to no others."""

from typing import Any

from irchat.interfaces.bus import Publication
from irchat.protocol import events
from irchat.server.protocols.json_lines import JSONProtocol
from tests.helpers.server import ServerTestCase


class PersonaFeedTests(ServerTestCase):
    """`PersonaFeed` between three users."""

    def setUp(self) -> None:
        """Record the asides that the sessions of alice get."""
        super().setUp()
        self.server = self.make_server()
        self.got: list[events.Event] = []
        self.carol = self.server.json("carol")
        self.patch(JSONProtocol, "wants_asides", True)
        self.alice = self.server.json("alice")
        session = self.alice.connection.session
        session.outbox.encode = None
        session.protocol.event = self.note

    def note(self, publication: Publication) -> bytes:
        """Record an event."""
        if isinstance(publication.event, events.Personas | events.Signal):
            self.got.append(publication.event)
        return b""

    def set_persona(self, client: Any, **changes: Any) -> None:
        """Change the persona of a client's session."""
        session = client.connection.session
        self.server.chat.personas.set(session.user_id, session.id, **changes)

    def test_changes(self) -> None:
        """A session gets what has changed, and one without asides gets nothing."""
        self.carol.got()
        self.set_persona(self.carol, away="lunch", is_bot=True)
        self.server.advance(2)
        self.set_persona(self.carol, away="lunch", realname="Carol")
        self.server.advance(2)
        self.set_persona(self.carol, away=None, username="c")
        self.server.advance(2)
        self.assertEqual(self.got, [
            events.Personas(away={"carol": "lunch"}, realnames={}),
            events.Personas(away={}, realnames={"carol": "Carol"}),
            events.Personas(away={"carol": None}, realnames={}),
        ])  # fmt: skip
        self.set_persona(self.carol, realname=None)
        self.server.advance(2)
        self.assertEqual(self.got[3:], [events.Personas(away={}, realnames={"carol": ""})])
        self.assertEqual(self.carol.got(), [])

    def test_at_once(self) -> None:
        """The first eight changes come at once, the others together within the second."""
        for number in range(12):
            self.set_persona(self.carol, away=f"lunch {number}")
            self.server.turn()
        self.assertEqual([list(one.away.values()) for one in self.got], [[f"lunch {number}"] for number in range(8)])  # type: ignore[attr-defined]
        self.server.advance(1.2)
        self.assertEqual(self.got[8:], [events.Personas(away={"carol": "lunch 11"}, realnames={})])

    def test_after_falling_behind(self) -> None:
        """A session that catches up gets the changes since, even without further ones."""
        self.alice.outbox.behind = True
        self.set_persona(self.carol, away="lunch")
        self.server.advance(2)
        self.assertEqual(self.got, [])
        self.alice.outbox.behind = False
        self.alice.connection.session.caught_up()
        self.server.advance(0)
        self.assertEqual(self.got, [events.Personas(away={"carol": "lunch"}, realnames={})])

    def test_end(self) -> None:
        """After its end a session gets nothing, and nothing of it is kept."""
        self.alice.leave()
        self.set_persona(self.carol, away="lunch")
        self.server.advance(2)
        services = self.server.services
        self.assertEqual((self.got, services.delivery._listening), ([], {}))
        self.assertEqual(len(services.personas._sent), 0)

    def test_signals(self) -> None:
        """A signal reaches the session at once, not the sender's own, and none without asides."""
        self.carol.got()
        chat = self.server.chat
        alice, carol = self.alice.connection.session, self.carol.connection.session
        chat.signals.send(carol.user, "GLOBAL", {"+typing": "active"}, carol.id)
        chat.signals.send(alice.user, "GLOBAL", {"+typing": "done"}, alice.id)
        chat.signals.send(carol.user, "@alice", {"+typing": "paused"}, carol.id)
        self.assertEqual([(one.chat, one.sender, one.tags) for one in self.got], [  # type: ignore[attr-defined]
            ("GLOBAL", "carol", {"+typing": "active"}), ("@carol", "carol", {"+typing": "paused"}),
        ])  # fmt: skip
        self.server.advance(2)
        self.assertEqual(self.carol.got(), [])
