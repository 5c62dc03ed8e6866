"""The table of handlers."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.irc.command_table import COMMANDS
from irchat.irc.registration import registering
from irchat.server.protocols.irc.command_handlers import HANDLERS

_OF_REGISTRATION = registering._OWN


class HandlerTests(SynchronousTestCase):
    """Every command is handled."""

    def test_complete(self) -> None:
        """Each command has a handler here or in the registration, and each handler is of a command."""
        self.assertEqual(COMMANDS.keys() - _OF_REGISTRATION, HANDLERS.keys())
