"""The handlers of commands after the sign-in, by the name of the command."""

from collections.abc import Callable

from irchat.server.protocols.irc.calls import Call

Handler = Callable[[Call], None]

HANDLERS: dict[str, Handler] = {}
"""Each module with handlers has a table of its own, which is merged here."""
