"""The text protocol after the sign-in: commands, output that counts as read, and timed messages without a trace.

Its sign-in is tested in tests/server/protocols/test_text_sign_in.py.
"""

from hypothesis import given, settings
from twisted.trial.unittest import SynchronousTestCase

from irchat.protocol.rules import TRANSCRIPT_LINES, WAITING_BYTES
from tests.helpers.server import CLEAR, JSONClient, Server, ServerTestCase, TextClient, request
from tests.helpers.strategies import hostile_text, is_hostile


class _TextTestCase(ServerTestCase):
    def setUp(self) -> None:
        """Alice, a program, and bob, a person."""
        self.server = self.make_server()
        self.alice = self.server.json("alice")
        self.bob = self.server.text("bob")
        self.server.advance(2)
        self.alice.got()
        self.bob.shown()

    def _alice_sends(self, text: str, chat: str = "GLOBAL", **fields: object) -> None:
        self.alice.ask("send", chat=chat, text=text, **fields)

    def _unread(self, name: str = "bob") -> list[tuple[str, int]]:
        client = self.server.json(name)
        unread = [(chat["chat"], chat["unread"]) for chat in client.welcome["unread"]]
        client.leave()
        return unread

    def _shows(self, *typed: str) -> str:
        self.bob.type(*typed)
        return self.bob.shown()


class CommandTests(_TextTestCase):
    """Lines are commands."""

    def test_messages(self) -> None:
        """Messages of all kinds show their chat from the reader's view. The sender's own are not echoed."""
        self.alice.ask("create_group", name="team", members=["bob"])
        self.bob.shown()
        self._alice_sends("to all")
        self._alice_sends("to bob", "@bob")
        self._alice_sends("to us", "*team")
        self._alice_sends("for 30 s", expires_in=30)
        self.assertEqual(
            self.bob.shown(),
            "[--:--] [GLOBAL #1] alice: to all\n"
            "[--:--] [@alice #1] alice: to bob\n"
            "[--:--] [*team #1] alice: to us\n"
            "[--:--] [GLOBAL] (30s) alice: for 30 s\n",
        )
        self.assertEqual(self._shows("hello", "@alice hello", "*team hello"), "")
        self.assertEqual(
            [(event["chat"], event["text"]) for event in self.alice.told("message")],
            [("GLOBAL", "hello"), ("@bob", "hello"), ("*team", "hello")],
        )

    def test_colours(self) -> None:
        """Output is coloured."""
        self._alice_sends("hi")
        self.assertIn("\x1b[1;", self.bob.read())

    def test_who_comes_and_goes(self) -> None:
        """Users who come and go are shown."""
        carol = self.server.json("carol")
        self.assertEqual(self.bob.shown(), "-- carol connected\n")
        carol.leave()
        self.server.advance(2)
        self.assertEqual(self.bob.shown(), "-- carol disconnected\n")

    def test_errors(self) -> None:
        """Wrong usage is answered with the error and the usage, and the session continues."""
        shown = self._shows("???", "*0* hi", "+nobody team", "@ nobody hi")
        self.assertIn("  usage: ?<words>\n", shown)
        self.assertIn("usage: *<time>* <message>", shown)
        self.assertEqual(shown.count("! "), 4)
        self.assertEqual(self._shows("hello"), "")

    def test_nothing_unread(self) -> None:
        """Asking for unread messages when there are none shows a note."""
        self._alice_sends("hi")
        self.assertIn("alice: hi", self._shows("ls GLOBAL"))
        self.assertEqual(self._shows("ls -n GLOBAL"), "-- GLOBAL: nothing is unread\n")

    def test_replies_in_order(self) -> None:
        """Lines typed faster than the disk works are answered in order."""
        self.server.threads.write.holds = True
        self.bob.type("one", "ls GLOBAL", "!help exit")
        self.assertEqual(self.bob.shown(), "")
        self.server.threads.write.holds = False
        self.server.threads.write.release()
        self.server.turn()
        self.bob.send()
        self.assertEqual(
            [line.split("]")[-1] for line in self.bob.shown().splitlines()],
            ["-- GLOBAL:", " bob: one", "-- end of GLOBAL", "exit  leave"],
        )

    def test_blank_lines(self) -> None:
        """A blank line does nothing, also with a carriage return. Spaces around a line do not matter."""
        self.assertEqual(self._shows("", "  ", "\t", "\r", "  !help exit  \r"), "exit  leave\n")

    def test_bad_encoding(self) -> None:
        """A line that is not UTF-8 is answered, and nothing of it is sent."""
        self.bob.send(b"caf\xe9\n")
        self.assertIn("! This line is not UTF-8.", self.bob.shown())
        self.assertEqual(self.alice.got(), [])

    def test_exit(self) -> None:
        """``exit`` says goodbye and closes."""
        self.assertEqual(self._shows("exit"), "-- goodbye: you left\n")
        self.assertFalse(self.bob.is_open)

    def test_never_reads(self) -> None:
        """A client that types without reading the replies is not read from, and gets them all later."""
        self.bob.socket.room = 0
        self.bob.send(*[b"!help\n" * 100] * 10)
        for _ in range(100):
            self.bob.send()
        self.assertFalse(self.bob.socket.is_read)
        self.bob.socket.room = None
        self.server.turn()
        shown = ""
        while self.bob._unsent or not self.bob.socket.is_read:
            self.bob.send()
            shown += self.bob.shown()
        self.server.turn()
        self.assertEqual((shown + self.bob.shown()).count("leave\n"), 1_000)


class ForgeryTests(SynchronousTestCase):
    """No text can imitate a line of the chat itself."""

    @settings(max_examples=40)
    @given(hostile_text.filter(lambda text: text.strip() and len(text) < 4_000))
    def test_forged_lines(self, text: str) -> None:
        """For any text, only its first line begins a chat line, and no part of it is a command to the terminal."""
        server = Server()
        self.addCleanup(server.close)
        alice, bob = server.json("alice"), server.text("bob")
        alice.got()
        alice.ask("send", chat="GLOBAL", text=text)
        if alice.got()[0]["type"] == "error":
            return  # lone surrogates, or nothing but white space
        first, *others = bob.shown()[:-1].split("\n")
        self.assertTrue(first.startswith("[--:--] [GLOBAL #1] alice: "), first)
        for line in others:
            self.assertTrue(line.startswith("    "), line)
        for line in [first, *others]:
            self.assertFalse([character for character in line if is_hostile(character) and character != "\t"], line)

    def test_forged_line(self) -> None:
        """A text whose second line looks like a message is indented, live and in history."""
        server = Server()
        self.addCleanup(server.close)
        alice, bob = server.json("alice"), server.text("bob")
        alice.ask("send", chat="GLOBAL", text="hi\n[14:00] [GLOBAL] carol: I owe alice money")
        shown = "[--:--] [GLOBAL #1] alice: hi\n    [--:--] [GLOBAL] carol: I owe alice money\n"
        self.assertEqual(bob.shown(), shown)
        bob.type("ls GLOBAL")
        self.assertIn(shown, bob.shown())


class ReadTests(_TextTestCase):
    """Shown messages count as read."""

    def test_after_a_while(self) -> None:
        """Shown messages are saved as read once, a second later. The user's other sessions are notified."""
        program = self.server.json("bob")
        self._alice_sends("one")
        self._alice_sends("two")
        self._alice_sends("three", "@bob")
        self.server.advance(0.9)
        self.assertEqual(program.told("read"), [])
        self.server.advance(0.2)
        self.assertEqual(
            [(event["chat"], event["seq"]) for event in program.told("read")], [("GLOBAL", 2), ("@alice", 1)]
        )
        self._alice_sends("four")
        self.server.advance(1.1)
        self.assertEqual([event["seq"] for event in program.told("read")], [3])

    def test_on_leaving(self) -> None:
        """They are saved at once when the session ends in any way."""
        for leave in lambda person: person.type("exit"), TextClient.leave:
            self.bob = self.server.text("bob")
            self._alice_sends("one")
            leave(self.bob)
            self.assertEqual(self._unread(), [])
            self.server.advance(2)

    def test_timed(self) -> None:
        """A shown timed message is read, although another session would still count it."""
        self._alice_sends("soon gone", expires_in=60)
        self.assertIn("soon gone", self.bob.shown())
        self.assertEqual(self._unread(), [])

    def test_group_that_is_no_more(self) -> None:
        """Shown messages of a dissolved group cause no error."""
        self.bob.type("*alice -> team")
        self._alice_sends("hi", "*team")
        self.bob.type("-bob team")
        self.alice.ask("remove_member", group="team", name="alice")
        self.server.advance(2)
        self.assertEqual(self._unread(), [])

    def test_not_shown(self) -> None:
        """Messages received while the user was away are unread."""
        self.bob.leave()
        self._alice_sends("one")
        self.assertEqual(self._unread(), [("GLOBAL", 1)])


class TimedTests(_TextTestCase):
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


class EndTests(_TextTestCase):
    """After the session."""

    def test_lines_after_the_end(self) -> None:
        """Lines after the end are ignored."""
        self.bob.socket.room = 0
        self.bob.type("exit", "never", "!password")
        self.assertEqual(self.alice.told("message"), [])

    def test_shown_at_the_end(self) -> None:
        """Messages shown just before the end are saved as read at once, and nothing is left to be done later."""
        self._alice_sends("hi")
        self.bob.leave()
        self.assertEqual(self._unread(), [])
        calls = [call for call in self.server.clock.getDelayedCalls() if "_save_marks" in repr(call)]
        self.assertEqual(calls, [])

    def test_stop_in_the_sign_in(self) -> None:
        """A client in the middle of its sign-in learns when the server stops."""
        carol = TextClient(self.server)
        carol.type("carol")
        self.server.connections.stop()
        self.server.turn()
        self.assertTrue(carol.shown().endswith("-- goodbye: the server stops\n"))
        self.assertIsInstance(self.alice, JSONClient)
