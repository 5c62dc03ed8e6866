"""The commands about the server itself."""

from irchat.server.protocols.irc.entering.welcome_lines import VERSION
from tests.helpers.irc import IRCTestCase, numerics


class ServerCommandTests(IRCTestCase):
    """Their usual numerics."""

    def setUp(self) -> None:
        """Sign in."""
        super().setUp()
        self.alice = self.irc("alice")

    def test_numerics(self) -> None:
        """Each command has its own."""
        for line, expected in (
            ("MOTD", ["422"]),
            ("LUSERS", ["251", "252", "253", "254", "255", "265", "266"]),
            ("VERSION", ["351", "005", "005"]),
            ("TIME", ["391"]),
            ("INFO", ["371"] * 4 + ["374"]),
            ("ADMIN", ["256", "257", "258", "259"]),
            ("LINKS", ["364", "365"]),
            ("STATS u", ["219"]),
            ("STATS", ["219"]),
            ("ISUPPORT", ["005", "005"]),
            ("OPER root pw", ["491"]),
            ("KILL bob :x", ["481"]),
            ("WALLOPS :x", ["481"]),
            ("RENAME #a #b", ["421"]),
            ("USER u 0 * :U", ["462"]),
            ("PASS x", ["462"]),
            ("AUTHENTICATE PLAIN", ["907"]),
        ):
            self.assertEqual(numerics(self.alice.ask(line)), expected, line)

    def test_isupport(self) -> None:
        """The tokens name the network. With its capability they come in a batch."""
        self.server.irc_shared.network = "Our Chat"
        self.assertIn("NETWORK=Our\\x20Chat", " ".join(self.alice.ask("ISUPPORT")))
        bob = self.irc("bob", "batch", "draft/extended-isupport")
        lines = bob.ask("ISUPPORT")
        self.assertTrue(lines[0].endswith(" draft/isupport"))
        self.assertTrue(lines[1].startswith("@batch="))
        for name, capability in ("carol", "batch"), ("dave", "draft/extended-isupport"):
            self.assertNotIn("BATCH", "".join(self.irc(name, capability).ask("ISUPPORT")))

    def test_stats(self) -> None:
        """STATS has no figures, whatever letter is asked for."""
        for line, letter in ("STATS", "*"), ("STATS u", "u"), ("STATS uptime", "u"):
            self.assertEqual(self.alice.ask(line), [f":irchat 219 alice {letter} :End of /STATS report"])

    def test_ping(self) -> None:
        """PING is answered with its token; without one it is refused."""
        self.assertEqual(self.alice.ask("PING :a b"), [":irchat PONG irchat :a b"])
        self.assertEqual(numerics(self.alice.ask("PING :")), ["409"])
        self.assertEqual(numerics(self.alice.ask("PING")), ["461"])

    def test_quit(self) -> None:
        """QUIT closes, after the messages before it. Others see no reason."""
        bob = self.irc("bob")
        self.alice.got()
        self.alice.type("PRIVMSG #global :last words", "QUIT :tired\x1b", "PRIVMSG #global :never")
        self.assertEqual(self.alice.got()[-1], "ERROR :Quit: tired\u241b")
        self.assertFalse(self.alice.is_open)
        self.server.advance(2)
        self.assertEqual([line.split(" ", 1)[1] for line in bob.got()], [
            "PRIVMSG #global :last words",
            "PART #global :offline",
        ])  # fmt: skip

    def test_labelled_quit(self) -> None:
        """A label does not keep back the last line, in no phase of a session."""
        waiting, before = self.irc(), self.irc()
        before.ask("CAP LS 302")
        waiting.ask("NICK zoe", "USER z 0 * :z")
        for client in self.irc("eve", "labeled-response", "batch"), waiting, before:
            self.assertEqual(client.ask("@label=1 QUIT :tired"), ["ERROR :Quit: tired"])
            self.assertFalse(client.is_open)

    def test_version(self) -> None:
        """The version is that of this program."""
        self.assertIn(f" {VERSION} ", self.alice.ask("VERSION")[0])

    def test_name_changes(self) -> None:
        """The lines of a new session have the present name of the server."""
        self.server.irc_shared.network = "Renamed"
        self.assertIn("Welcome to Renamed, bob", " ".join(self.irc("bob").burst))
