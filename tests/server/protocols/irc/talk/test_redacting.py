"""REDACT: deletions of one's own messages and, by owners and administrators, of others'."""

from irchat.interfaces.limits import Limits
from tests.helpers.irc import IRCTestCase

CAP = "draft/message-redaction"


class RedactTests(IRCTestCase):
    """A message of alice in #global, and one in a private chat."""

    def setUp(self) -> None:
        """Clients with and without the capability."""
        super().setUp()
        self.alice, self.bob = self.irc("alice", CAP), self.irc("bob", CAP, "message-tags")
        self.plain, self.json = self.irc("carol"), self.server.json("dave")
        self.alice.type("PRIVMSG #global :oops", "PRIVMSG bob :psst")
        for client in self.alice, self.bob, self.plain, self.json:
            client.read()

    def test_own(self) -> None:
        """One's own message is deleted for all; clients without the capability see nothing."""
        self.assertEqual(self.alice.ask("REDACT #global g-1 :typo"), [])
        self.assertEqual(self.bob.got(), [":alice!alice@irchat REDACT #global g-1"])
        self.assertEqual(self.plain.got(), [])
        self.assertTrue(self.json.one("amended")["deleted"])
        bob = self.irc("bob", "draft/chathistory")
        self.assertEqual(bob.ask("CHATHISTORY LATEST #global * 5"), [])

    def test_private(self) -> None:
        """In a private chat the target is the other user, in the user's other sessions too."""
        other = self.irc("alice", CAP)
        other.got()
        self.alice.type("REDACT bob 1.2-1")
        line = ":alice!alice@irchat REDACT bob 1.2-1"
        self.assertEqual((self.bob.got(), other.got()), ([line], [line]))

    def test_private_by_another_protocol(self) -> None:
        """A deletion in a private chat names the other user to both, wherever it was asked for."""
        self.server.json("alice").ask("amend", chat="@bob", seq=1, delete=True)
        line = ":alice!alice@irchat REDACT bob 1.2-1"
        self.assertEqual((self.bob.got(), self.alice.got()), ([line], [line]))

    def test_echo(self) -> None:
        """With echo-message it comes back, with its label."""
        alice = self.irc("alice", CAP, "echo-message", "labeled-response", "batch", "server-time")
        (line,) = alice.ask("@label=1 REDACT #global g-1")
        self.assertRegex(line, r"^@label=1;time=\S+ :alice!alice@irchat REDACT #global g-1$")

    def test_refused(self) -> None:
        """A message of another user, a missing one, and one of another chat."""
        for line, answer in {
            "REDACT #global g-1": "REDACT_FORBIDDEN #global g-1",
            "REDACT #global g-9": "UNKNOWN_MSGID #global g-9",
            "REDACT #global 1.2-1": "UNKNOWN_MSGID #global 1.2-1",
            "REDACT #global x": "UNKNOWN_MSGID #global x",
            "REDACT #nope 7-1": "INVALID_TARGET #nope",
            "REDACT *irchat 7-1": "INVALID_TARGET *irchat",
        }.items():
            (found,) = self.bob.ask(line)
            self.assertTrue(found.startswith(f":irchat FAIL REDACT {answer} :"), found)
        self.assertEqual(self.alice.ask("REDACT #global"), [":irchat 461 alice REDACT :Not enough parameters"])

    def test_owner(self) -> None:
        """The owner of a group deletes any message there."""
        self.alice.ask("JOIN #team", "INVITE bob #team")
        self.bob.ask("PRIVMSG #team :spam")
        self.alice.got()
        self.assertEqual(self.alice.ask("REDACT #team 3-1"), [])
        self.assertEqual(self.bob.got(), [":alice!alice@irchat REDACT #team 3-1"])

    def test_administrator(self) -> None:
        """A deletion by the administrator of the machine comes from the server, to both users of a private chat too."""
        change = self.server.chat.amendments.to_delete_for_administrator("@alice@bob", 1)
        self.successResultOf(self.server.chat.queue.submit(change))
        self.server.turn()
        self.assertEqual(self.alice.got(), [":irchat REDACT bob 1.2-1"])
        self.assertEqual(self.bob.got(), [":irchat REDACT alice 1.2-1"])

    def test_hidden_author(self) -> None:
        """A deletion by somebody that is hidden from the reader comes from the server."""
        self.alice.ask("JOIN #team", "INVITE bob #team", "INVITE carol #team")
        carol = self.irc("carol", CAP, "account-tag")
        self.bob.ask("PRIVMSG #team :spam", "PRIVMSG #team :more")
        carol.ask("SILENCE +alice")
        carol.got()
        self.alice.type("REDACT #team 3-1")
        self.assertEqual(carol.got(), [":irchat REDACT #team 3-1"])


class OffTests(IRCTestCase):
    """A server without amendments."""

    options = {"limits": Limits(per_address=0, per_user=0, timed=0, rate=0, no_amend=True)}

    def test_off(self) -> None:
        """Senders do not delete there."""
        alice = self.irc("alice")
        alice.ask("PRIVMSG #global :x")
        (line,) = alice.ask("REDACT #global g-1")
        self.assertTrue(line.startswith(":irchat FAIL REDACT REDACT_FORBIDDEN #global g-1 :"), line)
