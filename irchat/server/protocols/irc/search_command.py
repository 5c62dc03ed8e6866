"""SEARCH: the messages of one chat or of all with certain words, from a user or of a time (soju.im/search)."""

from functools import partial
from typing import TYPE_CHECKING

from irchat.chat.state.entities import User
from irchat.commands.inquiries import Encoded, Inquiry
from irchat.interfaces.stored import ChatKey, StoredMessage
from irchat.irc.references import BadReference, SearchAttributes, parse_search, parse_time
from irchat.irc.targets import chat_of
from irchat.protocol import events, requests
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import PAGE_MAX, SERVER_LINE_BYTES, line_bytes
from irchat.server.protocols.irc.calls import Call
from irchat.server.protocols.irc.talk.chathistory import history_lines

if TYPE_CHECKING:
    from irchat.server.protocols.irc.protocol import IRCProtocol

# The pages that a search without words reads: 2,000 messages at most.
_PAGES_MOST = 4
_NO_CHAT = frozenset({Code.NO_SUCH_USER, Code.NO_SUCH_GROUP, Code.NO_SUCH_CHAT, Code.YOURSELF, Code.BAD_NAME})
_NOBODY = -1


def search(call: Call) -> None:
    """Answer with a batch of messages, oldest first.

    Words are looked up as by the request ``search``: with other attributes, these choose among its newest 500 results.
    Without words, pages of one chat are read.
    """
    protocol = call.protocol
    try:
        wanted = parse_search(call.params)
    except BadReference as bad:
        call.say(protocol.lines.fail("SEARCH", bad.code, *bad.context, text=bad.text))
        return
    chat = chat_of(wanted.target) if wanted.target else None
    if wanted.target and chat is None:
        call.say(_refused(protocol, Code.NO_SUCH_CHAT, ""))
    elif wanted.text:
        is_plain = not wanted.sender and wanted.after is None and wanted.before is None and chat is not None
        limit = wanted.limit if is_plain else PAGE_MAX
        call.ask(requests.Search(words=wanted.text, chat=chat, limit=limit), partial(_found, protocol, wanted))
    elif chat is not None:
        call.ask(Inquiry(read=partial(_read_pages, protocol, wanted, chat)), partial(_answered, protocol))


def _answered(protocol: "IRCProtocol", event: events.Event) -> bytes:
    if isinstance(event, events.Error):
        return _refused(protocol, Code(event.code), event.text)
    return event.data if isinstance(event, Encoded) else b""


def _refused(protocol: "IRCProtocol", code: Code, text: str) -> bytes:
    fail = partial(protocol.lines.fail, "SEARCH")
    if code in _NO_CHAT:
        return fail("INVALID_PARAMS", "in", text="You have no such chat")
    if code is Code.BAD_REQUEST:
        return fail("INVALID_PARAMS", "text", text=text)
    return fail("INTERNAL_ERROR", text="The messages cannot be searched now")


def _in_batch(protocol: "IRCProtocol", lines: bytes) -> bytes:
    return protocol.batches.batch("soju.im/search", inner=lines) if "batch" in protocol.caps else lines


def _sender_id(protocol: "IRCProtocol", name: str) -> int:
    """Return the id of the user called ``name``, also of a removed one."""
    try:
        return protocol.shared.directory.user_or_removed(name).id
    except Refusal:
        return _NOBODY


def _is_in_time(wanted: SearchAttributes, at: int) -> bool:
    return (wanted.after is None or wanted.after <= at) and (wanted.before is None or at <= wanted.before)


# With words.


def _found(protocol: "IRCProtocol", wanted: SearchAttributes, event: events.Event) -> bytes:
    """Return the lines of those messages found that match the other attributes."""
    if not isinstance(event, events.Found):
        return _answered(protocol, event)
    places = [(parse_time(message.at) or 0, _chat(protocol, wanted, message), message) for message in event.messages]
    matching = sorted((one for one in places if one[1] is not None), key=lambda one: one[0])
    chosen = matching[: wanted.limit] if wanted.after is not None else matching[-wanted.limit :]
    encoding, flavour = protocol.shared.talk.encoding, protocol.talk.flavour
    lines = [
        encoding.lines(flavour, message, (chat, message.seq), encoding.sender(message))
        for _, chat, message in chosen
        if chat is not None and message.seq is not None
    ]
    return _in_batch(protocol, b"".join(lines))


def _chat(protocol: "IRCProtocol", wanted: SearchAttributes, message: events.Message) -> ChatKey | None:
    """Return the chat of a message that was found, or None if the message does not match or is not shown."""
    if not _is_in_time(wanted, parse_time(message.at) or 0):
        return None
    if wanted.sender and _sender_id(protocol, wanted.sender) != _sender_id(protocol, message.sender):
        return None
    chat = protocol.shared.directory.find_chat(protocol.user, message.chat)
    if chat is None:  # the user has left it meanwhile
        return None
    return None if not wanted.target and chat.key in protocol.state.hidden_chats else chat.key


# Without words.


async def _read_pages(protocol: "IRCProtocol", wanted: SearchAttributes, chat: str, user: User) -> Encoded:
    """Return the messages of a chat from the time ``after`` on, or back from ``before``, that match."""
    reading = protocol.shared.services.chat.reading
    sender = _sender_id(protocol, wanted.sender) if wanted.sender else None
    size = wanted.limit if sender is None else PAGE_MAX
    is_forward = wanted.after is not None
    before = after = None
    if wanted.after is not None:
        after = await reading.place(user, chat, wanted.after) - 1
    elif wanted.before is not None:
        before = await reading.place(user, chat, wanted.before + 1)
    found: list[StoredMessage] = []
    for _ in range(_PAGES_MOST):
        _, page = await reading.stored_page(user, chat, before=before, after=after, limit=size)
        matching = [one for one in page.messages if _is_in_time(wanted, one.at) and sender in (None, one.sender)]
        found = found + matching if is_forward else matching + found
        is_full = len(found) >= wanted.limit or sum(line_bytes(one.text) for one in found) > SERVER_LINE_BYTES
        if is_full or not page.more or not page.messages or not _is_in_time(wanted, page.messages[-1].at):
            break
        before, after = (None, page.messages[-1].seq) if is_forward else (page.messages[0].seq, None)
    found = found[: wanted.limit] if is_forward else found[-wanted.limit :]
    return Encoded(data=_in_batch(protocol, b"".join(history_lines(protocol, found))))


HANDLERS = {"SEARCH": search}
"""See `irchat.server.protocols.irc.command_handlers`."""
