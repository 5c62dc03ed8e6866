"""Typed lines in the open chat: the request that each makes, and the usage while it is typed."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.control.typed import NoTarget, hint
from irchat.client.control.typed import understand as _understand
from irchat.protocol import requests
from irchat.protocol.errors import Code, Refusal
from tests.commands.test_commands import TABLE


def understand(line: str, here: str | None) -> requests.Request | None:
    """Return the request of a line."""
    return _understand(line, here).request


class UnderstandTests(SynchronousTestCase):
    """Typed lines."""

    def test_plain_text(self) -> None:
        """Plain text goes to the open chat."""
        self.assertEqual(understand("hi", "@bob"), requests.Send(chat="@bob", text="hi"))
        self.assertEqual(understand("hi", "GLOBAL"), requests.Send(chat="GLOBAL", text="hi"))

    def test_backslash(self) -> None:
        """Text after a backslash goes to everyone, whatever chat is open."""
        for here in "@bob", "*team", "GLOBAL":
            self.assertEqual(understand("\\+1", here), requests.Send(chat="GLOBAL", text="+1"))

    def test_timed_here(self) -> None:
        """``*30 text`` is a timed message to the open chat."""
        self.assertEqual(understand("*30 hi", "*team"), requests.Send(chat="*team", text="hi", expires_in=30))
        for line in "*0 hi", "*604801 hi", "*99999999999999999999 hi":
            self.assertEqual(self.assertRaises(Refusal, understand, line, "GLOBAL").code, Code.BAD_TIME)

    def test_commands(self) -> None:
        """Every command has the same meaning as in the other clients."""
        self.assertEqual(understand("@bob hi", "*team"), requests.Send(chat="@bob", text="hi"))
        self.assertEqual(understand("*5@bob hi", "GLOBAL"), requests.Send(chat="@bob", text="hi", expires_in=5))
        self.assertEqual(understand("~bob", "GLOBAL"), requests.Block(name="bob"))
        self.assertEqual(understand("exit", "GLOBAL"), requests.Logout())
        self.assertEqual(understand("exit --forget", "GLOBAL"), requests.Logout(forget=True))
        self.assertEqual(understand("ls -n @bob", "GLOBAL"), requests.History(chat="@bob", limit=500))
        self.assertEqual(understand("ls @bob", "GLOBAL"), requests.History(chat="@bob", limit=100))
        self.assertEqual([understand(line, "GLOBAL") for line in ("ls", "!help", "!password")],
                         [requests.Chats(), requests.Help(), None])  # fmt: skip

    def test_sendable(self) -> None:
        """A server takes the request of every command, except of ``#=`` and ``#-``, which the client replaces."""
        for line, *_ in TABLE:
            request = understand(line, "*team")
            if request is not None and not isinstance(request, requests.AmendLast):
                self.assertIsInstance(request, requests.ANY, line)

    def test_in_text(self) -> None:
        """A command in a text is about the open chat, or about the chat before it. The number alone loads a page."""
        for before, here in ("", "*team"), ("@bob ", "@bob"):
            for typed, request in (
                ("#17-", requests.Amend(chat=here, seq=17, delete=True)),
                ("#17= \x07new", requests.Amend(chat=here, seq=17, text="\u2407new")),
                ("#= new", requests.AmendLast(chat=here, text="new")),
                ("#17+ok", requests.Mark(chat=here, seq=17, mark="ok", on=True)),
                ("#17", requests.History(chat=here, around=17, limit=100)),
            ):
                self.assertEqual(understand(before + typed, "*team"), request)
        self.assertRaises(NoTarget, understand, "#17-", None)
        self.assertEqual(understand("@bob #17-", None), requests.Amend(chat="@bob", seq=17, delete=True))
        self.assertEqual(
            self.assertRaises(Refusal, understand, "#17= " + 4_001 * "x", "*team").code, Code.TEXT_TOO_LONG
        )

    def test_days(self) -> None:
        """A day keeps its time, and loads as much as any page."""
        request = understand("ls *team 2026-03-01", "GLOBAL")
        assert isinstance(request, requests.History)
        self.assertEqual((request.limit, request.mark_read), (100, False))
        self.assertIsNotNone(request.since)

    def test_older_server(self) -> None:
        """A command that the server has not is refused with its usage, and with the way to send the line as a text."""
        for line in "#17-", "?@", "!set *team":
            refusal = self.assertRaises(Refusal, _understand, line, "GLOBAL", features=())
            self.assertIn("This server is older", refusal.text)
            self.assertIn("before it", refusal.text)
        self.assertEqual(
            _understand("#17 hi", "GLOBAL", features=()).request, requests.Send(chat="GLOBAL", text="#17 hi")
        )

    def test_wrong_use(self) -> None:
        """An invalid command or text is refused before anything is sent."""
        self.assertIn("<user>", str(self.assertRaises(Refusal, understand, "+1", "GLOBAL").usage))
        self.assertEqual(self.assertRaises(Refusal, understand, "x" * 4_001, "GLOBAL").code, Code.TEXT_TOO_LONG)

    def refused(self, line: str, here: str) -> str:
        """Return the error of an invalid line."""
        return str(self.assertRaises(Refusal, understand, line, here).text)

    def test_wrong_use_that_was_meant_as_a_message(self) -> None:
        """The error shows how to send the line to the open chat: the backslash would send it to everyone."""
        for line in "ls is nice", "???", "+1", "*0*team hi":
            for here in "@bob", "*team":
                text = self.refused(line, here)
                self.assertIn(f"To say it here, type {here} before it.", text)
                self.assertNotIn("\\", text)
            self.assertIn("type \\ before it", self.refused(line, "GLOBAL"))
        self.assertEqual(self.refused("-> x y", "*team"), "That is not how - is used.")

    @settings(max_examples=500)
    @given(st.text("ls @*+-~?!\\>1a,#=", max_size=12) | st.just("#1+" + 17 * "a"), st.sampled_from(["@bob", "*team"]))
    def test_the_advice_is_right(self, line: str, here: str) -> None:
        """For every refused line, typing what the error shows sends it to the open chat."""
        try:
            understand(line, here)
        except Refusal as refusal:
            if "before it" in refusal.text:
                wanted = requests.Send(chat=here, text=line.strip())
                self.assertEqual(understand(f"{here} {line}", here), wanted)

    def test_moderation(self) -> None:
        """Administrators' commands go to the server unchanged, because it knows the user's rights."""
        for line in "!kick bob", "!ban bob 2h", "!unban bob", "!kick":
            self.assertEqual(understand(f" {line} ", "@bob"), requests.Line(line=line))
        self.assertRaises(Refusal, understand, "!kicks bob", "@bob")


class HintTests(SynchronousTestCase):
    """The usage during typing."""

    def text(self, line: str) -> str:
        """Return the usage of a line that is or may become valid."""
        found = hint(line)
        assert found is not None
        self.assertFalse(found.wrong, line)
        return found.text

    def test_plain(self) -> None:
        """Plain text and several lines have no usage."""
        self.assertEqual([hint(line) for line in ("", "  ", "hello", "is @bob there", "@bob\nx")], [None] * 5)

    def test_right(self) -> None:
        """A valid line shows its usage and meaning."""
        self.assertIn("say it to one user alone", self.text("@bob hi"))
        self.assertIn("timed, to the open chat", self.text("*30 hi"))
        self.assertIn("delete your message", self.text("*team #17-"))
        self.assertIn("edit your last message", self.text("#= new"))
        self.assertIn("leave", self.text("exit --fo"))
        self.assertIn("leave", self.text("exit"))

    def test_begun(self) -> None:
        """An incomplete line shows its possible continuations."""
        self.assertIn("@ <user> <message>", self.text("@bob"))
        self.assertIn("-> <group_name>", self.text("*bob,carol"))
        self.assertIn("<time>", self.text("*30"))
        self.assertIn("ls -n <chat_name>", self.text("ls -n"))
        self.assertIn("#<number>= <message>", self.text("@bob #17="))
        self.assertIn("!help", self.text("!he"))
        self.assertIn("!password", self.text("!"))

    def test_moderation(self) -> None:
        """An administrators' command shows its usage when complete. Before that it is neither shown nor wrong."""
        self.assertIn("!ban <user> [<time>]", self.text("!ban b"))
        self.assertEqual([hint(line) for line in ("!ki", "!unb")], [None] * 2)
        self.assertNotIn("kick", self.text("!"))

    def test_wrong(self) -> None:
        """A line that cannot become valid is marked, with its usage."""
        for line, usage in [("~bob carol", "~<user>"), ("+a b c", "+<user>"), ("*0 hi", "whole number"),
                            ("#1+" + 17 * "a", "#<number>+<mark>")]:  # fmt: skip
            found = hint(line)
            assert found is not None
            self.assertTrue(found.wrong, line)
            self.assertIn(usage, found.text)
        for line in "*0*team hi", "*700000@bob hi", "*0*", "!kick a b":
            self.assertTrue(getattr(hint(line), "wrong", False), line)
