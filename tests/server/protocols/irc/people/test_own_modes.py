"""MODE of a user."""

from tests.helpers.irc import IRCTestCase, numerics


class UserModeTests(IRCTestCase):
    """``MODE alice``."""

    def setUp(self) -> None:
        """Sign in two users."""
        super().setUp()
        self.bob, self.alice = self.irc("bob"), self.irc("alice")

    def test_shown(self) -> None:
        """The modes are +i, and +B for a bot."""
        self.assertEqual(self.alice.ask("MODE ALICE"), [":irchat 221 alice +i"])
        self.alice.ask("MODE alice +B")
        self.assertEqual(self.alice.ask("MODE alice"), [":irchat 221 alice +Bi"])

    def test_bot(self) -> None:
        """+B and -B are echoed once; WHOIS and WHO show a bot."""
        self.assertEqual(self.alice.ask("MODE alice +B"), [":irchat MODE alice +B"])
        self.assertEqual(self.alice.ask("MODE alice +B"), [])
        self.assertIn("335", numerics(self.bob.ask("WHOIS alice")))
        self.assertIn(" HB :", self.bob.ask("WHO alice")[0])
        self.assertEqual(self.alice.ask("MODE alice -B"), [":irchat MODE alice -B"])
        self.assertNotIn("335", numerics(self.bob.ask("WHOIS alice")))

    def test_others(self) -> None:
        """i is silent, other letters are 501."""
        self.assertEqual(self.alice.ask("MODE alice +i", "MODE alice -i", "MODE alice +", "MODE alice :"), [])
        self.assertEqual(self.alice.ask("MODE alice +ow"), [":irchat 501 alice :Unknown MODE flag"])
        self.assertEqual(
            self.alice.ask("MODE alice +xB"), [":irchat MODE alice +B", ":irchat 501 alice :Unknown MODE flag"]
        )

    def test_of_others(self) -> None:
        """Modes of others are 502, and of nobody 401."""
        asked = "MODE bob", "MODE bob +i", "MODE nobody +i", "MODE nobody"
        lines = self.alice.ask(*asked)
        self.assertEqual(numerics(lines), ["502", "502", "401", "401"])
        self.assertEqual({line.split(" ")[3] for line in lines[2:]}, {"nobody"})
