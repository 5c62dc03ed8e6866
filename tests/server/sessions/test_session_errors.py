"""A session's errors, and what it holds back and shows."""

from irchat.commands import Help
from irchat.commands.history import SearchChat
from irchat.protocol import events
from irchat.protocol.errors import unavailable
from irchat.protocol.rules import WAITING_BYTES
from tests.helpers.server import ServerTestCase, request
from tests.server.sessions.test_session import send


class ErrorTests(ServerTestCase):
    """Errors."""

    def setUp(self) -> None:
        """Create a session."""
        self.server = self.make_server()
        self.alice = self.server.json("alice")

    def test_internal(self) -> None:
        """An internal error, immediate or late, is logged without the request, and the session continues."""

        async def fails_later(*_: object) -> None:
            raise ZeroDivisionError

        def fails(*_: object) -> None:
            raise ZeroDivisionError

        for run in fails, fails_later:
            self.patch(SearchChat, "run", run)
            self.alice.send(request("search", words="my secret words", ref=1) + request("ping", ref=2))
            error, pong = self.alice.got()
            self.assertEqual((error["code"], error["ref"], pong["ref"]), ("internal", 1, 2))
        logged = self.flushLoggedErrors(ZeroDivisionError)
        self.assertEqual(len(logged), 2)
        self.assertFalse([failure for failure in logged if "secret" in failure.getTraceback()])

    def test_reply_that_cannot_be_said(self) -> None:
        """A reply too long for a line is logged and answered with ``internal``, and the session continues."""
        self.patch(Help, "run", lambda *_: events.Help("x" * WAITING_BYTES))
        self.alice.send(request("help", ref=1) + request("ping", ref=2))
        error, pong = self.alice.got()
        self.assertEqual((error["code"], error["ref"], pong["ref"]), ("internal", 1, 2))
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_meant_as_message(self) -> None:
        """The error of a typed line with an unknown name shows how to send it as text. Other errors do not."""
        for line in "+1 nobody", "-dave team", "ls is nice", "~nobody", "@nobody hi", "*nothing hi":
            self.alice.ask("line", line=line)
            self.assertIn("type \\ before it", self.alice.one("error")["text"], line)
        self.alice.ask("send", chat="@nobody", text="hi")
        self.assertNotIn("type \\", self.alice.one("error")["text"])
        self.alice.ask("add_member", group="nothing", name="nobody")
        self.assertNotIn("type \\", self.alice.one("error")["text"])
        self.server.json("bob").ask("create_group", name="team", members=["alice"])
        self.alice.got()
        self.alice.ask("line", line="-bob team")
        error = self.alice.one("error")
        self.assertEqual((error["code"], "type \\" in error["text"]), ("not-the-owner", False))

    def test_usage(self) -> None:
        """Wrong usage of a command is answered with its usage."""
        self.alice.ask("line", line="???")
        self.assertIn("?<words>", self.alice.one("error")["usage"])

    def test_line_with_nonce(self) -> None:
        """The nonce of a ``line`` applies to the message that it sends, and is ignored if it sends none."""
        for _ in range(2):
            self.alice.ask("line", line="hello", nonce="n")
            self.assertEqual(self.alice.one("sent")["seq"], 1)
        self.alice.ask("line", line="ls", nonce="n")
        self.alice.one("chats")

    def test_shown_to_a_person(self) -> None:
        """Messages shown by a text session are saved as read, in chats that still exist, timed ones too."""
        bob = self.server.text("bob")
        self.alice.send(send("hi") + send("soon gone", expires_in=60))
        bob.connection.session.mark_shown(999, 1)
        self.server.advance(2)
        self.assertEqual(self.server.json("bob").welcome["unread"], [])

    def test_lines_held_back(self) -> None:
        """While the protocol holds lines back nothing more is read."""
        for holds in True, False:
            self.alice.connection.session.hold_back(holds)
            self.assertEqual(self.alice.socket.is_read, not holds)

    def test_marks_that_cannot_be_saved(self) -> None:
        """If shown messages cannot be saved as read, they stay unread without an error."""
        bob = self.server.text("bob")
        self.alice.send(send("hi"))
        self.server.threads.write.holds = True
        self.server.advance(2)
        self.server.threads.write.fail(unavailable())
        self.server.threads.write.holds = False
        bob.leave()
        self.assertEqual(self.server.json("bob").welcome["unread"][0]["unread"], 1)
