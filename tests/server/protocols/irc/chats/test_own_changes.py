"""Lines of the command language that change the groups of the session itself."""

from tests.helpers.irc import IRCTestCase


class OwnChangeTests(IRCTestCase):
    """The channels follow what is said to ``*irchat``."""

    def setUp(self) -> None:
        """Sign in two users."""
        super().setUp()
        self.alice, self.bob = self.irc("alice"), self.irc("bob")
        self.alice.got()

    def say(self, line: str) -> list[str]:
        """Say a line to ``*irchat``. Return the lines that are no notices of it."""
        lines = self.alice.ask(f"PRIVMSG *irchat :{line}")
        return [one for one in lines if not one.startswith(":*irchat!")]

    def test_all(self) -> None:
        """A group is created, and a member added and removed; at last the session leaves."""
        self.assertEqual(self.say("*bob -> team")[:2], [
            ":alice!alice@irchat JOIN #team",
            ":irchat 353 alice = #team :@alice bob",
        ])  # fmt: skip
        self.irc("carol")
        self.alice.got()
        self.assertEqual(self.say("+carol team"), [":carol!carol@irchat JOIN #team"])
        self.assertEqual(self.say("-carol team"), [":alice!alice@irchat KICK #team carol :alice"])
        self.assertEqual(self.say("-carol team"), [])
        self.assertEqual(self.say("-alice team"), [":alice!alice@irchat PART #team"])
        self.assertEqual(self.say("+team"), [])

    def test_hidden(self) -> None:
        """Changes of a hidden group are not shown."""
        self.irc("carol")
        self.say("*bob -> team")
        self.alice.ask("PART #team")
        self.assertEqual(self.say("+carol team"), [])
        self.assertEqual(self.say("-carol team"), [])
        self.assertEqual(self.say("-bob team"), [])
