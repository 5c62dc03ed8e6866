"""Member lines of a slow reader."""

from tests.helpers.irc import IRCTestCase


class MissedMembersTests(IRCTestCase):
    """A session that fell behind gets the difference to the members that it knows."""

    def setUp(self) -> None:
        """Create groups, and let a member fall behind."""
        super().setUp()
        self.alice, self.carol = self.irc("alice"), self.irc("carol")
        self.bob = self.irc("bob")
        self.alice.ask("JOIN #team,#gone", "INVITE bob #team", "INVITE bob #gone")
        self.bob.got()
        self.fall_behind(self.bob, self.carol)

    def caught_up(self) -> list[str]:
        """Return the lines for members after the client has read all."""
        self.bob.socket.room = None
        self.server.advance(*[0.1] * 50)
        self.assertFalse(self.bob.outbox.behind)
        return [line for line in self.bob.got() if "#global" not in line]

    def test_joined_and_left(self) -> None:
        """Members that came and stayed are shown, others are not; so are one's own changes and a new owner."""
        _, erin = self.irc("dave"), self.irc("erin")
        self.alice.ask("INVITE dave #team", "INVITE erin #team", "KICK #team dave", "KICK #gone bob")
        self.alice.ask("JOIN #new", "INVITE bob #new", "INVITE carol #team", "PART #team :leave")
        lines = self.caught_up()
        self.assertEqual(sorted(line for line in lines if "#team" in line), [
            ":alice!alice@irchat PART #team",
            ":carol!carol@irchat JOIN #team",
            ":erin!erin@irchat JOIN #team",
            ":irchat MODE #team +o bob",
        ])  # fmt: skip
        self.assertIn(":bob!bob@irchat PART #gone", lines)
        self.assertIn(":irchat 353 bob = #new :@alice bob", lines)
        self.alice.ask("INVITE carol #new")
        self.assertEqual(self.bob.got(), [":carol!carol@irchat JOIN #new"])
        erin.ask("PART #team :leave")
        self.assertEqual(self.bob.got(), [":erin!erin@irchat PART #team"])

    def test_briefly(self) -> None:
        """A group that the user entered and left meanwhile is not shown."""
        self.alice.ask("JOIN #brief", "INVITE bob #brief", "KICK #brief bob")
        self.assertEqual(self.caught_up(), [])

    def test_ended(self) -> None:
        """A group that ended meanwhile is left."""
        self.bob.socket.room = None
        self.server.advance(*[0.1] * 50)
        other = self.irc("bob")
        other.ask("JOIN #own")
        self.bob.got()
        self.fall_behind(self.bob, self.carol)
        other.ask("PART #own :leave")
        self.assertEqual(self.caught_up(), [":bob!bob@irchat PART #own"])

    def test_bounded(self) -> None:
        """Any number of changes waits in little memory, and cuts nobody off."""
        for _ in range(200):
            self.alice.ask("INVITE carol #team", "KICK #team carol", "KICK #team bob", "INVITE bob #team")
        self.assertTrue(self.bob.is_open)
        self.assertEqual(self.caught_up(), [])

    def test_hidden(self) -> None:
        """Nothing of a hidden group is shown, also not that one is removed; being added again shows it."""
        self.bob.socket.room = None
        self.server.advance(*[0.1] * 50)
        self.bob.ask("PART #team")
        self.fall_behind(self.bob, self.carol)
        self.alice.ask("INVITE carol #team")
        self.assertEqual(self.caught_up(), [])
        self.fall_behind(self.bob, self.carol)
        self.alice.ask("KICK #team bob")
        self.assertEqual(self.caught_up(), [])
        self.alice.ask("INVITE bob #team")
        self.assertIn(":bob!bob@irchat JOIN #team", self.bob.got())
