"""Chats as channels, as far as no command shows it."""

from irchat.interfaces.stored import GLOBAL
from irchat.server.protocols.irc.chats.channels import channel_of, chats_of, find_channel, shown_channel
from tests.helpers.irc import IRCTestCase


class ChannelTests(IRCTestCase):
    """`chats_of`, `find_channel` and the names of channels."""

    def setUp(self) -> None:
        """Create two groups."""
        super().setUp()
        self.client = self.irc("alice")
        self.client.ask("JOIN #Zoo,#ant")
        self.protocol = self.client.connection.session.protocol

    def test_order(self) -> None:
        """Everyone comes first, then the groups by name."""
        self.assertEqual([channel_of(chat.group) for chat in chats_of(self.protocol)], ["#global", "#ant", "#Zoo"])

    def test_find(self) -> None:
        """A channel is found in any spelling; what is no channel is not."""
        self.assertEqual(find_channel(self.protocol, "#GLOBAL").key, GLOBAL)
        self.assertEqual(find_channel(self.protocol, "#zOO").group.name, "Zoo")
        for target in "zoo", "#none", "#", "@alice", "", "#" + "a" * 300, "#a b":
            self.assertIsNone(find_channel(self.protocol, target))
        self.assertEqual(shown_channel(self.protocol, "#zoo"), "#Zoo")
        self.assertEqual(shown_channel(self.protocol, "#none"), "#none")

    def test_long_list(self) -> None:
        """A long list of names takes several lines, and no line is too long."""
        for number in range(60):
            self.server.json(f"member{number:022}")
        lines = self.client.ask("NAMES #global")
        self.assertGreater(len(lines), 4)
        self.assertLess(max(map(len, lines)), 510)
        self.assertEqual(sum(line.count("member") for line in lines), 60)
