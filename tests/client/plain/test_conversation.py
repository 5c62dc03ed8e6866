"""The plain client, from the sign-in to the end."""

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.exceptions import ClientError
from irchat.client.plain.conversation import PlainChat
from irchat.client.plain.screens import PlainScreen, TerminalScreen
from irchat.protocol import events, requests
from tests.helpers.client_fakes import FakeEcho, FakeServer, Keyboard, error, message, sent, welcome


class _ChatTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        """Sign in as alice."""
        self.clock = Clock()
        self.keyboard = Keyboard()
        self.server = FakeServer()
        self.screen = self.open_screen()
        nonces = iter("abcdefgh")
        chat = PlainChat(self.clock, self.keyboard.console, self.screen, lambda: next(nonces))
        self.over = Deferred.fromCoroutine(chat.run(self.server.connection, name="alice"))
        self.server.answer(welcome(), events.Chats([]))
        self.welcomed = self.keyboard.shown()

    def open_screen(self) -> PlainScreen:
        """A pipe."""
        return PlainScreen(self.keyboard.console, self.keyboard.errors.append)


class PipeTests(_ChatTestCase):
    """What both a pipe and a terminal do."""

    def test_welcome(self) -> None:
        """Who has signed in is welcomed."""
        self.assertIn("Welcome back, alice.", self.welcomed)

    def test_line(self) -> None:
        """A line typed is sent as it is, each with a nonce of its own, and its reply shown."""
        self.keyboard.type("@bob hi ")
        self.assertEqual(self.server.asked(), [requests.Line(line="@bob hi ", nonce="a")])
        self.server.answer(error("no-such-user", "There is no bob."))
        self.assertEqual(self.keyboard.complaints(), "! There is no bob.")
        self.keyboard.type("~")
        self.assertEqual(self.server.asked(), [requests.Line(line="~", nonce="b")])
        self.server.answer(events.Blocks([]))
        self.assertEqual(self.keyboard.shown(), "-- you block nobody\n")

    def test_nothing_unread(self) -> None:
        """Who asks for what is unread where nothing is, is told so."""
        self.keyboard.type("ls -n @bob")
        self.server.answer(events.History("@bob", [], False))
        self.assertEqual(self.keyboard.shown(), "-- @bob: nothing is unread\n")

    def test_one_after_another(self) -> None:
        """A line waits for the reply to the one before; an empty one is nothing."""
        self.keyboard.type("one", "", "  ", "two")
        self.assertEqual(self.server.asked(), [requests.Line(line="one", nonce="a")])
        self.server.answer(sent(seq=1))
        self.assertEqual(self.server.asked(), [requests.Line(line="two", nonce="b")])

    def test_too_fast(self) -> None:
        """A line that came too fast is sent again a little later, in its place and as the same message."""
        self.keyboard.type("one", "two")
        self.server.answer(error("too-fast"))
        self.assertEqual(self.server.asked(), [])
        self.clock.advance(0.5)
        self.assertEqual(self.server.asked(), [requests.Line(line="one", nonce="a")])
        self.server.answer(sent(seq=1))
        self.assertEqual(self.server.asked(), [requests.Line(line="two", nonce="b")])
        self.assertEqual(self.keyboard.complaints(), "")

    def test_too_long(self) -> None:
        """A line that is too long as a request is not sent, for no reply would tell of it."""
        self.keyboard.type("\x01" * 60_000, "next")
        self.assertIn("too long", self.keyboard.complaints())
        self.assertEqual(self.server.asked(), [requests.Line(line="next", nonce="b")])

    def test_unknown_reply(self) -> None:
        """A reply that this client does not know is not shown, and the chat goes on."""
        self.keyboard.type("one", "two")
        self.server.asked()
        self.server.raw(b'{"type":"hologram","ref":3}\n')
        self.assertEqual(self.server.asked(), [requests.Line(line="two", nonce="b")])

    def test_events(self) -> None:
        """What others say is shown as it comes."""
        self.server.tell(message("hello"))
        self.assertIn("bob: hello", self.keyboard.shown())

    def test_shown_is_read(self) -> None:
        """What was shown counts as read before the next line, ``ls`` perhaps, and before the end."""
        self.server.tell(message("hello", seq=7))
        self.keyboard.type("ls")
        self.assertEqual(
            self.server.asked(), [requests.Read(chat="GLOBAL", seq=7), requests.Line(line="ls", nonce="a")]
        )
        self.server.answer(events.Ok(), events.Chats([]))
        self.server.tell(message("hello", seq=8))
        self.keyboard.end()
        self.assertEqual(self.server.asked(), [requests.Read(chat="GLOBAL", seq=8), requests.Logout()])

    def test_shown_is_read_when_interrupted(self) -> None:
        """What was shown counts as read also where the chat is interrupted."""
        self.server.tell(message("hello", seq=7))
        self.over.cancel()
        self.failureResultOf(self.over, CancelledError)
        self.assertEqual(self.server.asked(), [requests.Read(chat="GLOBAL", seq=7)])

    def test_exit(self) -> None:
        """``exit`` ends the chat in good order."""
        self.keyboard.type("exit")
        self.server.answer(events.Bye("you left"))
        self.successResultOf(self.over)
        self.assertEqual(self.keyboard.shown(), "-- goodbye: you left\n")

    def test_end_of_input(self) -> None:
        """At the end of the input the replies still out are awaited, then the session ends."""
        self.keyboard.type("one")
        self.keyboard.end()
        self.assertEqual(self.server.asked(), [requests.Line(line="one", nonce="a")])
        self.server.answer(sent(seq=1))
        self.assertEqual(self.server.asked(), [requests.Logout()])
        self.assertNoResult(self.over)
        self.server.answer(events.Bye("you left"))
        self.successResultOf(self.over)

    def test_server_goes(self) -> None:
        """A server that goes away ends the chat, whether a line or a reply is waited for, after what it said."""
        self.server.tell(events.Bye("the server stops"))
        self.server.lose(ConnectionDone())
        self.assertIn("has gone away", self.failureResultOf(self.over, ClientError).value.text)
        self.assertEqual(self.keyboard.shown(), "-- goodbye: the server stops\n")
        self.setUp()
        self.keyboard.type("one")
        self.server.lose(ConnectionDone())
        self.assertIn("has gone away", self.failureResultOf(self.over, ClientError).value.text)

    def test_slow_output(self) -> None:
        """Output that nobody reads holds back the server."""
        self.assertIs(self.keyboard.transport.producer, self.server.connection)

    def test_password_is_a_line(self) -> None:
        """``!password`` through a pipe is for the server to explain."""
        self.keyboard.type("!password")
        self.assertEqual(self.server.asked(), [requests.Line(line="!password", nonce="a")])


class TerminalTests(_ChatTestCase):
    """What only a terminal does."""

    def open_screen(self) -> PlainScreen:
        """A terminal."""
        self.echo = FakeEcho()
        return TerminalScreen(
            self.keyboard.console, self.keyboard.errors.append, self.clock, self.echo, colour=False, errors_apart=False
        )

    def paste(self, *lines: str) -> None:
        """Paste lines, which come in one read."""
        self.keyboard.console.dataReceived("".join(f"{line}\n" for line in lines).encode())

    def test_habits(self) -> None:
        """A line of another chat's habits is not sent, and its form here is shown; the same once more is text."""
        self.keyboard.type("/msg bob secret")
        self.assertEqual(self.server.asked(), [])
        self.assertIn("@bob secret", self.keyboard.shown())
        self.keyboard.type("/msg bob secret")
        self.assertEqual(self.server.asked(), [requests.Line(line="\\/msg bob secret", nonce="a")])
        self.server.answer(sent(seq=1))
        self.keyboard.type("quit", "hello", "quit")
        self.assertEqual(self.server.asked(), [requests.Line(line="hello", nonce="b")])

    def test_pasted_habits(self) -> None:
        """Lines that arrive together confirm nothing: the same line counts when it is typed after the hint."""
        self.paste("/msg bob secret", "/msg bob secret", "/msg bob secret")
        self.assertEqual(self.server.asked(), [])
        self.assertEqual(self.keyboard.shown().count("Not sent."), 3)
        self.keyboard.type("/msg bob secret")
        self.assertEqual(self.server.asked(), [requests.Line(line="\\/msg bob secret", nonce="a")])

    def test_pasted_habits_in_the_terminal(self) -> None:
        """A line that the terminal still holds when the hint is shown confirms nothing either."""
        self.echo.held = True
        self.keyboard.type("quit")
        self.echo.held = False
        self.keyboard.type("quit")
        self.assertEqual(self.server.asked(), [])
        self.keyboard.type("quit")
        self.assertEqual(self.server.asked(), [requests.Line(line="\\quit", nonce="a")])

    def test_pasted_while_a_reply_is_awaited(self) -> None:
        """Lines typed ahead of a reply confirm nothing, and none of them is lost."""
        self.keyboard.type("one", "quit", "quit", "two")
        self.assertEqual(self.server.asked(), [requests.Line(line="one", nonce="a")])
        self.server.answer(sent(seq=1))
        self.assertEqual(self.server.asked(), [requests.Line(line="two", nonce="b")])
        self.assertEqual(self.keyboard.shown().count("Not sent."), 2)

    def test_answers_pasted_ahead(self) -> None:
        """Lines that came in one read with ``!password`` are no answers to its questions."""
        self.paste("!password", "old one", "new password", "new password")
        self.assertEqual(self.server.asked(), [])
        self.keyboard.type("old one", "new password", "new password")
        self.assertEqual(self.server.asked(), [requests.Password(old="old one", new="new password")])

    def test_question_broken_off(self) -> None:
        """Ctrl-C in a question of ``!password`` leaves the dialogue; the next line is a line again, and is echoed."""
        for answers in [], ["old one"], ["old one", "new password"]:
            self.keyboard.type("!password", *answers)
            self.assertTrue(self.screen.cancel())
            self.assertIn("cancelled: the password is unchanged", self.keyboard.shown())
            self.assertFalse(self.screen.cancel())
            self.assertTrue(self.echo.is_on)
        discarded = self.echo.discarded
        self.screen.restore()  # nothing is left of a password
        self.assertEqual(self.echo.discarded, discarded)
        self.keyboard.type("hello")
        self.assertEqual(self.server.asked(), [requests.Line(line="hello", nonce="a")])

    def test_refused_timed_line(self) -> None:
        """A timed message that was refused has no end, so its line is not shown again."""
        self.keyboard.type("*3@nobody SECRET")
        self.server.answer(error("no-such-user"))
        self.keyboard.type("*3*team other")
        self.server.answer(sent(id="t1", left_ms=3000, reached=1, of=2))
        self.keyboard.shown()
        self.clock.advance(3)
        shown = self.keyboard.shown()
        self.assertIn("no-such-user", shown)
        self.assertNotIn("SECRET", shown)

    def test_connected(self) -> None:
        """A person is told whose server it is."""
        self.assertIn("-- connected to Test\r\n", self.welcomed)

    def test_timed(self) -> None:
        """The line that sent a timed message goes at its end, without a word from the server."""
        self.keyboard.type("*3*team SECRET")
        self.server.answer(sent(id="t1", left_ms=3000, reached=1, of=2))
        self.assertIn("1 of 2 have it now", self.keyboard.shown())
        self.server.lose(ConnectionDone())
        self.failureResultOf(self.over, ClientError)
        self.clock.advance(3)
        shown = self.keyboard.shown()
        self.assertIn("\x1b[3J", shown)
        self.assertNotIn("SECRET", shown)

    def test_password(self) -> None:
        """``!password`` asks for the old and, twice, for the new one; what is wrong is said."""
        self.keyboard.type(" !password", "old one", "new password", "new password")
        self.assertEqual(self.server.asked(), [requests.Password(old="old one", new="new password")])
        self.server.answer(error("bad-credentials", "The old one is wrong."))
        self.assertIn("! The old one is wrong.", self.keyboard.shown())
        self.keyboard.type("!password", "old one", "new password", "new password")
        self.server.answer(events.Ok())
        shown = self.keyboard.shown()
        self.assertIn("your password is changed", shown)
        self.assertNotIn("new password\r", shown)

    def test_passwords_differ(self) -> None:
        """Two new passwords that differ change nothing."""
        self.keyboard.type("!password", "old one", "new password", "other password")
        self.assertIn("differ", self.keyboard.shown())
        self.assertEqual(self.server.asked(), [])

    def test_password_unknown_reply(self) -> None:
        """A reply that this client does not know claims no success."""
        self.keyboard.type("!password", "old one", "new password", "new password")
        self.server.asked()
        self.server.raw(b'{"type":"hologram","ref":3}\n')
        self.assertNotIn("changed", self.keyboard.shown())

    def test_end_of_input_in_dialogue(self) -> None:
        """The end of the input in the middle of the dialogue leaves the password and the chat."""
        self.keyboard.type("!password", "old one")
        self.keyboard.end()
        self.assertEqual(self.server.asked(), [requests.Logout()])
