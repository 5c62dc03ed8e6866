"""The commands that send, from the typed line to the receivers."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.commands.messages import looks_timed
from irchat.protocol import events, requests, wire
from irchat.protocol.errors import Code
from tests.helpers.commands import CommandTestCase


class SendCommandTests(CommandTestCase):
    """Alice, bob and carol."""

    def test_each_form(self) -> None:
        """Each form sends its text to its receivers."""
        self.run_line("alice", "*bob -> team")
        self.world.published.clear()
        for line in (
            "to all",
            "\\@ to all",
            "@bob to bob",
            "*team to team",
            "*9* timed all",
            "*9@ bob timed bob",
            "*9*team timed team",
        ):
            self.assertIsInstance(self.run_line("alice", line), events.Sent)
        everyone = ["to all", "@ to all", "timed all"]
        self.assertEqual(self.world.texts("carol"), everyone)
        self.assertEqual(self.world.texts("bob"), [
            "to all", "@ to all", "to bob", "to team", "timed all", "timed bob", "timed team",
        ])  # fmt: skip
        self.world.pass_time(9)
        self.assertEqual(self.said("bob", "GLOBAL"), ["to all", "@ to all"])
        self.assertEqual(self.world.told("alice", self.callers["alice"].id)[0], self.world.told("alice")[-3])

    def test_notice(self) -> None:
        """A notice is a message with a mark: in the events, on pages, after a restart, and as JSON the same."""
        self.run_line("alice", "*bob -> team")
        self.world.published.clear()
        for chat in "GLOBAL", "*team", "@bob":
            sent = self.done(self.ask("alice", requests.Notice(chat=chat, text="@bob hi", nonce=chat)))
            again = self.done(self.ask("alice", requests.Notice(chat=chat, text="@bob hi", nonce=chat)))
            self.assertEqual(sent, again)
            self.run_line("alice", "hi")
        kinds = [type(event) for event in self.world.told("bob")]
        self.assertEqual(kinds, [events.Notice, events.Message] * 3)
        line = wire.encode(self.world.told("bob")[0])
        self.assertEqual(type(wire.decode_event(line)), events.Message)
        self.world.restart()
        for chat, notices in ("GLOBAL", [True, False, False, False]), ("*team", [True]), ("@alice", [True]):
            page = self.done(self.world.history("bob", chat))
            self.assertEqual([isinstance(one, events.Notice) for one in page.messages], notices)
        found = self.done(self.world.search("bob", "hi")).messages
        self.assertEqual(sum(isinstance(one, events.Notice) for one in found), 3)
        self.refused(Code.EMPTY_TEXT, self.ask, "alice", requests.Notice(chat="bob", text=" "))

    def test_not_in_json(self) -> None:
        """A program cannot send a notice or a signal."""
        for kind in "notice", "signal":
            self.assertRaises(wire.BadLine, wire.decode_request, b'{"type":"%b","chat":"GLOBAL"}' % kind.encode())

    def test_signal(self) -> None:
        """A signal is answered, and goes to the others as an aside."""
        reply = self.done(self.ask("alice", requests.Signal(chat="GLOBAL", tags={"+typing": "active"})))
        self.assertEqual((reply, len(self.world.asides), self.world.published), (events.Ok(), 1, []))
        self.refused(Code.NO_SUCH_USER, self.ask, "alice", requests.Signal(chat="@nobody", tags={"+x": ""}))

    def test_request(self) -> None:
        """A request passes on the nonce and the time, and is checked like a line."""
        request = requests.Send(chat="bob", text="hi", nonce="n", expires_in=5)
        first, again = (self.done(self.ask("alice", request)) for _ in range(2))
        self.assertEqual((first.id, first.left_ms, first), (again.id, 5_000, again))
        self.refused(Code.BAD_TIME, self.ask, "alice", requests.Send(chat="bob", text="hi", expires_in=0))
        self.refused(Code.EMPTY_TEXT, self.ask, "alice", requests.Send(chat="bob", text=" "))


class LooksTimedTests(SynchronousTestCase):
    """Texts that begin like timed messages."""

    def test_looks(self) -> None:
        """A star, digits, and a star or an at sign, whatever follows; white space before them does not count."""
        for text in "*30@bob hi", "*30*team hi", "*30* hi", " *5@", "*٣@bob x", "*030*":
            self.assertTrue(looks_timed(text), text)
        for text in "*bold*", "** x", "*30", "* 30 *", "x *30@bob", "\\*30@bob":
            self.assertFalse(looks_timed(text), text)
