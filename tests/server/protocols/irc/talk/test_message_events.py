"""Edits and deletions by other protocols, as IRC sessions see them, also sessions that fell behind."""

from tests.helpers.irc import IRCTestCase


class EditTests(IRCTestCase):
    """Edits."""

    def setUp(self) -> None:
        """A message of dave, and IRC sessions."""
        super().setUp()
        self.json = self.server.json("dave")
        self.alice = self.irc("alice", "message-tags", "server-time", "account-tag")
        self.plain = self.irc("bob")
        self.json.ask("send", chat="GLOBAL", text="teh")
        for client in self.alice, self.plain, self.json:
            client.read()

    def test_edit(self) -> None:
        """An edit is a message that says so, with the tag of a reply and no id."""
        self.server.advance(1)
        self.json.ask("amend", chat="GLOBAL", seq=1, text="the\nend")
        self.assertEqual(
            self.plain.got(),
            [
                ":dave!dave@irchat PRIVMSG #global :(edited) the",
                ":dave!dave@irchat PRIVMSG #global :end",
            ],
        )
        tags = "@time=2026-11-22T14:00:01.000Z;account=dave;+draft/reply=g-1"
        self.assertEqual(self.alice.got()[0], f"{tags} :dave!dave@irchat PRIVMSG #global :(edited) the")

    def test_private(self) -> None:
        """In a private chat the target is the other user."""
        other = self.irc("dave")
        self.json.ask("send", chat="@bob", text="psst")
        for client in other, self.plain:
            client.got()
        self.json.ask("amend", chat="@bob", seq=1, text="pst")
        line = ":dave!dave@irchat PRIVMSG bob :(edited) pst"
        self.assertEqual((self.plain.got(), other.got()), ([line], [line]))

    def test_hidden_chat(self) -> None:
        """A chat that the session left with PART shows no changes."""
        self.plain.ask("PART #global")
        self.json.ask("amend", chat="GLOBAL", seq=1, text="the")
        self.json.ask("amend", chat="GLOBAL", seq=1, delete=True)
        self.assertEqual(self.plain.got(), [])

    def test_bot(self) -> None:
        """An edit by a user that calls itself a bot has the tag."""
        self.irc("dave").ask("MODE dave +B")
        self.json.ask("amend", chat="GLOBAL", seq=1, text="the")
        self.assertIn(";bot;+draft/reply=g-1 ", self.alice.got()[-1])

    def test_hidden_editor(self) -> None:
        """An edit or mark by somebody that is hidden from the reader is not shown."""
        self.alice.ask("SILENCE +dave")
        self.json.ask("mark", chat="GLOBAL", seq=1, mark="ok")
        self.json.ask("amend", chat="GLOBAL", seq=1, text="the")
        self.assertEqual(self.alice.got(), [])

    def test_only_marks_while_behind(self) -> None:
        """A message that was only marked while a session was behind does not come again as an edit."""
        self.alice.socket.room = 0
        for _ in range(100):
            self.json.ask("send", chat="GLOBAL", text="x" * 3_500)
        self.json.ask("mark", chat="GLOBAL", seq=1, mark="ok")
        self.alice.socket.room = None
        for _ in range(30):
            self.server.turn()
        self.assertNotIn("(edited)", self.alice.read())

    def test_behind(self) -> None:
        """A session that fell behind gets what it missed with its time, then the edits of earlier messages."""
        self.alice.socket.room = 0
        for number in range(100):
            self.json.ask("send", chat="GLOBAL", text=f"{number} {'x' * 3_500}")
        self.assertTrue(self.alice.outbox.behind)
        self.json.ask("amend", chat="GLOBAL", seq=1, text="the")
        self.alice.socket.room = None
        for _ in range(30):
            self.server.turn()
        lines = self.alice.got()
        self.assertEqual(len([line for line in lines if ";msgid=" in line]), 100)
        self.assertTrue(all(line.startswith("@time=2026-11-22T14:0") for line in lines))
        self.assertIn("+draft/reply=g-1 :dave!dave@irchat PRIVMSG #global :(edited) the", lines[-1])

    def test_marks_while_behind(self) -> None:
        """A session that fell behind gets the marks that were put on meanwhile, of all that put them there."""
        self.alice.socket.room = 0
        for _ in range(100):
            self.json.ask("send", chat="GLOBAL", text="x" * 3_500)
        for client in self.json, self.server.json("erin"):
            client.ask("mark", chat="GLOBAL", seq=1, mark="ok")
        self.alice.socket.room = None
        for _ in range(30):
            self.server.turn()
        marks = [line for line in self.alice.got() if " TAGMSG " in line]
        self.assertEqual(
            [line.partition(" :")[2] for line in marks], [f"{n}!{n}@irchat TAGMSG #global" for n in ("dave", "erin")]
        )
        self.assertTrue(all(";+draft/react=ok;+draft/reply=g-1 " in line for line in marks))
        self.assertNotIn("TAGMSG", self.plain.read())

    def test_deletion_while_behind(self) -> None:
        """A deletion reaches a session that fell behind, without its author."""
        slow = self.irc("carol", "draft/message-redaction")
        slow.socket.room = 0
        for _ in range(100):
            self.json.ask("send", chat="GLOBAL", text="x" * 3_500)
        self.json.ask("amend", chat="GLOBAL", seq=1, delete=True)
        slow.socket.room = None
        for _ in range(30):
            self.server.turn()
        self.assertIn(":irchat REDACT #global g-1", slow.got())

    def test_deletion(self) -> None:
        """A deletion has the account of its author."""
        carol = self.irc("carol", "draft/message-redaction", "account-tag")
        self.json.ask("amend", chat="GLOBAL", seq=1, delete=True)
        self.assertEqual(carol.got(), ["@account=dave :dave!dave@irchat REDACT #global g-1"])
