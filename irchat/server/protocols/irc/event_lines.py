"""The functions that show an event to an IRC session, by the type of the event."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Never

from irchat.interfaces.bus import Publication
from irchat.protocol import events
from irchat.server.protocols.irc.chats import member_events
from irchat.server.protocols.irc.people import presence_events
from irchat.server.protocols.irc.talk import markers, message_events

if TYPE_CHECKING:
    from irchat.server.protocols.irc.protocol import IRCProtocol

EventLines = Callable[["IRCProtocol", Never, Publication], bytes]
"""Returns the bytes that show an event, which comes with its publication."""

EVENT_LINES: dict[type[events.Event], EventLines] = {
    events.Added: member_events.added,
    events.Removed: member_events.removed,
    events.Presence: presence_events.presence,
    events.Personas: presence_events.personas,
    **message_events.EVENT_LINES,
    **markers.EVENT_LINES,
}
"""By the type of the event. Others are not shown."""
