"""The plain client, from the sign-in to the end."""

from collections.abc import Awaitable

import msgspec
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.connect.request_channel import RequestChannel
from irchat.client.connect.sign_in import SignIn
from irchat.client.exceptions import ClientError
from irchat.client.plain.conversation import PlainChat
from irchat.client.plain.screens import PlainScreen, TerminalScreen
from irchat.protocol import events, requests
from irchat.system.clock import rfc3339
from irchat.system.times import start_of_day
from tests.helpers.client_fakes import AT, FakeEcho, FakeServer, Keyboard, amended, error, message, sent, welcome


class _ChatTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        """Sign in as alice."""
        self.clock = Clock()
        self.keyboard = Keyboard()
        self.server = FakeServer()
        self.screen = self.open_screen()
        nonces = iter("abcdefgh")
        chat = PlainChat(self.clock, self.keyboard.console, self.screen, lambda: next(nonces), lambda: 0.5)
        self.forgotten: list[bool] = []
        talk = chat.run(lambda: succeed(self.server.connection), self.sign_in, lambda: self.forgotten.append(True))
        self.over = Deferred.fromCoroutine(talk)
        self.server.answer(welcome(), events.Chats([]))
        self.welcomed = self.keyboard.shown()

    def sign_in(self, channel: RequestChannel) -> "Awaitable[events.Welcome]":
        """Sign in by name."""
        return SignIn(channel, self.screen).run("alice")

    def open_screen(self) -> PlainScreen:
        """A chat through a pipe."""
        return PlainScreen(self.keyboard.console, self.keyboard.errors.append)


class PipeTests(_ChatTestCase):
    """Behaviour shared by pipes and terminals."""

    def test_welcome(self) -> None:
        """A sign-in shows the welcome."""
        self.assertIn("Welcome back, alice.", self.welcomed)

    def test_line(self) -> None:
        """A typed line is sent unchanged, with its own nonce, and its reply is shown."""
        self.keyboard.type("@bob hi ")
        self.assertEqual(self.server.asked(), [requests.Line(line="@bob hi ", nonce="a")])
        self.server.answer(error("no-such-user", "There is no bob."))
        self.assertEqual(self.keyboard.complaints(), "! There is no bob.")
        self.keyboard.type("~")
        self.assertEqual(self.server.asked(), [requests.Line(line="~", nonce="b")])
        self.server.answer(events.Blocks([]))
        self.assertEqual(self.keyboard.shown(), "-- you block nobody\n")

    def test_nothing_unread(self) -> None:
        """Asking for unread messages when there are none shows a note."""
        self.keyboard.type("ls -n @bob")
        self.server.answer(events.History("@bob", [], False))
        self.assertEqual(self.keyboard.shown(), "-- @bob: nothing is unread\n")

    def test_one_after_another(self) -> None:
        """A line waits for the reply to the previous one. Empty lines are ignored."""
        self.keyboard.type("one", "", "  ", "two")
        self.assertEqual(self.server.asked(), [requests.Line(line="one", nonce="a")])
        self.server.answer(sent(seq=1))
        self.assertEqual(self.server.asked(), [requests.Line(line="two", nonce="b")])

    def test_too_fast(self) -> None:
        """A line refused as too-fast is repeated a little later, in order and with the same nonce."""
        self.keyboard.type("one", "two")
        self.server.answer(error("too-fast"))
        self.assertEqual(self.server.asked(), [])
        self.clock.advance(0.5)
        self.assertEqual(self.server.asked(), [requests.Line(line="one", nonce="a")])
        self.server.answer(sent(seq=1))
        self.assertEqual(self.server.asked(), [requests.Line(line="two", nonce="b")])
        self.assertEqual(self.keyboard.complaints(), "")

    def test_too_long(self) -> None:
        """A line too long for a request is not sent, because no reply would refer to it."""
        self.keyboard.type("\x01" * 60_000, "next")
        self.assertIn("too long", self.keyboard.complaints())
        self.assertEqual(self.server.asked(), [requests.Line(line="next", nonce="b")])

    def test_unknown_reply(self) -> None:
        """A reply of an unknown type is not shown, and the chat continues."""
        self.keyboard.type("one", "two")
        self.server.asked()
        self.server.raw(b'{"type":"hologram","ref":3}\n')
        self.assertEqual(self.server.asked(), [requests.Line(line="two", nonce="b")])

    def test_events(self) -> None:
        """Messages of others are shown as they arrive."""
        self.server.tell(message("hello"))
        self.assertIn("bob: hello", self.keyboard.shown())

    def test_shown_is_read(self) -> None:
        """Shown messages count as read before the next line, which may be ``ls``, and before the end."""
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
        """Shown messages count as read even if the chat is interrupted."""
        self.server.tell(message("hello", seq=7))
        self.over.cancel()
        self.failureResultOf(self.over, CancelledError)
        self.assertEqual(self.server.asked(), [requests.Read(chat="GLOBAL", seq=7)])

    def test_last_message(self) -> None:
        """``#-`` and ``#=`` are about one's last message that is shown in that chat, by its number or id."""
        self.server.tell(message("from my other session", sender="alice", chat="@bob", seq=4))
        self.server.tell(message("from bob", chat="@bob", seq=5))
        self.keyboard.type("hello")
        self.server.answer(events.Ok(), sent(seq=7))
        self.keyboard.type("#= hello all")
        self.assertEqual(self.server.asked(), [requests.Amend(chat="GLOBAL", seq=7, text="hello all")])
        self.server.answer(amended(seq=7, by="alice", text="hello all", edited=AT))
        self.assertEqual(self.keyboard.shown().splitlines()[-1], "-- edited GLOBAL #7")
        self.keyboard.type("@Bob #-")
        *_, request = self.server.asked()
        self.assertEqual(request, requests.Amend(chat="@Bob", seq=4, delete=True))

    def test_no_last_message(self) -> None:
        """Where no message of one's own is shown, the error says how to see their numbers, and nothing is sent."""
        self.keyboard.type("*team #-")
        self.assertEqual(self.server.asked(), [])
        self.assertIn("ls *team shows the messages with their numbers", self.keyboard.complaints())

    def test_last_message_unconfirmed(self) -> None:
        """After a message without a readable reply, the last one is not known until the chat is shown."""
        self.keyboard.type("one")
        self.server.answer(sent(seq=1))
        self.keyboard.type("two")
        self.server.asked()
        self.server.raw(b'{"type":"hologram","ref":4}\n')
        self.keyboard.type("#-")
        self.assertEqual(self.server.asked(), [])
        self.assertIn("not confirmed", self.keyboard.complaints())

    def test_marks(self) -> None:
        """Marks of others are shown on one's own messages alone, and every reply to a mark of one's own."""
        self.keyboard.type("hello")
        self.server.answer(sent(seq=7))
        self.server.tell(amended(seq=7, mark="ok", on=True))
        self.server.tell(amended(seq=8, mark="no", on=True))
        self.assertEqual(self.keyboard.shown(), "-- bob: ok on GLOBAL #7\n")
        self.keyboard.type("#8+ok")
        self.assertEqual(self.server.asked(), [requests.Line(line="#8+ok", nonce="b")])
        self.server.answer(amended(seq=8, by="alice", mark="ok", on=True))
        self.assertEqual(self.keyboard.shown(), "-- ok on GLOBAL #8\n")

    def test_shown_alone(self) -> None:
        """A number alone shows the marks of that message."""
        self.keyboard.type("#7")
        marked = message("hi", seq=7, marks=[events.Mark("ok", 1, ["carol"], False)])
        self.server.answer(events.History("GLOBAL", [marked], False))
        self.assertIn("-- #7 ok 1: carol\n", self.keyboard.shown())

    def test_day(self) -> None:
        """A day begins in the time zone here, not in that of the server."""
        self.keyboard.type("ls *team 2026-03-01")
        since = rfc3339(start_of_day("2026-03-01"))
        self.assertEqual(self.server.asked(), [requests.History(chat="*team", since=since)])

    def test_older_server(self) -> None:
        """A line that an older server would take for a message is refused, with the way to send it."""
        self.keyboard = Keyboard()
        self.server = FakeServer()
        chat = PlainChat(self.clock, self.keyboard.console, self.open_screen(), lambda: "n", lambda: 0.5)
        Deferred.fromCoroutine(chat.run(lambda: succeed(self.server.connection), self.sign_in))
        self.server.answer(msgspec.structs.replace(welcome(), features=[]), events.Chats([]))
        self.keyboard.type("#7-", "#7+ok", "?@", "!set *team", "#-", "ls *team 2026-03-01")
        self.assertEqual(self.server.asked(), [])
        self.assertEqual(self.keyboard.complaints().count("This server is older"), 6)

    def test_exit(self) -> None:
        """``exit`` ends the chat in good order."""
        self.keyboard.type("exit")
        self.server.answer(events.Bye("you left"))
        self.successResultOf(self.over)
        self.assertEqual(self.keyboard.shown(), "-- goodbye: you left\n")

    def test_end_of_input(self) -> None:
        """At the end of the input, pending replies are awaited before the session ends."""
        self.keyboard.type("one")
        self.keyboard.end()
        self.assertEqual(self.server.asked(), [requests.Line(line="one", nonce="a")])
        self.server.answer(sent(seq=1))
        self.assertEqual(self.server.asked(), [requests.Logout()])
        self.assertNoResult(self.over)
        self.server.answer(events.Bye("you left"))
        self.successResultOf(self.over)

    def test_server_goes(self) -> None:
        """A lost server ends the chat, waiting for a line or a reply, after showing its last events."""
        self.server.tell(events.Bye("the server stops"))
        self.server.lose(ConnectionDone())
        self.assertIn("has gone away", self.failureResultOf(self.over, ClientError).value.text)
        self.assertEqual(self.keyboard.shown(), "-- goodbye: the server stops\n")
        self.setUp()
        self.keyboard.type("one")
        self.server.lose(ConnectionDone())
        self.assertIn("has gone away", self.failureResultOf(self.over, ClientError).value.text)

    def test_slow_output(self) -> None:
        """Blocked output pauses the server."""
        self.assertIs(self.keyboard.transport.producer, self.server.connection)

    def test_password_in_a_pipe(self) -> None:
        """In a pipe, ``!password`` ends the client, because the next lines are passwords, and no messages."""
        for line in "!password", "!password old":
            self.setUp()
            self.keyboard.type("ls", line, "old one", "new one")
            self.server.answer(events.Chats([]))
            self.assertEqual(self.server.asked(), [])
            self.assertIn("needs a terminal", self.failureResultOf(self.over, ClientError).value.text)

    def test_forget_in_a_pipe(self) -> None:
        """``exit --forget`` ends the sign-in as it does on a terminal, and is no message."""
        self.keyboard.type("exit --forget", "never sent")
        self.assertEqual(self.server.asked(), [requests.Logout(forget=True)])
        self.server.answer(events.Bye("goodbye"))
        self.successResultOf(self.over)
        self.assertEqual(self.forgotten, [True])


class TerminalTests(_ChatTestCase):
    """Behaviour of terminals alone."""

    def open_screen(self) -> PlainScreen:
        """Open a chat on a terminal."""
        self.echo = FakeEcho()
        return TerminalScreen(
            self.keyboard.console, self.keyboard.errors.append, self.clock, self.echo, colour=False, errors_apart=False
        )

    def paste(self, *lines: str) -> None:
        """Paste lines, which arrive in one read."""
        self.keyboard.console.dataReceived("".join(f"{line}\n" for line in lines).encode())

    def test_forget(self) -> None:
        """``exit --forget`` ends the sign-in on the server, then the saved one, and leaves."""
        self.keyboard.type("exit --forget")
        self.assertEqual((self.server.asked(), self.forgotten), ([requests.Logout(forget=True)], []))
        self.server.answer(events.Bye("goodbye"))
        self.successResultOf(self.over)
        self.assertEqual(self.forgotten, [True])

    def test_habits(self) -> None:
        """A command of other chats is not sent, and its form here is shown. Repeating the line sends it as text."""
        self.keyboard.type("/msg bob secret")
        self.assertEqual(self.server.asked(), [])
        self.assertIn("@bob secret", self.keyboard.shown())
        self.keyboard.type("/msg bob secret")
        self.assertEqual(self.server.asked(), [requests.Line(line="\\/msg bob secret", nonce="a")])
        self.server.answer(sent(seq=1))
        self.keyboard.type("quit", "hello", "quit")
        self.assertEqual(self.server.asked(), [requests.Line(line="hello", nonce="b")])

    def test_pasted_habits(self) -> None:
        """Lines that arrive together confirm nothing: the repeated line must be typed after the hint."""
        self.paste("/msg bob secret", "/msg bob secret", "/msg bob secret")
        self.assertEqual(self.server.asked(), [])
        self.assertEqual(self.keyboard.shown().count("Not sent."), 3)
        self.keyboard.type("/msg bob secret")
        self.assertEqual(self.server.asked(), [requests.Line(line="\\/msg bob secret", nonce="a")])

    def test_pasted_habits_in_the_terminal(self) -> None:
        """A line that the terminal holds when the hint appears confirms nothing either."""
        self.echo.held = True
        self.keyboard.type("quit")
        self.echo.held = False
        self.keyboard.type("quit")
        self.assertEqual(self.server.asked(), [])
        self.keyboard.type("quit")
        self.assertEqual(self.server.asked(), [requests.Line(line="\\quit", nonce="a")])

    def test_pasted_while_a_reply_is_awaited(self) -> None:
        """Lines typed before a reply confirm nothing, and none is lost."""
        self.keyboard.type("one", "quit", "quit", "two")
        self.assertEqual(self.server.asked(), [requests.Line(line="one", nonce="a")])
        self.server.answer(sent(seq=1))
        self.assertEqual(self.server.asked(), [requests.Line(line="two", nonce="b")])
        self.assertEqual(self.keyboard.shown().count("Not sent."), 2)

    def test_answers_pasted_ahead(self) -> None:
        """Lines in the same read as ``!password`` do not answer its questions."""
        self.paste("!password", "old one", "new password", "new password")
        self.assertEqual(self.server.asked(), [])
        self.keyboard.type("old one", "new password", "new password")
        self.assertEqual(self.server.asked(), [requests.Password(old="old one", new="new password")])

    def test_question_broken_off(self) -> None:
        """Ctrl-C at a question of ``!password`` cancels it. The next line is an ordinary line, and is echoed."""
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
        """A refused timed message has no end, so its line is not shown again."""
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
        """The user sees the name of the server."""
        self.assertIn("-- connected to Test\r\n", self.welcomed)

    def test_timed(self) -> None:
        """The line of a sent timed message disappears at its end, without the server."""
        self.keyboard.type("*3*team SECRET")
        self.server.answer(sent(id="t1", left_ms=3000, reached=1, of=2))
        self.assertIn("1 of 2 have it now", self.keyboard.shown())
        self.server.lose(ConnectionDone())
        self.assertNoResult(self.over)
        self.clock.advance(3)
        shown = self.keyboard.shown()
        self.assertIn("\x1b[3J", shown)
        self.assertNotIn("SECRET", shown)

    def test_password(self) -> None:
        """``!password`` asks for the old password and twice for the new one, and reports errors."""
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
        """A reply of an unknown type is not reported as success."""
        self.keyboard.type("!password", "old one", "new password", "new password")
        self.server.asked()
        self.server.raw(b'{"type":"hologram","ref":3}\n')
        self.assertNotIn("changed", self.keyboard.shown())

    def test_end_of_input_in_dialogue(self) -> None:
        """The end of the input in the dialogue keeps the password and ends the chat."""
        self.keyboard.type("!password", "old one")
        self.keyboard.end()
        self.assertEqual(self.server.asked(), [requests.Logout()])
