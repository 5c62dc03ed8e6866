"""The lines that welcome a client."""

from tests.helpers.irc import IRCTestCase, numerics


class WelcomeTests(IRCTestCase):
    """001 to 005, LUSERS, and 422."""

    def test_order(self) -> None:
        """They come in the usual order."""
        self.assertEqual(numerics(self.irc("alice").burst)[1:17], [
            "001", "002", "003", "004", "005", "005", "251", "252", "253", "254", "255", "265", "266", "422",
            "353", "366",
        ])  # fmt: skip

    def test_counts(self) -> None:
        """LUSERS counts users online, those that have not signed in, and one's own channels; the most stays."""
        alice = self.irc("alice")
        alice.ask("JOIN #team")
        bob, waiting = self.irc("bob"), self.irc()
        waiting.ask("CAP LS 302")
        lines = alice.ask("LUSERS")
        self.assertIn(":irchat 251 alice :There are 2 users and 0 invisible on 1 servers", lines)
        self.assertIn(":irchat 253 alice 1 :unregistered connections", lines)
        self.assertIn(":irchat 254 alice 2 :channels formed", lines)
        bob.leave()
        self.assertIn(":irchat 265 alice 1 2 :Current users 1, max 2", alice.ask("LUSERS"))

    def test_motd(self) -> None:
        """The message of the day has a line for each of its lines, long ones cut; without one there is 422."""
        alice = self.irc("alice")
        self.assertEqual(numerics(alice.ask("MOTD")), ["422"])
        self.server.irc_shared.motd = "Be kind.\n\n" + "x" * 600
        lines = [line.partition(" :")[2] for line in alice.ask("MOTD")]
        self.assertEqual(lines[0], "- irchat Message of the day -")
        self.assertEqual(lines[1:-1], ["- Be kind.", "- ", f"- {'x' * 500}", f"- {'x' * 100}"])
        self.assertEqual(numerics(alice.ask("MOTD")), ["375", *["372"] * 4, "376"])
        self.assertEqual([n for n in numerics(self.irc("bob").burst) if n.startswith(("37", "422"))][-1], "376")
