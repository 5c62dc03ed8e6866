"""Tags on lines of users other than messages."""

from tests.helpers.irc import IRCTestCase

_TIME = "time=2026-11-22T14:00:"


class UserLineTests(IRCTestCase):
    """`user_line`."""

    def test_tags(self) -> None:
        """Time, account and bot come with the capabilities for them, on JOIN, INVITE, KICK, PART and others."""
        alice = self.irc("alice")
        alice.ask("JOIN #team", "MODE alice +B")
        bob = self.irc("bob", "server-time", "account-tag", "message-tags", "invite-notify")
        bob.got()
        alice.ask("INVITE bob #team", "KICK #team bob")
        invited, joined, *_, kicked = bob.got()
        for line in invited, kicked:
            self.assertTrue(line.startswith(f"@{_TIME}"), line)
            self.assertIn(";account=alice;bot :alice!", line)
        self.assertIn(";account=bob :bob!bob@irchat JOIN #team", joined)

    def test_bot_without_tags(self) -> None:
        """A client without tags gets none for a bot."""
        alice = self.irc("alice")
        alice.ask("JOIN #team", "MODE alice +B")
        bob = self.irc("bob")
        bob.got()
        alice.ask("INVITE bob #team")
        self.assertEqual(bob.got()[0], ":alice!alice@irchat INVITE bob #team")

    def test_without(self) -> None:
        """Without capabilities there are none; without passwords no account is claimed."""
        self.server = self.make_server(passwords=False)
        alice, bob = self.irc("alice"), self.irc("bob", "account-tag")
        self.assertEqual(bob.ask("JOIN #team")[0], ":bob!bob@irchat JOIN #team")
        self.server.advance(2)
        self.assertEqual(alice.got(), [":bob!bob@irchat JOIN #global"])
