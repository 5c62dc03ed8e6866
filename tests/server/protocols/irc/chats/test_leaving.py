"""PART and KICK."""

from tests.helpers.irc import IRCTestCase, numerics


class PartTests(IRCTestCase):
    """PART."""

    def setUp(self) -> None:
        """Create a group of two, with two sessions of one."""
        super().setUp()
        self.alice, self.other, self.bob = self.irc("alice"), self.irc("alice"), self.irc("bob")
        self.alice.ask("JOIN #team", "INVITE bob #team")
        self._drop()

    def _drop(self) -> None:
        for client in self.alice, self.other, self.bob:
            client.got()

    def test_hides(self) -> None:
        """It hides the group from this session, says how to leave for good, and tells nobody."""
        part, notice = self.alice.ask("PART #TEAM :see you")
        self.assertEqual(part, ":alice!alice@irchat PART #team :see you")
        self.assertTrue(notice.startswith(":*irchat!irchat@irchat NOTICE alice :#team is hidden"))
        self.assertIn("/msg *irchat -alice team", notice)
        self.assertEqual(self.other.got() + self.bob.got(), [])
        self.bob.ask("PRIVMSG #team :still there?")
        self.assertEqual(self.alice.got(), [])
        self.assertEqual(len(self.other.got()), 1)
        self.assertEqual(numerics(self.alice.ask("PART #team")), ["442"])

    def test_shown_again(self) -> None:
        """JOIN shows it again with the burst; also being added to another time does, and a new session."""
        self.alice.ask("PART #team")
        self.assertEqual(self.alice.ask("JOIN #team"), [
            ":alice!alice@irchat JOIN #team",
            ":irchat 353 alice = #team :@alice bob",
            ":irchat 366 alice #team :End of /NAMES list",
        ])  # fmt: skip
        self.bob.ask("PRIVMSG #team :hello")
        self.assertEqual(self.alice.got(), [":bob!bob@irchat PRIVMSG #team :hello"])
        self.alice.ask("PART #team")
        self.assertIn(":alice!alice@irchat JOIN #team", self.irc("alice").burst)

    def test_hidden_members(self) -> None:
        """Nothing of a hidden group is shown: no members, no kick; its end and being added again undo it."""
        state = self.bob.connection.session.protocol.state
        self.bob.ask("PART #team")
        self.irc("carol")
        self.bob.got()
        self.alice.ask("INVITE carol #team", "KICK #team carol")
        self.assertEqual(self.bob.got(), [])
        self.alice.ask("KICK #team bob")
        self.assertEqual((state.hidden_chats, state.owners), ({}, {}))
        self.alice.ask("INVITE bob #team")
        self.assertEqual(self.bob.got()[:2], [":alice!alice@irchat INVITE bob #team", ":bob!bob@irchat JOIN #team"])

    def test_hidden_from_its_owner(self) -> None:
        """An owner that removes a member of a hidden group hides it still. What it leaves for good is not kept."""
        state = self.alice.connection.session.protocol.state
        self.alice.ask("PART #team", "KICK #team bob")
        self.assertEqual(len(state.hidden_chats), 1)
        self.alice.ask("PART #team :leave")
        self.assertEqual((state.hidden_chats, state.owners), ({}, {}))

    def test_global(self) -> None:
        """#global is hidden alike: no messages of it, and no presence."""
        self.assertEqual(len(self.alice.ask("PART #global")), 2)
        self.bob.ask("PRIVMSG #global :hello")
        self.irc("carol")
        self.server.advance(2)
        self.assertEqual(self.alice.got(), [])
        self.assertEqual(self.alice.ask("JOIN #global")[0], ":alice!alice@irchat JOIN #global")
        self.bob.ask("PRIVMSG #global :hello")
        self.assertEqual(len(self.alice.got()), 1)
        self.assertEqual(self.alice.ask("PART #global :leave")[0], ":alice!alice@irchat PART #global :leave")

    def test_leaves(self) -> None:
        """With the reason leave it leaves for good. Others see a PART, and the next owner."""
        self.assertEqual(self.alice.ask("PART #team :leave"), [":alice!alice@irchat PART #team :leave"])
        self.assertEqual(self.bob.got(), [":alice!alice@irchat PART #team", ":irchat MODE #team +o bob"])
        self.assertEqual(self.other.got(), [":alice!alice@irchat PART #team"])
        self.assertEqual(numerics(self.alice.ask("PART #team :leave")), ["442"])
        self.assertNotIn("JOIN #team", " ".join(self.irc("alice").burst))

    def test_refusals(self) -> None:
        """A group of others, none, and what is no channel are 442 alike. Several are taken in turn."""
        self.irc("carol")
        for name in "#other", "team", "#":
            self.assertEqual(numerics(self.alice.ask(f"PART {name}", f"PART {name} :leave")), ["442", "442"])
        self.assertEqual(len(self.alice.ask("PART #team,#global,#none :x")), 5)


class KickTests(IRCTestCase):
    """KICK."""

    def setUp(self) -> None:
        """Create a group of three, one of them offline."""
        super().setUp()
        self.alice, self.bob = self.irc("alice"), self.irc("bob")
        self.irc("carol").leave()
        self.alice.ask("JOIN #team", "INVITE bob #team", "INVITE carol #team")
        self.alice.got()
        self.bob.got()

    def test_owner(self) -> None:
        """The owner removes members, also those offline; all see who and why."""
        lines = [":alice!alice@irchat KICK #team bob :be quiet", ":alice!alice@irchat KICK #team carol :be quiet"]
        self.assertEqual(self.alice.ask("KICK #TEAM BOB,carol :be quiet"), lines)
        self.assertEqual(self.bob.got(), lines[:1])
        self.assertEqual(numerics(self.bob.ask("NAMES #team")), ["366"])

    def test_several_channels(self) -> None:
        """As many channels as users: each from its own."""
        self.alice.ask("JOIN #two", "INVITE carol #two")
        self.assertEqual(self.alice.ask("KICK #team,#two bob,carol"), [
            ":alice!alice@irchat KICK #team bob :alice",
            ":alice!alice@irchat KICK #two carol :alice",
        ])  # fmt: skip

    def test_without_reason(self) -> None:
        """Without a reason it is the name of who did it."""
        self.assertEqual(self.alice.ask("KICK #team bob"), [":alice!alice@irchat KICK #team bob :alice"])
        self.assertEqual(self.bob.got(), [":alice!alice@irchat KICK #team bob :alice"])

    def test_refusals(self) -> None:
        """482 for members, 403 for outsiders and none, 441 for who is not in it, 401 for nobody."""
        dave = self.irc("dave")
        self.alice.got()
        for client, line, expected in (
            (self.bob, "KICK #TEAM carol", "482 bob #team"),
            (dave, "KICK #team bob", "403 dave #team"),
            (dave, "KICK #none bob", "403 dave #none"),
            (self.alice, "KICK #team dave", "441 alice dave #team"),
            (self.alice, "KICK #team nobody", "401 alice nobody"),
            (self.alice, "KICK #global bob", "482 alice #global"),
            (self.alice, "KICK #team", "461 alice KICK"),
            (self.alice, "KICK team bob", "403 alice team"),
        ):
            (said,) = client.ask(line)
            self.assertTrue(said.startswith(f":irchat {expected} :"), (line, said))

    def test_oneself(self) -> None:
        """An owner that removes itself has left: nothing is kept of the channel, also if it was hidden."""
        state = self.alice.connection.session.protocol.state
        self.alice.ask("PART #team")
        self.assertEqual(self.alice.ask("KICK #team alice :enough"), [":alice!alice@irchat KICK #team alice :enough"])
        self.assertEqual((state.hidden_chats, state.owners), ({}, {}))
        self.bob.ask("INVITE alice #team")
        self.assertIn(":alice!alice@irchat JOIN #team", self.alice.got())
