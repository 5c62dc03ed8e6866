"""CHATHISTORY: pages of chats, and the chats with messages of a time (IRCv3 chathistory)."""

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from irchat.chat.state.entities import DirectoryChat, User
from irchat.chat.state.message_ids import read_message_id
from irchat.commands.inquiries import Encoded, Inquiry
from irchat.interfaces.stored import ChatKey, Page, StoredMessage
from irchat.irc.irc_lines import build
from irchat.irc.references import BadReference, HistoryQuery, Moment, format_time, parse_chathistory
from irchat.irc.targets import Msgid, chat_of, target_of
from irchat.protocol import events
from irchat.protocol.errors import Code, Refusal
from irchat.server.protocols.irc.calls import Call
from irchat.server.protocols.irc.talk.message_events import mark_lines

if TYPE_CHECKING:
    from irchat.server.protocols.irc.protocol import IRCProtocol

_NOT_THERE = frozenset({Code.NO_SUCH_USER, Code.NO_SUCH_GROUP, Code.NO_SUCH_CHAT, Code.YOURSELF, Code.BAD_NAME})
_LAST_SEQ = 2**63 - 2


class _Bounds(NamedTuple):
    """The place of a reference: messages ``before`` a seq are earlier than it, and those ``after`` a seq later."""

    before: int
    after: int


def chathistory(call: Call) -> None:
    """Answer with a batch of messages, or of chats."""
    protocol = call.protocol
    try:
        query = parse_chathistory(call.params)
    except BadReference as bad:
        call.say(protocol.lines.fail("CHATHISTORY", bad.code, *bad.context, text=bad.text))
        return

    def answered(event: events.Event) -> bytes:
        if isinstance(event, events.Error):
            return _refused(protocol, query, Code(event.code))
        return event.data if isinstance(event, Encoded) else b""

    read = _targets if query.subcommand == "TARGETS" else _history
    call.ask(Inquiry(read=partial(read, protocol, query)), answered)


def _refused(protocol: "IRCProtocol", query: HistoryQuery, code: Code) -> bytes:
    context = (query.subcommand, query.target) if query.target else (query.subcommand,)
    if code in _NOT_THERE:
        return protocol.lines.fail("CHATHISTORY", "INVALID_TARGET", *context, text="You have no such chat")
    if code is Code.NO_SUCH_MESSAGE:
        text = "Unknown message, or not a msgid= or timestamp="
        return protocol.lines.fail("CHATHISTORY", "INVALID_PARAMS", query.subcommand, text=text)
    return protocol.lines.fail("CHATHISTORY", "MESSAGE_ERROR", *context, text="The messages cannot be read now")


async def _history(protocol: "IRCProtocol", query: HistoryQuery, user: User) -> Encoded:
    """Return a page of a chat, oldest first."""
    label = chat_of(query.target)
    if label is None:
        raise Refusal(Code.NO_SUCH_CHAT, "")
    chat = protocol.shared.directory.chat(user, label)
    messages = await _page(protocol, query, chat)
    with_marks = "draft/event-playback" in protocol.caps
    return Encoded(data=in_batch(protocol, chat, b"".join(history_lines(protocol, messages, with_marks=with_marks))))


async def _page(protocol: "IRCProtocol", query: HistoryQuery, chat: DirectoryChat) -> list[StoredMessage]:
    name, limit = chat.label(protocol.user), query.limit

    async def page(
        *, before: int | None = None, after: int | None = None, around: int | None = None
    ) -> list[StoredMessage]:
        reading = protocol.shared.services.chat.reading
        _, found = await reading.stored_page(
            protocol.user, name, before=before, after=after, around=around, limit=limit
        )
        return _known(found, references)

    references = _seqs(query, chat.key)
    if query.first is None:
        return (await page())[-limit:]
    first = await _bounds(protocol, chat, query.first)
    match query.subcommand:
        case "LATEST":
            return [one for one in await page() if one.seq > first.after][-limit:]
        case "BEFORE":
            return (await page(before=first.before))[-limit:]
        case "AFTER":
            return (await page(after=first.after))[:limit]
        case "AROUND":
            return await page(around=first.before)
    assert query.second is not None
    second = await _bounds(protocol, chat, query.second)
    if first.before <= second.before:
        return [one for one in await page(after=first.after) if one.seq < second.before][:limit]
    return [one for one in await page(before=first.before) if one.seq > second.after][-limit:]


def _seqs(query: HistoryQuery, key: ChatKey) -> list[int]:
    """Return the seqs to which a query refers. Raises Refusal if one is of another chat."""
    seqs = []
    for reference in query.first, query.second:
        if isinstance(reference, Msgid):
            found = read_message_id(str(reference))
            if found is None or found[0] != key:
                raise Refusal(Code.NO_SUCH_MESSAGE, "")
            seqs.append(found[1])
    return seqs


def _known(page: Page, references: list[int]) -> list[StoredMessage]:
    """Return the messages of a page. Raises Refusal if a reference is to a message that the chat never had."""
    if any(seq > page.last_seq for seq in references):
        raise Refusal(Code.NO_SUCH_MESSAGE, "")
    return page.messages


async def _bounds(protocol: "IRCProtocol", chat: DirectoryChat, reference: Msgid | Moment) -> _Bounds:
    if isinstance(reference, Msgid):
        return _Bounds(min(reference.seq, _LAST_SEQ), min(reference.seq, _LAST_SEQ))
    reading, user = protocol.shared.services.chat.reading, protocol.user
    name = chat.label(user)
    # Times rise, so that at most one message has this time: it is neither before nor after it.
    return _Bounds(await reading.place(user, name, reference.ms), await reading.place(user, name, reference.ms + 1) - 1)


def history_lines(protocol: "IRCProtocol", messages: list[StoredMessage], *, with_marks: bool = False) -> list[bytes]:
    """Return the lines of stored messages, and of their marks. Those that the user may no longer see are left out."""
    reading, directory = protocol.shared.services.chat.reading, protocol.shared.directory
    encoding, flavour = protocol.shared.talk.encoding, protocol.talk.flavour
    lines = []
    for message in messages:
        event, place = reading.event(protocol.user, message), (message.chat, message.seq)
        if event is not None:
            lines.append(encoding.lines(flavour, event, place, directory.users[message.sender]))
            if with_marks and event.marks:
                lines.append(mark_lines(protocol, event.chat, place, event.at, event.marks))
    return lines


def in_batch(protocol: "IRCProtocol", chat: DirectoryChat, lines: bytes) -> bytes:
    """Return lines in a batch of history, if the client knows batches."""
    if "batch" not in protocol.caps:
        return lines
    return protocol.batches.batch("chathistory", target_of(chat.label(protocol.user)), inner=lines)


async def _targets(protocol: "IRCProtocol", query: HistoryQuery, user: User) -> Encoded:
    """Return the chats whose last message is between two times, ascending, as many as the limit from the first time."""
    assert isinstance(query.first, Moment)
    assert isinstance(query.second, Moment)
    begin, end = sorted((query.first.ms, query.second.ms))
    found = sorted(
        (state.last_at, target_of(chat.label(user)))
        for chat, state in await protocol.shared.services.chat.reading.stored_chats(user)
        if state.last_at is not None and begin < state.last_at < end and chat.key not in protocol.state.hidden_chats
    )
    chosen = found[: query.limit] if query.first.ms <= query.second.ms else found[-query.limit :]
    source = protocol.lines.name
    lines = b"".join(build("CHATHISTORY", "TARGETS", name, format_time(at), source=source) for at, name in chosen)
    if "batch" in protocol.caps:
        lines = protocol.batches.batch("draft/chathistory-targets", inner=lines)
    return Encoded(data=lines)


HANDLERS = {"CHATHISTORY": chathistory}
"""See `irchat.server.protocols.irc.command_handlers`."""
