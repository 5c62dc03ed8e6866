"""The text protocol after the sign-in: commands, and output that counts as read.

Its sign-in is tested in test_text_sign_in.py, timed messages in test_text_timed.py.
"""

from hypothesis import given, settings
from twisted.trial.unittest import SynchronousTestCase

from tests.helpers.server import JSONClient, Server, ServerTestCase, TextClient
from tests.helpers.strategies import hostile_text, is_hostile


class TextTestCase(ServerTestCase):
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


class CommandTests(TextTestCase):
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


class ReadTests(TextTestCase):
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


class EndTests(TextTestCase):
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
