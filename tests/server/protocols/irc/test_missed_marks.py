"""Marks that are taken off while a client reads nothing."""

from unittest.mock import patch

from irchat.server.protocols.irc import missed_marks
from tests.helpers.irc import IRCTestCase


class MissedMarksTests(IRCTestCase):
    """A session that fell behind learns which marks are gone."""

    def setUp(self) -> None:
        """Show two marks to a client, which then falls behind."""
        super().setUp()
        self.dave, self.erin = self.server.json("dave"), self.server.json("erin")
        self.alice = self.irc("alice", "message-tags")
        self.dave.ask("send", chat="GLOBAL", text="a message")
        self.mark(self.dave, "ok"), self.mark(self.erin, "ok")
        self.alice.got()
        self.alice.socket.room = 0
        for _ in range(100):
            self.dave.ask("send", chat="GLOBAL", text="x" * 3_500)
        self.assertTrue(self.alice.outbox.behind)

    def mark(self, client: object, mark: str, *, on: bool = True) -> None:
        client.ask("mark", chat="GLOBAL", seq=1, mark=mark, on=on)  # type: ignore[attr-defined]

    def caught_up(self) -> list[str]:
        """Return the lines of marks that come when the client reads again: user, tag and mark."""
        self.alice.socket.room = None
        for _ in range(40):
            self.server.turn()
        self.assertFalse(self.alice.outbox.behind)
        lines = [line for line in self.alice.got() if " TAGMSG #global" in line]
        tags = [dict(tag.split("=") for tag in line[1:].partition(" ")[0].split(";")) for line in lines]
        self.assertTrue(all(one["+draft/reply"] == "g-1" for one in tags))
        return [
            f"{line.partition(' :')[2].partition('!')[0]} {tag.removeprefix('+draft/')} {one[tag]}"
            for line, one in zip(lines, tags, strict=True)
            for tag in ("+draft/react", "+draft/unreact")
            if tag in one
        ]

    def test_taken_off(self) -> None:
        """A mark that was taken off is taken off for the client too, after the marks that stand."""
        self.mark(self.dave, "ok", on=False)
        self.assertEqual(self.caught_up(), ["erin react ok", "dave unreact ok"])
        self.mark(self.erin, "ok", on=False)
        self.assertIn("+draft/unreact=ok", self.alice.got()[0])

    def test_put_on_again(self) -> None:
        """A mark that stands at the end is not taken off, whatever happened before."""
        self.mark(self.dave, "ok", on=False), self.mark(self.dave, "ok")
        self.mark(self.erin, "new"), self.mark(self.erin, "new", on=False)
        self.assertEqual(self.caught_up(), ["dave react ok", "erin react ok", "erin unreact new"])

    def test_hidden(self) -> None:
        """Nothing is sent about a chat that the client has left with PART, or about a mark that a block hides."""
        self.mark(self.dave, "ok", on=False)
        self.alice.type("PART #global")
        self.assertEqual(self.caught_up(), [])

    def test_bounded(self) -> None:
        """Of very many marks, only some are remembered."""
        with patch.object(missed_marks, "_MOST", 2):
            for mark in "abc":
                self.mark(self.erin, mark), self.mark(self.erin, mark, on=False)
            said = self.caught_up()
        self.assertEqual(said, ["dave react ok", "erin react ok", "erin unreact a", "erin unreact b"])

    def test_left_group(self) -> None:
        """Nothing is sent about a group that the user has left meanwhile."""
        self.alice.socket.room = None
        for _ in range(40):
            self.server.turn()
        self.dave.ask("create_group", name="team", members=["alice"])
        self.dave.ask("send", chat="*team", text="a message")
        self.dave.ask("mark", chat="*team", seq=1, mark="ok")
        self.alice.got()
        self.alice.socket.room = 0
        for _ in range(100):
            self.dave.ask("send", chat="GLOBAL", text="x" * 3_500)
        self.assertTrue(self.alice.outbox.behind)
        self.dave.ask("mark", chat="*team", seq=1, mark="ok", on=False)
        self.dave.ask("remove_member", group="team", name="alice")
        self.alice.socket.room = None
        for _ in range(40):
            self.server.turn()
        self.assertFalse(self.alice.outbox.behind)
        self.assertNotIn("TAGMSG", self.alice.read())
