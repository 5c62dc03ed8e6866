"""Changes of groups by other protocols, as IRC sessions see them."""

from tests.helpers.irc import IRCTestCase


class MemberEventTests(IRCTestCase):
    """A JSON session changes groups of IRC users."""

    def setUp(self) -> None:
        """Sign in an owner with JSON, and a member with IRC."""
        super().setUp()
        self.owner = self.server.json("Olaf")
        self.bob, self.carol = self.irc("bob"), self.irc("carol")
        self.owner.ask("create_group", name="Team", members=["bob"])
        self._drop()

    def _drop(self) -> None:
        for client in self.bob, self.carol:
            client.got()

    def test_created(self) -> None:
        """A member of a new group is invited and gets the burst."""
        self.owner.ask("create_group", name="more", members=["bob", "carol"])
        self.assertEqual(self.carol.got(), [
            ":Olaf!Olaf@irchat INVITE carol #more",
            ":carol!carol@irchat JOIN #more",
            ":irchat 353 carol = #more :@Olaf bob carol",
            ":irchat 366 carol #more :End of /NAMES list",
        ])  # fmt: skip

    def test_added(self) -> None:
        """An addition is a JOIN, in the first spelling of the names."""
        self.owner.ask("add_member", group="team", name="CAROL")
        self.assertEqual(self.bob.got(), [":carol!carol@irchat JOIN #Team"])

    def test_account(self) -> None:
        """With account-tag, each line names the account of the user that acts, or that joins."""
        dave = self.irc("dave", "account-tag")
        self.owner.ask("add_member", group="team", name="dave")
        self.assertEqual(dave.got()[:2], [
            "@account=Olaf :Olaf!Olaf@irchat INVITE dave #Team", "@account=dave :dave!dave@irchat JOIN #Team",
        ])  # fmt: skip
        self.owner.ask("remove_member", group="team", name="bob")
        self.owner.ask("remove_member", group="team", name="Olaf")
        self.assertEqual(dave.got(), [
            "@account=Olaf :Olaf!Olaf@irchat KICK #Team bob :Olaf", "@account=Olaf :Olaf!Olaf@irchat PART #Team",
            ":irchat MODE #Team +o dave",
        ])  # fmt: skip

    def test_owner_once(self) -> None:
        """A new owner is announced once, not with each later change."""
        for name in "carol", "dave":
            self.server.json(name)
            self.owner.ask("add_member", group="team", name=name)
        self.owner.ask("remove_member", group="team", name="Olaf")
        self.carol.got()
        self.bob.ask("KICK #team dave")
        self.assertEqual(self.carol.got(), [":bob!bob@irchat KICK #Team dave :bob"])

    def test_removed(self) -> None:
        """A removal is a KICK with its reason."""
        self.owner.ask("add_member", group="team", name="carol")
        self._drop()
        self.owner.ask("remove_member", group="team", name="carol", reason="moved on")
        line = ":Olaf!Olaf@irchat KICK #Team carol :moved on"
        self.assertEqual((self.bob.got(), self.carol.got()), ([line], [line]))

    def test_left(self) -> None:
        """A member that leaves parts, and the next owner is named."""
        self.owner.ask("add_member", group="team", name="carol")
        self._drop()
        self.owner.ask("remove_member", group="team", name="Olaf")
        lines = [":Olaf!Olaf@irchat PART #Team", ":irchat MODE #Team +o bob"]
        self.assertEqual((self.bob.got(), self.carol.got()), (lines, lines))

    def test_member_leaves(self) -> None:
        """While the owner stays, no mode is shown."""
        self.owner.ask("add_member", group="team", name="carol")
        self._drop()
        self.carol.ask("PART #team :leave")
        self.assertEqual(self.bob.got(), [":carol!carol@irchat PART #Team"])

    def test_dissolved(self) -> None:
        """The end of a group parts all sessions of its last member."""
        other = self.irc("bob")
        self.owner.ask("remove_member", group="team", name="Olaf")
        self.bob.ask("PART #team :leave")
        self.assertEqual(other.got()[-1], ":bob!bob@irchat PART #Team")
        self.assertEqual(self.carol.ask("JOIN #team")[0], ":carol!carol@irchat JOIN #team")

    def test_removed_account(self) -> None:
        """The removal of an account parts its groups and everyone."""
        self.successResultOf(self.server.chat.moderation.remove("Olaf", with_messages=False, progress=lambda *_: None))
        self.server.advance(2)
        lines = self.bob.got()
        self.assertEqual(lines[:2], [":Olaf!Olaf@irchat PART #Team", ":irchat MODE #Team +o bob"])
        self.assertTrue(lines[2].endswith("PART #global :offline"))

    def test_away(self) -> None:
        """With away-notify, a new member that is away is shown so, and another one is not."""
        dave = self.irc("dave", "away-notify")
        self.carol.ask("AWAY :lunch")
        self.irc("erin")
        self.owner.ask("add_member", group="team", name="dave")
        self.server.advance(2)
        dave.got()
        self.bob.got()
        for name, lines in (
            ("carol", [":carol!carol@irchat JOIN #Team", ":carol!carol@irchat AWAY :lunch"]),
            ("erin", [":erin!erin@irchat JOIN #Team"]),
        ):
            self.owner.ask("add_member", group="team", name=name)
            self.assertEqual((dave.got(), self.bob.got()), (lines, lines[:1]))

    def test_invite_notify(self) -> None:
        """With invite-notify, the other members see who added a member."""
        dave = self.irc("dave", "invite-notify")
        self.owner.ask("add_member", group="team", name="dave")
        dave.got()
        self.owner.ask("add_member", group="team", name="carol")
        self.assertEqual(dave.got(), [":Olaf!Olaf@irchat INVITE carol #Team", ":carol!carol@irchat JOIN #Team"])
