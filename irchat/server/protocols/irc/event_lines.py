"""The functions that show an event to an IRC session, by the type of the event."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from irchat.interfaces.bus import Publication
from irchat.protocol import events
from irchat.server.protocols.irc.chats import member_events
from irchat.server.protocols.irc.people import presence_events

if TYPE_CHECKING:
    from irchat.server.protocols.irc.protocol import IRCProtocol

EventLines = Callable[["IRCProtocol", Any, Publication], bytes]
"""Returns the bytes that show an event, which comes with its publication."""

EVENT_LINES: dict[type[events.Event], EventLines] = {
    **member_events.EVENT_LINES,
    **presence_events.EVENT_LINES,
}
"""Each module with such functions has a table of its own, which is merged here. Others are not shown."""
