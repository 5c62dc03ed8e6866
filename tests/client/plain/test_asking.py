"""Questions on a terminal while standard output is redirected."""

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.exceptions import ClientError
from irchat.client.plain.asking import AskingScreen
from irchat.protocol import events
from tests.helpers.client_fakes import FakeEcho, Keyboard, message


class AskingTests(SynchronousTestCase):
    """A terminal whose output is redirected."""

    def setUp(self) -> None:
        """Open it."""
        self.keyboard = Keyboard()
        self.echo = FakeEcho()
        self.written: list[str] = []
        self.screen = AskingScreen(self.keyboard.console, self.keyboard.errors.append, self.echo, self.written.append)

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
        self.assertEqual(self.written, ["-- connected\u241b\n", "Trust this server? [yes/no] "])
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
