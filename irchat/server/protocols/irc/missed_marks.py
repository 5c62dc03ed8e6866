"""Marks that were taken off while a session was behind. The present state of a message does not show them."""

from typing import TYPE_CHECKING, NamedTuple

from irchat.chat.state.message_ids import message_id
from irchat.interfaces.bus import ChangePlace, Publication
from irchat.interfaces.stored import ChatKey
from irchat.protocol.events import Amended
from irchat.server.protocols.irc.talk.message_events import mark_line

if TYPE_CHECKING:
    from irchat.server.protocols.irc.protocol import IRCProtocol

# Of more than these, the client keeps those that were taken off last.
_MOST = 1_000


class _Mark(NamedTuple):
    chat: ChatKey
    seq: int
    user: int
    mark: str


class MissedMarks:
    """The marks that the client may show still."""

    __slots__ = ("_at",)

    def __init__(self) -> None:
        self._at: dict[_Mark, str] = {}

    def note(self, protocol: "IRCProtocol", change: Publication) -> None:
        """Note a change that the client is not told now."""
        event, place = change.event, change.place
        if not (isinstance(event, Amended) and isinstance(place, ChangePlace) and event.mark is not None and event.by):
            return
        if not protocol.talk.flavour.tags:
            return
        mark = _Mark(place.chat, event.seq, protocol.shared.directory.user_or_removed(event.by).id, event.mark)
        if event.on:
            self._at.pop(mark, None)
        elif len(self._at) < _MOST:
            self._at[mark] = event.at

    def lines(self, protocol: "IRCProtocol") -> bytes:
        """Return the lines that take the marks off, and forget them."""
        at, self._at = self._at, {}
        directory, lines = protocol.shared.directory, []
        for mark, taken_off_at in at.items():
            chat = directory.chat_by_key(mark.chat)
            if chat is not None and chat.has(protocol.user) and mark.chat not in protocol.state.hidden_chats:
                label, by = chat.label(protocol.user), directory.users[mark.user]
                msgid = message_id(mark.chat, mark.seq)
                lines.append(mark_line(protocol, (label, mark.chat), by, taken_off_at, mark.mark, msgid, on=False))
        return b"".join(lines)
