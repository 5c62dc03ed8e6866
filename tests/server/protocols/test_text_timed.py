"""The text protocol: timed messages without a trace."""

from irchat.protocol.rules import TRANSCRIPT_LINES, WAITING_BYTES
from tests.helpers.server import CLEAR, request
from tests.server.protocols.test_text import TextTestCase


class TimedTests(TextTestCase):
    """Timed messages leave no trace on the screen."""

    def _after(self, *seconds: float) -> str:
        self.server.advance(*seconds)
        return self.bob.shown()

    def test_reprint_of_wrong_lines(self) -> None:
        """A typed line that was refused is printed again too: only secrets are not."""
        self._alice_sends("soon gone", expires_in=3)
        self.bob.type("~nobody")
        self.bob.shown()
        self.assertIn("~nobody\r\n", self._after(3.1))

    def test_left_before_the_reprint(self) -> None:
        """A session that ends before a reprint leaves no timer."""
        for seconds in 3, 4:
            self._alice_sends("soon gone", expires_in=seconds)
        self.alice.leave()
        self.server.advance(3.05)
        self.bob.leave()
        self.server.advance(5)
        self.assertEqual(self.server.clock.getDelayedCalls(), [])

    def test_reprint(self) -> None:
        """At the end of a timed message the screen is cleared and everything else printed again, typed lines included.

        The clearing sequences are in the only order that both tmux and screen obey.
        """
        self._alice_sends("before")
        self._alice_sends("soon gone\nboth lines", expires_in=3)
        self.bob.type("!help exit")
        self._alice_sends("after")
        before = self.bob.shown()
        self.assertIn("soon gone", before)
        self.assertEqual(self._after(2.9), "")
        shown = self._after(0.2)
        self.assertEqual(shown.count(CLEAR), 1)
        self.assertTrue(shown.startswith("\x1b[H\x1b[2J\x1b[3J"))
        lines = shown.removeprefix(CLEAR).split("\r\n")
        self.assertEqual(
            lines[-5:],
            ["[--:--] [GLOBAL #1] alice: before", "!help exit", "exit  leave", "[--:--] [GLOBAL #2] alice: after", ""],
        )
        self.assertNotIn("soon", shown)
        self.assertNotIn("both", shown)

    def test_own(self) -> None:
        """The sender's own timed message disappears with its typed line, for all receivers."""
        self.assertIn("erased in 3 s", self._shows("*3* my secret", "kept line"))
        shown = self._after(3.1)
        self.assertNotIn("secret", shown)
        self.assertIn("kept line\r\n", shown)

    def test_refused(self) -> None:
        """The line of a refused timed message is not shown again either."""
        self.assertIn("! ", self._shows("*3@nobody my secret", "*0* my secret", "kept line"))
        self._alice_sends("soon gone", expires_in=3)
        shown = self._after(3.1)
        self.assertNotIn("secret", shown)
        self.assertIn("kept line\r\n", shown)

    def test_from_another_session(self) -> None:
        """Messages sent by the user's other session are shown, and disappear."""
        program = self.server.json("bob")
        program.send(request("send", chat="@alice", text="my secret", expires_in=3))
        self.assertIn("my secret", self.bob.shown())
        self.assertNotIn("secret", self._after(3.1))

    def test_in_history(self) -> None:
        """A timed message shown by ``ls`` disappears too, even if it was never shown live."""
        self.bob.leave()
        self._alice_sends("soon gone", expires_in=30)
        self.bob = self.server.text("bob")
        self.assertIn("(30s) alice: soon gone", self._shows("ls GLOBAL"))
        shown = self._after(30.1)
        self.assertIn(CLEAR, shown)
        self.assertNotIn("soon gone", shown)

    def test_never_shown(self) -> None:
        """The end of a message that was not on this screen clears nothing."""
        self.bob.leave()
        self._alice_sends("soon gone", expires_in=3)
        self.bob = self.server.text("bob")
        self.assertNotIn(CLEAR, self._after(4))

    def test_several_ends(self) -> None:
        """Several ends within half a second share one reprint, without any of the messages."""
        for _ in range(4):
            self._alice_sends("soon gone", expires_in=3)
            self.server.advance(0.1)
        self._alice_sends("still here", expires_in=4)
        self.bob.shown()
        self.server.advance(2.5)
        shown = self._after(0.1, 0.1, 0.1, 0.1, 0.1, 0.1)
        self.assertEqual(shown.count(CLEAR), 1)
        self.assertNotIn("soon gone", shown)
        self.assertIn("still here", shown)
        shown = self._after(2)
        self.assertEqual(shown.count(CLEAR), 1)
        self.assertNotIn("still here", shown)

    def test_not_late(self) -> None:
        """However many ends follow one another, none is visible for more than half a second after its end."""
        for _ in range(30):
            self._alice_sends("soon gone", expires_in=5)
            self.server.advance(0.1)
        self.bob.shown()
        self.server.advance(2.05)
        shown = self._after(*[0.05] * 12)
        self.assertIn(CLEAR, shown)

    def test_left_while_it_waits(self) -> None:
        """A session that ends before the reprint gets no more output, and no delayed call is left."""
        self._alice_sends("one", expires_in=3)
        self.server.advance(0.3)
        self._alice_sends("two", expires_in=3)
        self.server.advance(2.75)
        self.bob.leave()
        self.alice.leave()
        self.server.advance(2)
        self.assertNotIn(CLEAR, self.bob.shown())
        self.assertEqual(self.server.clock.calls, [])

    def test_more_than_a_screen(self) -> None:
        """The last 500 lines are printed again."""
        for number in range(TRANSCRIPT_LINES + 50):
            self._alice_sends(f"line {number}")
        self._alice_sends("soon gone", expires_in=3)
        self.bob.shown()
        lines = self._after(3.1).removeprefix(CLEAR).split("\r\n")
        self.assertEqual(
            (len(lines), lines[0], lines[-2]),
            (TRANSCRIPT_LINES, "[--:--] [GLOBAL #52] alice: line 51", "[--:--] [GLOBAL #550] alice: line 549"),
        )

    def test_behind(self) -> None:
        """A slow reader never sees a message that was not sent in time. One that was sent disappears."""
        self.bob.socket.room = 0
        self._alice_sends("one")
        self._alice_sends("soon gone", expires_in=3)
        self._alice_sends("later gone", expires_in=9)
        self.server.advance(4)
        self.bob.socket.room = None
        shown = self._after(0, 0)
        self.assertNotIn("soon gone", shown)
        self.assertIn("(5s) alice: later gone", shown)
        self.assertNotIn("later gone", self._after(6))

    def test_stalled(self) -> None:
        """For a client that does not read, many ends cause few reprints, and no ended message appears later."""
        for number in range(20):
            self._alice_sends("soon gone", expires_in=10 + number)
        for _ in range(40):
            self._alice_sends("x" * 4_000)
        self._alice_sends("later gone", expires_in=60)
        self.bob.shown()
        self.bob.socket.room = 0
        self.server.advance(*[1.0] * 35)
        self.assertLess(self.bob.socket.waiting + self.bob.outbox._size, 2 * WAITING_BYTES)
        self.bob.socket.room = None
        shown = self._after(0, 0)
        self.assertLess(shown.count(CLEAR), 4)
        last = shown.rpartition(CLEAR)[2]
        self.assertNotIn("soon gone", last)
        self.assertIn("later gone", last)
        self.assertNotIn("later gone", self._after(30).rpartition(CLEAR)[2])
