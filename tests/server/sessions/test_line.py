"""Typed lines over the wire: where plain text goes, and lines with the habits of other chats."""

from typing import Any

from tests.helpers.server import ServerTestCase


class _LineTestCase(ServerTestCase):
    def setUp(self) -> None:
        """Alice, who types lines in a program, bob, and carol, who reads along."""
        self.server = self.make_server()
        self.alice, self.bob, self.carol = (self.server.json(name) for name in ("alice", "bob", "carol"))
        self.alice.ask("create_group", name="team", members=["bob"])
        self.server.advance(2)
        for client in (self.alice, self.bob, self.carol):
            client.got()

    def typed(self, line: str, **fields: Any) -> dict[str, Any]:
        """The reply to a line of alice's."""
        self.alice.ask("line", line=line, **fields)
        return self.alice.got()[0]

    def heard(self) -> list[list[str]]:
        """The chats and texts that bob and carol were told."""
        return [[f"{event['chat']} {event['text']}" for event in client.told("message")]
                for client in (self.bob, self.carol)]  # fmt: skip


class ChatOfLineTests(_LineTestCase):
    """``chat`` in ``line``."""

    def test_plain_text_goes_there(self) -> None:
        """Plain text goes to the chat that is named, in any way of naming it, and else to everyone."""
        for chat, label, read_by_carol in (
            ("@bob", "@alice", False), ("*team", "*team", False), ("team", "*team", False), ("bob", "@alice", False),
            ("GLOBAL", "GLOBAL", True), (None, "GLOBAL", True),
        ):  # fmt: skip
            self.assertEqual(self.typed("hello there", chat=chat)["type"], "sent")
            heard = [f"{label} hello there"]
            self.assertEqual(self.heard(), [heard, heard if read_by_carol else []])

    def test_all_else_goes_where_it_says(self) -> None:
        """A command means the same whatever chat is named, and a backslash is for everyone."""
        for line, chat in (("@carol hi", "@carol"), ("*30* hi", "GLOBAL"), ("\\@hi", "GLOBAL"), ("*team hi", "*team")):
            self.assertEqual(self.typed(line, chat="@bob")["chat"], chat)
        self.assertEqual(self.typed("ls", chat="@bob")["type"], "chats")

    def test_names_nobody(self) -> None:
        """A command that names nobody may have been meant as a message, and the answer says how. A text may not."""
        for line in "@nosuch hi", "*nosuch hi", "*30@nosuch hi", "+1up nosuch", "-nosuch", "~nosuch", "ls nosuch":
            self.assertIn("type \\ before it", self.typed(line)["text"], line)
        for line in "secret", "\\secret":
            self.assertNotIn("\\", self.typed(line, chat="@nosuch").get("text", ""), line)

    def test_refused(self) -> None:
        """Where one may not send nothing is sent, and a repeated nonce sends once."""
        self.alice.ask("block", name="carol")
        self.alice.got()
        for chat, code in (
            ("@nosuch", "no-such-user"), ("*nosuch", "no-such-group"), ("nosuch", "no-such-chat"), ("", "no-such-chat"),
            ("@alice", "yourself"), ("@carol", "blocked"),
        ):  # fmt: skip
            self.assertEqual(self.typed("secret", chat=chat)["code"], code)
        self.assertEqual(self.heard(), [[], []])
        self.assertEqual(self.typed("once", chat="@bob", nonce="n"), self.typed("once", chat="@bob", nonce="n"))
        self.assertEqual(self.heard(), [["@alice once"], []])


class HabitTests(_LineTestCase):
    """What is typed as in other chats."""

    def test_line(self) -> None:
        """Such a line is refused with the right form and the backslash, and nothing is sent, whatever chat is named."""
        for line, form in (("/msg bob secret", "@bob secret"), ("/quit", "exit"), ("quit", "exit"), ("HELP", "!help")):
            for chat in (None, "@bob"):
                error = self.typed(line, chat=chat)
                self.assertEqual((error["type"], error["code"]), ("error", "bad-request"))
                self.assertTrue(error["text"].endswith(f": {form}"), error)
                self.assertIn("\\", error["text"])
        self.assertEqual(self.heard(), [[], []])
        self.assertTrue(self.alice.is_open)

    def test_messages(self) -> None:
        """A path, an action and what a backslash stands before are messages; so is all in the request ``send``."""
        for line in ("/etc/passwd is broken", "/me waves", "\\/msg bob hi"):
            self.assertEqual(self.typed(line)["type"], "sent")
        self.alice.ask("send", chat="GLOBAL", text="/quit")
        self.assertEqual(self.heard()[1], [
            "GLOBAL /etc/passwd is broken", "GLOBAL /me waves", "GLOBAL /msg bob hi", "GLOBAL /quit",
        ])  # fmt: skip

    def test_text_protocol(self) -> None:
        """In the text protocol it is the same, and the session goes on."""
        person = self.server.text("dave")
        self.server.advance(2)
        person.shown()
        person.type("/msg bob secret")
        self.assertIn("@bob secret", person.shown())
        person.type("quit")
        self.assertTrue(person.shown().rstrip().endswith(": exit"))
        self.assertEqual(self.heard(), [[], []])
        person.type("exit")
        self.assertFalse(person.is_open)


class ContractTests(_LineTestCase):
    """What the protocol says of all requests."""

    def test_null_is_absent(self) -> None:
        """null in an optional field is as if the field were absent; in ``ref`` it is refused."""
        for kind, fields, nulls in (
            ("line", {"line": "hi"}, ("chat", "nonce")),
            ("send", {"chat": "@bob", "text": "hi"}, ("expires_in", "nonce")),
            ("history", {"chat": "@bob"}, ("before", "after", "unread", "limit", "mark_read")),
            ("search", {"words": "hi"}, ("chat", "limit")),
            ("users", {}, ("prefix", "limit")),
            ("block", {"name": "carol"}, ("blocked",)),
            ("help", {}, ("prefix",)),
            ("logout", {}, ("forget",)),
        ):
            self.alice.ask(kind, **fields, ref=None)
            self.assertEqual(self.alice.one("error")["code"], "bad-request", kind)
            self.alice.ask(kind, **fields, **dict.fromkeys(nulls))
            self.assertNotEqual(self.alice.got()[0]["type"], "error", kind)

    def test_taken_group(self) -> None:
        """A group's name that is taken is so for everyone, also for whoever is not in it."""
        self.carol.ask("create_group", name="TEAM", members=[])
        self.assertEqual(self.carol.one("error")["code"], "group-exists")

    def test_last_member_leaves(self) -> None:
        """Where the group is gone ``removed`` has an empty owner."""
        another = self.server.json("alice")
        self.alice.ask("remove_member", group="team", name="bob")
        another.got()
        self.alice.ask("remove_member", group="team", name="alice")
        (removed,) = another.told("removed")
        self.assertEqual((removed["name"], removed["owner"]), ("alice", ""))
