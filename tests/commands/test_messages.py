"""The commands that send, from the typed line to the receivers."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.commands.messages import looks_timed
from irchat.protocol import events, requests
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
