"""MARKREAD: read markers as the times of messages (IRCv3 read-marker)."""

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from irchat.chat.state.entities import DirectoryChat, User
from irchat.commands.inquiries import Encoded, Inquiry
from irchat.interfaces.bus import Publication
from irchat.interfaces.stored import ChatKey, StoredChat
from irchat.irc.irc_lines import build
from irchat.irc.references import BadReference, MarkQuery, format_time, parse_markread
from irchat.irc.targets import chat_of, target_of
from irchat.protocol import events
from irchat.protocol.errors import Refusal
from irchat.server.protocols.irc.calls import Call
from irchat.server.protocols.irc.refusals import refused

if TYPE_CHECKING:
    from irchat.server.protocols.irc.event_lines import EventLines
    from irchat.server.protocols.irc.protocol import IRCProtocol

_log = Logger()
_NOTHING = "*"


async def of_chats(protocol: "IRCProtocol", chats: Iterable[ChatKey]) -> dict[ChatKey, bytes]:
    """Return the present MARKREAD line of each of these chats, none without draft/read-marker."""
    if "draft/read-marker" not in protocol.caps:
        return {}
    wanted = set(chats)
    for chat, state in await protocol.shared.services.chat.reading.stored_chats(protocol.user):
        if chat.key in wanted:
            await _learn(protocol, chat, state)
    return {key: line(protocol, key) for key in wanted}


def line(protocol: "IRCProtocol", chat: ChatKey) -> bytes:
    """Return the MARKREAD line of a chat, as far as the session knows its marker, with draft/read-marker."""
    if "draft/read-marker" not in protocol.caps:
        return b""
    place = protocol.shared.directory.chat_by_key(chat)
    return b"" if place is None else _line(protocol, place)


def markread(call: Call) -> None:
    """Move a read marker, or say where it is."""
    lines = call.protocol.lines
    try:
        query = parse_markread(call.params)
    except BadReference as bad:
        call.say(lines.fail("MARKREAD", bad.code, *bad.context, text=bad.text))
        return

    def answered(event: events.Event) -> bytes:
        if isinstance(event, events.Error):
            return refused(call.protocol, "MARKREAD", event, query.target)
        return event.data if isinstance(event, Encoded) else b""

    call.ask(Inquiry(read=partial(_mark, call.protocol, query)), answered)


async def _mark(protocol: "IRCProtocol", query: MarkQuery, user: User) -> Encoded:
    """Move the marker up to the last message at or before a time. Answer with the time of the last read message."""
    reading = protocol.shared.services.chat.reading
    label = chat_of(query.target)
    chat = None if label is None else protocol.shared.directory.find_chat(user, label)
    if chat is None:
        return Encoded(data=protocol.lines.line("MARKREAD", query.target, _NOTHING))
    name = chat.label(user)
    if query.at is not None:
        place = await reading.place(user, name, query.at + 1)
        _, page = await reading.stored_page(user, name, before=place, limit=1)
        if page.messages:
            await reading.mark(user, name, page.messages[-1].seq, protocol.session.id)
    await _learn(protocol, chat, await _state(protocol, user, chat))
    return Encoded(data=_line(protocol, chat))


async def _state(protocol: "IRCProtocol", user: User, chat: DirectoryChat) -> StoredChat:
    states = await protocol.shared.services.chat.reading.stored_chats(user)
    return next((state for known, state in states if known.key == chat.key), StoredChat(chat.key, 0, None, 0, 0))


async def _learn(protocol: "IRCProtocol", chat: DirectoryChat, state: StoredChat) -> None:
    """Look up the time of the last read message of a chat."""
    at = state.last_at if state.read_seq >= state.last_seq else await _time_of(protocol, chat, state.read_seq)
    if at is not None:
        protocol.talk.read_at[chat.key] = at


async def _time_of(protocol: "IRCProtocol", chat: DirectoryChat, seq: int) -> int | None:
    """Return the time of the last message up to ``seq``, or None if there is none."""
    if not seq:
        return None
    user = protocol.user
    _, page = await protocol.shared.services.chat.reading.stored_page(user, chat.label(user), before=seq + 1, limit=1)
    return page.messages[-1].at if page.messages else None


def _line(protocol: "IRCProtocol", chat: DirectoryChat) -> bytes:
    at = protocol.talk.read_at.get(chat.key)
    value = _NOTHING if at is None else f"timestamp={format_time(at)}"
    return build("MARKREAD", target_of(chat.label(protocol.user)), value, source=protocol.lines.name)


def _read(protocol: "IRCProtocol", event: events.Read, publication: Publication) -> bytes:
    """Look up the time of a marker that another session moved. Its line follows."""
    if "draft/read-marker" in protocol.caps:
        Deferred.fromCoroutine(_tell(protocol, event)).addErrback(_untold)
    return b""


async def _tell(protocol: "IRCProtocol", event: events.Read) -> None:
    chat = protocol.shared.directory.chat(protocol.user, event.chat)
    at = await _time_of(protocol, chat, event.seq)
    if at is not None and at > protocol.talk.read_at.get(chat.key, 0):
        protocol.talk.read_at[chat.key] = at
        protocol.session.outbox.put(_line(protocol, chat))


def _untold(failure: Failure) -> None:
    """Leave the line out if the store fails, or the chat or session has ended: the next one says as much."""
    if not isinstance(failure.value, Refusal):
        _log.failure("a read marker could not be told", failure)


EVENT_LINES: "dict[type[events.Event], EventLines]" = {events.Read: _read}
"""See `irchat.server.protocols.irc.event_lines`."""

HANDLERS = {"MARKREAD": markread}
"""See `irchat.server.protocols.irc.command_handlers`."""
