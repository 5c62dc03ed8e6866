"""Typed lines over the wire: the destination of plain text, and commands of other chats."""

from typing import Any

from tests.helpers.server import ServerTestCase, request


class _LineTestCase(ServerTestCase):
    def setUp(self) -> None:
        """Alice types lines in a program. Bob and carol are online."""
        self.server = self.make_server()
        self.alice, self.bob, self.carol = (self.server.json(name) for name in ("alice", "bob", "carol"))
        self.alice.ask("create_group", name="team", members=["bob"])
        self.server.advance(2)
        for client in (self.alice, self.bob, self.carol):
            client.got()

    def typed(self, line: str, **fields: Any) -> dict[str, Any]:
        """Return the reply to a line of alice's."""
        self.alice.ask("line", line=line, **fields)
        return self.alice.got()[0]

    def heard(self) -> list[list[str]]:
        """Return the chats and texts that bob and carol received."""
        return [[f"{event['chat']} {event['text']}" for event in client.told("message")]
                for client in (self.bob, self.carol)]  # fmt: skip


class ChatOfLineTests(_LineTestCase):
    """``chat`` in ``line``."""

    def test_plain_text_goes_there(self) -> None:
        """Plain text goes to the given chat, in any spelling, otherwise to everyone."""
        for chat, label, read_by_carol in (
            ("@bob", "@alice", False), ("*team", "*team", False), ("team", "*team", False), ("bob", "@alice", False),
            ("GLOBAL", "GLOBAL", True), (None, "GLOBAL", True),
        ):  # fmt: skip
            self.assertEqual(self.typed("hello there", chat=chat)["type"], "sent")
            heard = [f"{label} hello there"]
            self.assertEqual(self.heard(), [heard, heard if read_by_carol else []])

    def test_all_else_goes_where_it_says(self) -> None:
        """A command has the same meaning in every chat, and a backslash sends to everyone."""
        for line, chat in (("@carol hi", "@carol"), ("*30* hi", "GLOBAL"), ("\\@hi", "GLOBAL"), ("*team hi", "*team")):
            self.assertEqual(self.typed(line, chat="@bob")["chat"], chat)
        self.assertEqual(self.typed("ls", chat="@bob")["type"], "chats")

    def test_another_chat_of_that_name(self) -> None:
        """With the id of the chat, plain text does not reach another chat that has its name now."""
        ids = {chat["chat"]: chat["id"] for chat in self.typed("ls")["chats"]}
        self.typed("-alice team")
        self.bob.ask("remove_member", group="team", name="bob")
        self.bob.ask("create_group", name="team", members=["alice"])
        self.server.advance(2)
        self.heard()
        self.alice.got()
        self.assertEqual(self.typed("secret", chat="*team", id=ids["*team"])["code"], "no-such-group")
        self.assertEqual(self.heard(), [[], []])
        self.assertEqual(self.typed("*team hi", chat="*team", id=ids["*team"])["type"], "sent")
        self.assertEqual(self.typed("hi", chat="GLOBAL", id=ids["GLOBAL"])["type"], "sent")
        self.assertEqual(self.heard()[0], ["*team hi", "GLOBAL hi"])

    def test_commands_in_texts(self) -> None:
        """A command with ``#`` is about the given chat, or the chat before it. A request ``send`` reads none."""
        for chat, line, label in (
            ("@bob", "#1-", "@bob"), ("*team", "#1-", "*team"), (None, "#1-", "GLOBAL"), ("@bob", "*team #2-", "*team"),
        ):  # fmt: skip
            self.typed("soon deleted", chat=line.split()[0] if " " in line else chat)
            reply = self.typed(line, chat=chat)
            self.assertEqual((reply["type"], reply["chat"], reply["deleted"]), ("amended", label, True))
        self.heard()
        for kind, fields in ("send", {"text": "#1-"}), ("line", {"line": "#hello"}), ("line", {"line": "\\#1-"}):
            self.alice.ask(kind, chat="GLOBAL", **fields)
        self.assertEqual([line["type"] for line in self.alice.got()], ["sent"] * 3)
        self.assertEqual(self.heard()[1], ["GLOBAL #1-", "GLOBAL #hello", "GLOBAL #1-"])

    def test_last_message(self) -> None:
        """``#=`` and ``#-`` are about the last message of the user in the chat when the change is made."""
        self.alice.ask("send", chat="@bob", text="first")
        self.alice.send(request("line", line="second", chat="@bob") + request("line", line="#-", chat="@bob"))
        self.assertEqual([line.get("seq") for line in self.alice.got()], [1, 2, 2])
        self.assertEqual(self.typed("#= only", chat="@bob")["seq"], 1)

    def test_names_nobody(self) -> None:
        """The error of a command with an unknown name shows how to send it as a message. That of a text does not."""
        for line in "@nosuch hi", "*nosuch hi", "*30@nosuch hi", "+1up nosuch", "-nosuch", "~nosuch", "ls nosuch":
            self.assertIn("type \\ before it", self.typed(line)["text"], line)
        for line in "secret", "\\secret":
            self.assertNotIn("\\", self.typed(line, chat="@nosuch").get("text", ""), line)

    def test_refused(self) -> None:
        """Without permission nothing is sent, and a repeated nonce sends once."""
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
    """Commands typed as in other chats."""

    def test_line(self) -> None:
        """Such a line is refused with the correct form and the backslash, and nothing is sent, in any chat."""
        for line, form in (("/msg bob secret", "@bob secret"), ("/quit", "exit"), ("quit", "exit"), ("HELP", "!help")):
            for chat in (None, "@bob"):
                error = self.typed(line, chat=chat)
                self.assertEqual((error["type"], error["code"]), ("error", "bad-request"))
                self.assertTrue(error["text"].endswith(f": {form}"), error)
                self.assertIn("\\", error["text"])
        self.assertEqual(self.heard(), [[], []])
        self.assertTrue(self.alice.is_open)

    def test_messages(self) -> None:
        """A path, an action and text after a backslash are messages, and so is everything in ``send``."""
        for line in ("/etc/passwd is broken", "/me waves", "\\/msg bob hi"):
            self.assertEqual(self.typed(line)["type"], "sent")
        self.alice.ask("send", chat="GLOBAL", text="/quit")
        self.assertEqual(self.heard()[1], [
            "GLOBAL /etc/passwd is broken", "GLOBAL /me waves", "GLOBAL /msg bob hi", "GLOBAL /quit",
        ])  # fmt: skip

    def test_text_protocol(self) -> None:
        """In the text protocol the result is the same, and the session continues."""
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
    """Promises of the protocol for all requests."""

    def test_null_is_absent(self) -> None:
        """null in an optional field counts as absent, but is refused in ``ref``."""
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
        """A taken group name is taken for everyone, even for users outside the group."""
        self.carol.ask("create_group", name="TEAM", members=[])
        self.assertEqual(self.carol.one("error")["code"], "group-exists")

    def test_last_member_leaves(self) -> None:
        """If the group has ended, ``removed`` has an empty owner."""
        another = self.server.json("alice")
        self.alice.ask("remove_member", group="team", name="bob")
        another.got()
        self.alice.ask("remove_member", group="team", name="alice")
        (removed,) = another.told("removed")
        self.assertEqual((removed["name"], removed["owner"]), ("alice", ""))
