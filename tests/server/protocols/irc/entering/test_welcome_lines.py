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
