"""The output to users: pipes, terminals, and expiring timed messages."""

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.exceptions import ClientError, InputEnded
from irchat.client.plain.screens import AskingScreen, PlainScreen, TerminalScreen
from irchat.protocol import events
from irchat.rendering.transcript import CLEAR
from tests.helpers.client_fakes import FakeEcho, Keyboard, amended, message, sent

_SECRET = "the secret text"


class PipeTests(SynchronousTestCase):
    """A pipe: plain text."""

    def setUp(self) -> None:
        """Open a pipe."""
        self.keyboard = Keyboard()
        self.screen = PlainScreen(self.keyboard.console, self.keyboard.errors.append)

    def test_show(self) -> None:
        """A message is shown without colours and control characters."""
        self.screen.show(message("hi\x1b[2J"))
        self.assertRegex(self.keyboard.shown(), r"\A\[\d\d:00\] \[GLOBAL\] bob: hi\u241b\[2J\n\Z")

    def test_timed_is_withheld(self) -> None:
        """Timed text is not shown, because it would stay at the other end of the pipe."""
        self.screen.show(message(_SECRET, id="t1", left_ms=5000))
        self.screen.sent("*5* hi", sent(id="t2", left_ms=5000))
        shown = self.keyboard.shown()
        self.assertIn("timed message", shown)
        self.assertNotIn(_SECRET, shown)

    def test_errors(self) -> None:
        """Errors go to standard error."""
        self.screen.show(events.Error("bad-time", "Too long.", "*<time>* <message>"))
        self.screen.complain("One\x1b.\nTwo.")
        self.assertEqual(self.keyboard.shown(), "")
        self.assertEqual(self.keyboard.complaints(), "! Too long.\n  usage: *<time>* <message>\n! One\u241b.\n! Two.")

    def test_notes(self) -> None:
        """Notes and questions are only for people."""
        self.screen.note("connected")
        answer = Deferred.fromCoroutine(self.screen.ask("Your name: "))
        self.keyboard.type("alice")
        self.assertEqual(self.successResultOf(answer), "alice")
        self.screen.finish(interrupted=True)
        self.assertEqual(self.keyboard.shown(), "")

    def test_unreadable_lines(self) -> None:
        """A line that is too long or not UTF-8 is reported and skipped."""
        line = Deferred.fromCoroutine(self.screen.read())
        self.keyboard.console.dataReceived(b"caf\xe9\n")
        self.assertIn("not UTF-8", self.keyboard.complaints())
        self.keyboard.type("x" * 70_000)
        self.assertIn("longer than 65,536 bytes", self.keyboard.complaints())
        self.keyboard.type("café")
        self.assertEqual(self.successResultOf(line), "café")

    def test_end(self) -> None:
        """At the end of the input there is no line and no answer."""
        self.keyboard.end()
        self.assertIsNone(self.successResultOf(Deferred.fromCoroutine(self.screen.read())))
        self.failureResultOf(Deferred.fromCoroutine(self.screen.ask("Your name: ")), InputEnded)


class AskingTests(SynchronousTestCase):
    """A terminal while standard output is redirected."""

    def setUp(self) -> None:
        """Open it."""
        self.keyboard = Keyboard()
        self.echo = FakeEcho()
        self.screen = AskingScreen(self.keyboard.console, self.keyboard.errors.append, self.echo)

    def test_what_goes_where(self) -> None:
        """Messages go to the output, without timed text; questions and notes go to the terminal."""
        self.screen.note("connected\x1b")
        self.screen.show(message("hi"))
        self.screen.show(message("psst", id="t", left_ms=1_000))
        self.screen.show(events.Error("bad-time", "Too long."))
        answer = Deferred.fromCoroutine(self.screen.ask("Trust this server? [yes/no] "))
        self.assertTrue(self.echo.is_on)
        self.keyboard.type("yes")
        self.assertEqual(self.successResultOf(answer), "yes")
        shown = self.keyboard.shown()
        self.assertIn("bob: hi\n", shown)
        for other in "psst", "connected", "Trust", "Too long":
            self.assertNotIn(other, shown)
        self.assertEqual(self.echo.written, ["-- connected\u241b\n", "Trust this server? [yes/no] "])
        self.assertEqual(self.keyboard.complaints(), "! Too long.")

    def test_broken_off(self) -> None:
        """After a cancelled question the echo stays off until the next one, and the text typed for it is discarded."""
        answer = Deferred.fromCoroutine(self.screen.ask("Password: ", secret=True))
        self.keyboard.console.break_off(ClientError("gone"))
        self.failureResultOf(answer, ClientError)
        self.screen.finish(interrupted=True)
        self.assertEqual((self.echo.is_on, self.echo.discarded), (False, 1))
        self.screen.restore()
        self.assertEqual((self.echo.is_on, self.echo.discarded), (True, 2))


class TerminalTests(SynchronousTestCase):
    """A terminal: colours, questions, and expiring timed messages."""

    def setUp(self) -> None:
        """Open a terminal."""
        self.clock = Clock()
        self.keyboard = Keyboard()
        self.echo = FakeEcho()
        self.screen = self._screen(errors_apart=False)

    def _screen(self, *, errors_apart: bool) -> TerminalScreen:
        return TerminalScreen(
            self.keyboard.console,
            self.keyboard.errors.append,
            self.clock,
            self.echo,
            colour=False,
            errors_apart=errors_apart,
        )

    def _type(self, line: str) -> None:
        read = Deferred.fromCoroutine(self.screen.read())
        self.keyboard.type(line)
        self.assertEqual(self.successResultOf(read), line)

    def _ask(self, question: str, *, secret: bool = False) -> Deferred[str]:
        return Deferred.fromCoroutine(self.screen.ask(question, secret=secret))

    def _reprint(self) -> str:
        """Return the content of the terminal after it was cleared. Fail if it was not."""
        _, clear, after = self.keyboard.shown().rpartition(CLEAR)
        self.assertEqual(clear, CLEAR)
        return after

    def test_colour(self) -> None:
        """Names have colours if colours are on."""
        screen = TerminalScreen(
            self.keyboard.console, self.keyboard.errors.append, self.clock, self.echo, colour=True, errors_apart=False
        )
        screen.show(message("hi"))
        self.assertIn("\x1b[", self.keyboard.shown())

    def test_errors(self) -> None:
        """Errors appear on the terminal, or on standard error if that is redirected."""
        self.screen.complain("Wrong.")
        self.assertEqual((self.keyboard.shown(), self.keyboard.complaints()), ("! Wrong.\r\n", ""))
        self._screen(errors_apart=True).complain("Wrong.")
        self.assertEqual((self.keyboard.shown(), self.keyboard.complaints()), ("", "! Wrong."))

    def test_nothing_to_show(self) -> None:
        """An event without a visible form writes nothing."""
        self.screen.show(events.Read("GLOBAL", 5))
        self.assertEqual(self.keyboard.shown(), "")

    def test_question(self) -> None:
        """A question and its answer are visible. Then the echo is off until the next line is read."""
        answer = self._ask("Your name: ")
        self.assertEqual((self.keyboard.shown(), self.echo.is_on), ("Your name: ", True))
        self.keyboard.type("alice")
        self.assertEqual((self.successResultOf(answer), self.echo.is_on), ("alice", False))
        self._type("hello")
        self.assertTrue(self.echo.is_on)

    def test_secret(self) -> None:
        """A password is not echoed, and not part of a reprint."""
        answer = self._ask("Password: ", secret=True)
        self.assertFalse(self.echo.is_on)
        self.keyboard.type("hunter22")
        self.assertEqual((self.successResultOf(answer), self.echo.is_on), ("hunter22", False))
        self.assertEqual(self.keyboard.shown(), "Password: \n")
        self.screen.show(message(_SECRET, id="t1", left_ms=1000))
        self.clock.advance(1)
        self.assertEqual(self._reprint(), "Password: \r\n")

    def test_typed_ahead_of_a_question(self) -> None:
        """Text typed before a question does not answer it, and text typed during it is not a later line."""
        self.keyboard.type("meant for the chat")
        answer = self._ask("Password: ", secret=True)
        self.assertNoResult(answer)
        self.keyboard.type("hunter22", "hunter22")
        self.assertEqual(self.successResultOf(answer), "hunter22")
        line = Deferred.fromCoroutine(self.screen.read())
        self.assertNoResult(line)
        self.assertEqual(self.echo.discarded, 2)

    def test_unanswered(self) -> None:
        """An unread part of a password is discarded, and the echo stays off until the client has ended."""
        self.failureResultOf(self._broken_off(), ClientError)
        self.screen.finish(interrupted=False)
        self.assertEqual((self.echo.is_on, self.echo.discarded), (False, 1))
        self.screen.restore()
        self.assertEqual((self.echo.is_on, self.echo.discarded), (True, 2))

    def _broken_off(self) -> Deferred[str]:
        answer = self._ask("Old password: ", secret=True)
        self.keyboard.console.break_off(ClientError("gone"))
        return answer

    def test_message_during_question(self) -> None:
        """Output during a question appears above the question."""
        self._ask("Password: ", secret=True)
        self.screen.note("bob connected")
        self.assertEqual(self.keyboard.shown(), "Password: \r\x1b[K-- bob connected\r\nPassword: ")

    def test_question_at_the_end(self) -> None:
        """If the input ends instead of an answer, the next output begins on a new line."""
        answer = self._ask("Your name: ")
        self.keyboard.end()
        self.failureResultOf(answer, InputEnded)
        self.assertEqual(self.keyboard.shown(), "Your name: \n")

    def test_question_broken_off(self) -> None:
        """If the connection ends instead of an answer, the error is on its own line."""
        answer = self._ask("Password: ", secret=True)
        self.keyboard.console.break_off(ClientError("gone"))
        self.failureResultOf(answer, ClientError)
        self.screen.complain("gone")
        self.assertEqual(self.keyboard.shown(), "Password: \n! gone\r\n")

    def test_end_of_lines(self) -> None:
        """The end of the input is not a line."""
        self.keyboard.end()
        self.assertIsNone(self.successResultOf(Deferred.fromCoroutine(self.screen.read())))

    def test_erased_by_own_clock(self) -> None:
        """A timed message disappears at its end by our clock. Everything else is reprinted, including typed text."""
        self._type("hello")
        self.screen.show(message("stays"))
        self.screen.show(message(_SECRET, id="t1", left_ms=3000))
        self.assertIn(_SECRET, self.keyboard.shown())
        self.clock.advance(2.9)
        self.assertEqual(self.keyboard.shown(), "")
        self.clock.advance(0.1)
        shown = self._reprint()
        self.assertIn("stays", shown)
        self.assertTrue(shown.startswith("hello\r\n"))
        self.assertNotIn(_SECRET, shown)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_erased_by_server(self) -> None:
        """A timed message disappears when the server says so, and its end by our clock causes no second reprint."""
        self.screen.show(message(_SECRET, id="t1", left_ms=30_000))
        self.screen.show(events.Erased("GLOBAL", "t1"))
        self.clock.advance(0)
        self.assertNotIn(_SECRET, self._reprint())
        self.clock.advance(60)
        self.assertEqual(self.keyboard.shown(), "")

    def test_erased_that_was_not_shown(self) -> None:
        """The end of an unknown message is ignored."""
        self.screen.show(events.Erased("GLOBAL", "t9"))
        self.clock.advance(1)
        self.assertEqual(self.keyboard.shown(), "")

    def test_typed_line_goes_too(self) -> None:
        """The typed line of a timed message disappears with it. The line of a failed one stays."""
        self._type("*3*nobody failed")
        self._type(f"*3*team {_SECRET}")
        self.screen.sent(f"*3*team {_SECRET}", sent(id="t1", left_ms=3000))
        self.clock.advance(3)
        self.assertEqual(self._reprint(), "*3*nobody failed\r\n")

    def test_stored_messages_stay(self) -> None:
        """The line of a message without an end stays."""
        self._type("hello")
        self.screen.sent("hello", sent(seq=1))
        self.clock.advance(1_000_000)
        self.assertEqual(self.keyboard.shown(), "")

    def test_history(self) -> None:
        """Timed messages in a page of history disappear too, at the earliest end received."""
        self.screen.show(message(_SECRET, id="t1", left_ms=2000))
        timed = message(_SECRET, id="t1", left_ms=9000)
        self.screen.show(events.History("GLOBAL", [message("stays", seq=1), timed], more=False))
        self.clock.advance(2)
        shown = self._reprint()
        self.assertIn("stays", shown)
        self.assertNotIn(_SECRET, shown)

    def test_ends_close_together(self) -> None:
        """Ends within half a second share one reprint, at the last of them. A later end has its own."""
        for timed_id, left in ("t1", 1000), ("t2", 1500), ("t3", 1750):
            self.screen.show(message(f"{_SECRET} {timed_id}", id=timed_id, left_ms=left))
        self.keyboard.shown()
        self.clock.advance(1.25)
        self.assertEqual(self.keyboard.shown(), "")
        self.clock.advance(0.25)
        shown = self._reprint()
        self.assertNotIn("t1", shown)
        self.assertNotIn("t2", shown)
        self.assertIn("t3", shown)
        self.clock.advance(0.25)
        self.assertEqual(self._reprint(), "")

    def test_chain_of_ends(self) -> None:
        """However many ends follow one another, none waits longer than half a second."""
        for number in range(100):
            left = 1000 + number * 125
            self.screen.show(message(f"<{number}>", id=str(number), left_ms=left))
        self.keyboard.shown()
        for _ in range(120):
            self.clock.advance(0.125)
            shown = self.keyboard.shown()
            if shown:
                now = self.clock.seconds()
                alive = [number for number in range(100) if 1 + number * 0.125 > now]
                self.assertEqual([n for n in range(100) if f"<{n}>" in shown], alive)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_absurd_times(self) -> None:
        """Impossible ends from a server are limited to the valid range."""
        self.screen.show(message(_SECRET, id="t1", left_ms=-5))
        self.clock.advance(0)
        self.assertEqual(self._reprint(), "")
        self.screen.show(message(_SECRET, id="t2", left_ms=10**400))
        self.screen.show(message(_SECRET, id="t3"))
        self.clock.advance(0)
        self.assertEqual(self._reprint().count(_SECRET), 1)
        self.clock.advance(604_800)
        self.assertEqual(self._reprint(), "")

    def test_deleted(self) -> None:
        """A deleted message disappears with the line that sent it; more deletions wait for two seconds, together."""
        for seq in 1, 2, 3, 4:
            self.screen.show(message(f"<{seq}>\nmore", seq=seq))
        self._type("mine")
        self.screen.sent("mine", sent(seq=5))
        self.keyboard.shown()
        for seq in 1, 5, 3, 9:
            self.screen.show(amended(deleted=True, seq=seq))
        self.clock.advance(0)
        shown = self._reprint()
        self.assertEqual([seq for seq in (1, 2, 3, 4) if f"<{seq}>" in shown], [2, 4])
        self.assertNotIn("mine", shown)
        self.clock.advance(0.5)
        self.screen.show(amended(deleted=True, seq=2))
        self.clock.advance(1.4)
        self.assertEqual(self.keyboard.shown(), "")
        self.clock.advance(0.1)
        self.assertNotIn("<2>", self._reprint())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_deleted_that_was_not_shown(self) -> None:
        """A deletion of a message that is not on the screen clears nothing."""
        self.screen.show(amended(deleted=True, seq=1))
        self.clock.advance(2)
        self.assertEqual(self.keyboard.shown(), "")

    def test_deleted_at_the_end(self) -> None:
        """A deletion that waits for its reprint is not left on the screen when the client ends."""
        self.screen.show(message("one", seq=1))
        self.screen.show(message("two", seq=2))
        self.screen.show(amended(deleted=True, seq=1))
        self.clock.advance(0)
        self.screen.show(amended(deleted=True, seq=2))
        self.keyboard.shown()
        self.screen.finish(interrupted=False)
        self.assertEqual(self._reprint(), "")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_reprint_during_question(self) -> None:
        """A pending question is printed again after a reprint."""
        self.screen.show(message(_SECRET, id="t1", left_ms=1000))
        self._ask("Old password: ", secret=True)
        self.clock.advance(1)
        self.assertEqual(self._reprint(), "Old password: ")

    def test_finish(self) -> None:
        """At the end of the client, visible timed messages are erased, because nothing would erase them later."""
        self.screen.show(message("stays"))
        self.screen.show(message(_SECRET, id="t1", left_ms=60_000))
        self.echo.switch(on=False)
        self.screen.finish(interrupted=False)
        shown = self._reprint()
        self.assertIn("stays", shown)
        self.assertNotIn(_SECRET, shown)
        self.assertTrue(self.echo.is_on)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_finish_without_timed(self) -> None:
        """At the end nothing is cleared without need. After Ctrl-C the shell starts on a new line."""
        self.screen.show(message("stays"))
        self.keyboard.shown()
        self.screen.finish(interrupted=False)
        self.assertEqual(self.keyboard.shown(), "")
        self.screen.finish(interrupted=True)
        self.assertEqual(self.keyboard.shown(), "\n")
