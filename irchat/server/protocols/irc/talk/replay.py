"""The replay of unread messages at the sign-in, for clients without chathistory."""

from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from irchat.chat.state.entities import DirectoryChat
from irchat.interfaces.stored import StoredChat, StoredMessage
from irchat.irc.numerics import service_prefix
from irchat.irc.targets import SERVICE, target_of
from irchat.protocol import events
from irchat.protocol.rules import PAGE_MAX
from irchat.server.protocols.irc.talk.chathistory import in_batch

if TYPE_CHECKING:
    from irchat.server.protocols.irc.protocol import IRCProtocol


async def play(protocol: "IRCProtocol", welcome: events.Welcome, zone: tzinfo | None = None) -> None:
    """Send the latest unread messages of each chat, private chats last, and say how many older ones there are.

    ``zone``: that of the times in texts, for clients that show none; by default that of the server. Every client
    gets a hint if timed messages wait, also one that asks for history itself.
    """
    if "draft/chathistory" not in protocol.caps:
        await _play_all(protocol, zone)
    if any(unread for _, _, unread in protocol.shared.services.chat.messages.timed.chats_of(protocol.user)):
        protocol.session.outbox.put(protocol.talk.timed_hint.line())


async def _play_all(protocol: "IRCProtocol", zone: tzinfo | None) -> None:
    chat_service, session = protocol.shared.services.chat, protocol.session
    states = await chat_service.reading.stored_chats(protocol.user)
    await chat_service.queue.published()
    session.saw({state.chat: state.last_seq for _, state in states})
    for chat, state in sorted(states, key=lambda known: known[0].pair is not None):
        if not state.unread:
            continue
        pages, count = await _pages(protocol, chat, state)
        older = state.unread - count
        session.outbox.put(_older(protocol, chat, older))
        for before, limit in reversed(pages):
            _, page = await chat_service.reading.stored_page(
                protocol.user, chat.label(protocol.user), before=before, limit=limit
            )
            data = _lines(protocol, chat, page.messages, zone)
            session.count_line(len(data))
            session.outbox.put(data)
            # A chat has one marker. If it moved past these, the older ones would count as read.
            if page.messages and older <= 0:
                protocol.talk.delivered(chat.key, page.messages[-1].seq)
            await protocol.talk.room()


async def _pages(protocol: "IRCProtocol", chat: DirectoryChat, state: StoredChat) -> tuple[list[tuple[int, int]], int]:
    """Return the pages of the latest unread messages, newest first, and how many messages they have.

    Each is the seq before which it is and its number of messages: together they may be too many to be kept.
    """
    pages: list[tuple[int, int]] = []
    before, left = state.last_seq + 1, PAGE_MAX
    while left:
        _, page = await protocol.shared.services.chat.reading.stored_page(
            protocol.user, chat.label(protocol.user), before=before, limit=left
        )
        seqs = [message.seq for message in page.messages if message.seq > state.read_seq]
        if not seqs:
            break
        pages.append((before, len(seqs)))
        left -= min(left, len(seqs))
        before = seqs[0]
    return pages, PAGE_MAX - left


def _older(protocol: "IRCProtocol", chat: DirectoryChat, count: int) -> bytes:
    """Return the notice about unread messages that are not played."""
    if count <= 0:
        return b""
    name = chat.label(protocol.user)
    text = f"{target_of(name)}: {count} older unread; /msg {SERVICE} ls -n {name.removeprefix('*')}"
    return protocol.lines.notices(service_prefix(SERVICE), protocol.nick, [text])


def _lines(protocol: "IRCProtocol", chat: DirectoryChat, messages: list[StoredMessage], zone: tzinfo | None) -> bytes:
    reading, directory = protocol.shared.services.chat.reading, protocol.shared.directory
    flavour, lines = protocol.talk.flavour, []
    for message in messages:
        event = reading.event(protocol.user, message)
        if event is not None:
            before = "" if flavour.time else f"[{datetime.fromtimestamp(message.at / 1000, zone):%Y-%m-%d %H:%M}] "
            sender, place = directory.users[message.sender], (message.chat, message.seq)
            lines.append(protocol.shared.talk.encoding.lines(flavour, event, place, sender, before=before))
    return in_batch(protocol, chat, b"".join(lines)) if lines else b""
