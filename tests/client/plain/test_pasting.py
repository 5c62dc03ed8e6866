"""Pasted passwords: their line ends are not part of them."""

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.control.questions import Questions
from irchat.client.exceptions import InputEnded
from irchat.client.plain.screens import AskingScreen, PlainScreen, TerminalScreen
from irchat.client.view.screen_state import ScreenState
from tests.helpers.client_fakes import FakeEcho, Keyboard

_PASSWORD = "correct horse"


class SecretTests(SynchronousTestCase):
    """In line mode, on a terminal and with redirected output, and on the full screen."""

    def setUp(self) -> None:
        """Open both kinds of terminal."""
        self.keyboard = Keyboard()
        self.echo = FakeEcho()
        error = self.keyboard.errors.append
        self.screens: list[PlainScreen] = [
            TerminalScreen(self.keyboard.console, error, Clock(), self.echo, colour=False, errors_apart=False),
            AskingScreen(self.keyboard.console, error, self.echo),
        ]

    def test_pastes(self) -> None:
        """A password is the same with any line ends and marks around it, and the next answer is separate."""
        for screen in self.screens:
            for pasted in (
                f"{_PASSWORD}\n", f"{_PASSWORD}\r\n", f"{_PASSWORD}\n\n", f"\n{_PASSWORD}\n",
                f"\x1b[200~{_PASSWORD}\x1b[201~\n", f"\x1b[200~{_PASSWORD}\n\x1b[201~\n",
                f"\x1b[200~{_PASSWORD}\r\n\r\n\x1b[201~\n", f"\x1b[200~\n{_PASSWORD}\n\x1b[201~\n",
            ):  # fmt: skip
                for text in pasted, "again\n":
                    answer = Deferred.fromCoroutine(screen.ask("Password: ", secret=True))
                    self.assertFalse(self.echo.is_on)
                    self.keyboard.console.dataReceived(text.encode())
                    self.assertEqual(self.successResultOf(answer), text.strip() if text == "again\n" else _PASSWORD)
        self.assertNotIn(_PASSWORD, self.keyboard.shown() + "".join(self.echo.written))

    def test_waits_for_the_end_of_a_paste(self) -> None:
        """A line end within a paste does not end the answer."""
        answer = Deferred.fromCoroutine(self.screens[0].ask("Password: ", secret=True))
        self.keyboard.console.dataReceived(b"\x1b[200~one\ntwo\n")
        self.assertNoResult(answer)
        self.keyboard.console.dataReceived(b"\x1b[201~\n")
        self.assertEqual(self.successResultOf(answer), "one\ntwo")

    def test_end(self) -> None:
        """The end of the input is not a password."""
        for screen in self.screens:
            answer = Deferred.fromCoroutine(screen.ask("Password: ", secret=True))
            self.keyboard.end()
            self.failureResultOf(answer, InputEnded)

    def test_marks_in_lines(self) -> None:
        """Marks of a paste do not enter messages or names."""
        for screen in self.screens:
            for ask in screen.read, lambda screen=screen: screen.ask("Your name: "):
                answer = Deferred.fromCoroutine(ask())
                self.keyboard.type("\x1b[200~alice\x1b[201~")
                self.assertEqual(self.successResultOf(answer), "alice")

    def test_full_screen(self) -> None:
        """On the full screen line ends are removed too, and an empty answer to a secret question is ignored."""
        questions = Questions(ScreenState("host:7667"), lambda: None)
        answer = Deferred.fromCoroutine(questions.ask("Password: ", secret=True))
        questions.settle()
        questions.answer("\n")
        self.assertNoResult(answer)
        self.assertTrue(questions.is_asking)
        questions.answer(f"{_PASSWORD}\n\n")
        self.assertEqual(self.successResultOf(answer), _PASSWORD)
