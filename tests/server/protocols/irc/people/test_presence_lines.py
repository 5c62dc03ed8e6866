"""The shared lines of presence."""

from irchat.protocol import events
from tests.helpers.irc import IRCTestCase


class PresenceLinesTests(IRCTestCase):
    """`PresenceLines`."""

    def test_shared(self) -> None:
        """Sessions with the same capabilities get the same bytes, others their own; another event other ones."""
        caps = ("away-notify", "extended-join"), (), ()
        first, second, third = (
            self.irc(name, *of_one).connection.session.protocol
            for name, of_one in zip(("alice", "bob", "carol"), caps, strict=True)
        )
        self.irc("dave")
        event = events.Presence(online=["dave"], offline=["gone"])
        lines = self.server.irc_shared.presence_lines
        self.assertIs(lines.of(second, event), lines.of(third, event))
        self.assertEqual(
            lines.of(second, event),
            b":dave!dave@irchat JOIN #global\r\n:gone!gone@irchat PART #global :offline\r\n",
        )
        self.assertIn(b"JOIN #global dave :dave", lines.of(first, event))
        self.assertEqual(lines.of(second, events.Presence(online=[], offline=[])), b"")
