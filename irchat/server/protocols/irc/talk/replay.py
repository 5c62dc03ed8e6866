"""The replay of unread messages at the sign-in, for clients without chathistory."""

from typing import TYPE_CHECKING

from irchat.protocol import events

if TYPE_CHECKING:
    from irchat.server.protocols.irc.protocol import IRCProtocol


async def play(protocol: "IRCProtocol", welcome: events.Welcome) -> None:
    """Send the unread messages."""
