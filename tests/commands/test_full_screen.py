"""The full screen's additions to the language."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.commands import REGISTRY
from irchat.commands.full_screen import SCREEN
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.requests import Logout, Send
from tests.commands.test_commands import TABLE


class FullScreenTests(SynchronousTestCase):
    """`SCREEN`."""

    def test_all_else_is_the_same(self) -> None:
        """Every line of the language has the same meaning there."""
        for line, usage, request in TABLE:
            command, asked = SCREEN.read(line)
            self.assertEqual((asked, command.usage), (request, usage), line)

    def test_timed_to_the_open_chat(self) -> None:
        """A number and a text are a timed message to the open chat, even before an arrow."""
        for line, wanted in ("*30 hi", "hi"), ("*30 -> team", "-> team"), ("*030 a\nb", "a\nb"):
            command, request = SCREEN.read(line)
            self.assertEqual((request, command.to_open_chat), (Send(chat="GLOBAL", text=wanted, expires_in=30), True))
        self.assertEqual(self.assertRaises(Refusal, SCREEN.read, "*0 hi").code, Code.BAD_TIME)

    def test_forget(self) -> None:
        """``exit --forget`` forgets the sign-in. Other lines that begin with exit are messages."""
        self.assertEqual(SCREEN.read("exit --forget")[1], Logout(forget=True))
        for line in "exit --forge", "exit strategy":
            self.assertEqual(SCREEN.read(line)[1], Send(chat="GLOBAL", text=line))
        self.assertEqual(REGISTRY.read("exit --forget")[1], Send(chat="GLOBAL", text="exit --forget"))
