"""WHO and WHOX."""

from tests.helpers.irc import IRCTestCase


class WhoTests(IRCTestCase):
    """``WHO``."""

    def setUp(self) -> None:
        """Sign in three users, two of them in a group with one who is offline."""
        super().setUp()
        self.alice, self.bob, self.carol = self.irc("alice"), self.irc("Bob"), self.irc("carol")
        offline = self.irc("offline1")
        self.alice.ask("JOIN #Team", "INVITE bob #team", "INVITE offline1 #team")
        offline.ask("QUIT")
        self.end = ":irchat 315 alice {} :End of WHO list"

    def test_group(self) -> None:
        """Of a group all members are listed, also who is offline, and the owner has @."""
        self.assertEqual(
            self.alice.ask("WHO #team"),
            [
                ":irchat 352 alice #Team alice irchat irchat alice H@ :0 alice",
                ":irchat 352 alice #Team Bob irchat irchat Bob H :0 Bob",
                ":irchat 352 alice #Team offline1 irchat irchat offline1 G :0 offline1",
                self.end.format("#team"),
            ],
        )

    def test_global(self) -> None:
        """Of #global those online are listed."""
        lines = self.alice.ask("WHO #GLOBAL")
        self.assertEqual({line.split(" ")[7] for line in lines[:-1]}, {"alice", "Bob", "carol"})
        self.assertTrue(all(line.split(" ")[3] == "#global" for line in lines[:-1]))

    def test_not_in_it(self) -> None:
        """A group of others looks like none."""
        self.assertEqual(self.carol.ask("WHO #team", "WHO #none"), [
            ":irchat 315 carol #team :End of WHO list", ":irchat 315 carol #none :End of WHO list"
        ])  # fmt: skip

    def test_names(self) -> None:
        """A full name is found offline too, a mask among those online."""
        bob = ":irchat 352 alice * Bob irchat irchat Bob H :0 Bob"
        self.assertEqual(self.alice.ask("WHO BOB"), [bob, self.end.format("BOB")])
        self.assertEqual(self.alice.ask("WHO b*"), [bob, self.end.format("b*")])
        self.assertEqual(self.alice.ask("WHO off*"), [self.end.format("off*")])
        self.assertEqual(len(self.alice.ask("WHO offline1")), 2)
        self.assertEqual(self.alice.ask("WHO nobody"), [self.end.format("nobody")])
        for everyone in ("WHO *", "WHO 0"):
            self.assertEqual(len(self.alice.ask(everyone)), 4)

    def test_away(self) -> None:
        """A user who is away has the flag G."""
        self.bob.ask("AWAY :x")
        self.assertIn(" Bob G :", self.alice.ask("WHO bob")[0])

    def test_whox(self) -> None:
        """The requests of weechat and irssi are answered, without an address."""
        self.assertEqual(
            self.alice.ask("WHO #team %cuhsnfdar")[0],
            ":irchat 354 alice #Team alice irchat irchat alice H@ 0 alice :alice",
        )
        self.assertEqual(
            self.alice.ask("WHO #team %tcuhnfdar,743")[0],
            ":irchat 354 alice 743 #Team alice irchat alice H@ 0 alice :alice",
        )
        self.assertEqual(
            self.alice.ask("WHO bob %ni"), [":irchat 354 alice 255.255.255.255 Bob", self.end.format("bob")]
        )


class NamesOnlyTests(IRCTestCase):
    """A server without passwords."""

    options = {"passwords": False}

    def test_no_account(self) -> None:
        """No account is claimed."""
        alice = self.irc("alice")
        self.assertEqual(alice.ask("WHO alice %na")[0], ":irchat 354 alice alice 0")
