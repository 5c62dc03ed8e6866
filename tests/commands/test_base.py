"""The declarations of every command."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.commands import AS_MESSAGE, REGISTRY
from irchat.commands.base import Command, wrong_use
from irchat.protocol.errors import Code


class CommandTests(SynchronousTestCase):
    """`Command` and `wrong_use`."""

    def test_defaults(self) -> None:
        """A command that declares nothing needs a signed-in user, runs alone and shows no secret."""
        self.assertEqual((Command.signed_in, Command.for_admins, Command.pipelined), (True, False, False))
        self.assertIsNone(Command.prefix)
        self.assertIsNone(Command.secret)

    def test_wrong_use(self) -> None:
        """The refusal names the prefix, the right form and how to send the line as a message."""
        refusal = wrong_use("!ban", "!ban NAME")
        self.assertEqual((refusal.code, refusal.usage), (Code.BAD_REQUEST, "!ban NAME"))
        self.assertIn("!ban", refusal.text)
        self.assertTrue(refusal.text.endswith(AS_MESSAGE))

    def test_declared(self) -> None:
        """Each command that can be typed has a usage, a meaning and a syntax."""
        for command in REGISTRY.entries(None, is_admin=True):
            self.assertTrue(command.usage and command.meaning and command.syntax, command)
