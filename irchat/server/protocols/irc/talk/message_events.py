"""Messages, changes of messages and signals, as one session sees them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from irchat.chat.state.entities import User
from irchat.chat.state.message_ids import message_id
from irchat.interfaces.bus import ChangePlace, Place, Publication, StoredPlace, TimedPlace
from irchat.interfaces.stored import ChatKey
from irchat.irc.irc_lines import build
from irchat.irc.message_tags import client_only
from irchat.irc.targets import target_of
from irchat.protocol import events
from irchat.server.protocols.irc.talk.message_lines import Flavour, ShownMessage, message_lines

if TYPE_CHECKING:
    from irchat.server.protocols.irc.event_lines import EventLines
    from irchat.server.protocols.irc.protocol import IRCProtocol


def _message(protocol: "IRCProtocol", event: events.Message, publication: Publication) -> bytes:
    """Return the lines of a message, which then counts as read. Of a timed message, return only a hint."""
    place = publication.place
    if not isinstance(place, StoredPlace):
        return _hint(protocol, event, place)
    if (unseen := protocol.state.hidden_chats.get(place.chat)) is not None:
        unseen.count += 1
        unseen.latest.append(place.seq)
        return b""
    protocol.talk.delivered(place.chat, place.seq)
    return protocol.shared.talk.encoding.one(protocol.talk.flavour, publication)


def _hint(protocol: "IRCProtocol", event: events.Message, place: Place | None) -> bytes:
    if not isinstance(place, TimedPlace) or place.chat in protocol.state.hidden_chats:
        return b""
    if event.sender == protocol.user.name:
        return b""
    return protocol.talk.timed_hint.waits(place.order)


def _amended(protocol: "IRCProtocol", event: events.Amended, publication: Publication) -> bytes:
    place = publication.place
    assert isinstance(place, ChangePlace)
    return change_lines(protocol, event, place.chat, place.sender)


def change_lines(protocol: "IRCProtocol", event: events.Amended, key: ChatKey, sender: int | None) -> bytes:
    """Return the lines of an edit, deletion or mark of a message of ``sender``.

    The present state of a message, for a session that fell behind, has the text if there was an edit, and all marks.
    Those that were taken off meanwhile follow (`irchat.server.protocols.irc.missed_marks`).
    """
    directory = protocol.shared.directory
    if key in protocol.state.hidden_chats:
        return b""
    msgid = message_id(key, event.seq)
    if event.deleted:
        return _deletion(protocol, event, key, msgid)
    by = directory.user_or_removed(event.by) if event.by else None
    if event.mark is not None and by is not None:
        return mark_line(protocol, (event.chat, key), by, event.at, event.mark, msgid, on=bool(event.on))
    marks = mark_lines(protocol, event.chat, (key, event.seq), event.at, event.marks or ())
    return _edit(protocol, event, key, by, sender) + marks


def _edit(protocol: "IRCProtocol", event: events.Amended, key: ChatKey, by: User | None, sender: int | None) -> bytes:
    directory = protocol.shared.directory
    if event.text is None or event.edited is None:
        return b""
    editor = by or (None if sender is None else directory.users[sender])
    if editor is None:
        return b""
    flavour = protocol.talk.flavour
    shown = ShownMessage(
        "PRIVMSG",
        protocol.shared.mask(editor),
        editor.name,
        _target(protocol, event.chat, key, editor),
        event.at,
        f"(edited) {event.text}",
        "",
        protocol.shared.talk.is_bot(editor),
        reply=message_id(key, event.seq),
    )
    return message_lines(flavour, shown)


def mark_lines(
    protocol: "IRCProtocol", chat: str, place: tuple[ChatKey, int], at: str, marks: Sequence[events.Mark]
) -> bytes:
    """Return the marks of the message at ``place``, as lines of the users that put them there."""
    if not protocol.talk.flavour.tags:
        return b""
    msgid, lines = message_id(*place), []
    for mark in marks:
        for user in map(protocol.shared.directory.user_or_removed, mark.names):
            lines.append(mark_line(protocol, (chat, place[0]), user, at, mark.mark, msgid, on=True))
    return b"".join(lines)


def mark_line(
    protocol: "IRCProtocol", chat: tuple[str, ChatKey], by: User, at: str, mark: str, msgid: str, *, on: bool
) -> bytes:
    """Return the line of a mark that a user puts on a message or takes off. ``chat``: its name, and its key."""
    tags = {f"+draft/{'react' if on else 'unreact'}": mark, "+draft/reply": msgid}
    return tagmsg_line(protocol, by, _target(protocol, *chat, by), at, tags)


def _deletion(protocol: "IRCProtocol", event: events.Amended, key: ChatKey, msgid: str) -> bytes:
    if "draft/message-redaction" not in protocol.caps:
        return b""
    by = protocol.shared.directory.user_or_removed(event.by) if event.by else None
    source = protocol.lines.name if by is None else protocol.shared.mask(by)
    target = target_of(event.chat) if by is None else _target(protocol, event.chat, key, by)
    return build("REDACT", target, msgid, source=source, tags=line_tags(protocol.talk.flavour, event.at, by))


def _signal(protocol: "IRCProtocol", event: events.Signal, publication: Publication) -> bytes:
    directory = protocol.shared.directory
    chat = directory.chat(protocol.user, event.chat)
    if chat.key in protocol.state.hidden_chats:
        return b""
    sender = directory.user_or_removed(event.sender)
    target = _target(protocol, event.chat, chat.key, sender)
    return tagmsg_line(protocol, sender, target, event.at, event.tags)


def tagmsg_line(protocol: "IRCProtocol", sender: User, target: str, at: str, tags: dict[str, str]) -> bytes:
    """Return the line of tags without a text, for a session that knows tags. Their msgid is that of no message."""
    if not protocol.talk.flavour.tags or not tags:
        return b""
    flavour = protocol.talk.flavour
    head = line_tags(flavour, at, sender)
    head["msgid"] = tags.get("msgid") or protocol.shared.talk.signal_id()
    if protocol.shared.talk.is_bot(sender):
        head["bot"] = ""
    return build("TAGMSG", target, source=protocol.shared.mask(sender), tags=head | client_only(tags))


def line_tags(flavour: Flavour, at: str, account: User | None) -> dict[str, str]:
    """Return the tags of a line that is no message."""
    tags = {"time": at} if flavour.time else {}
    if flavour.account and account is not None:
        tags["account"] = account.name
    return tags


def _target(protocol: "IRCProtocol", chat: str, key: ChatKey, by: User) -> str:
    """Return the target of a line by a user: in a private chat, the other one."""
    return protocol.shared.talk.encoding.peer(key, by).name if isinstance(key, tuple) else target_of(chat)


EVENT_LINES: "dict[type[events.Event], EventLines]" = {
    events.Message: _message,
    events.Notice: _message,
    events.Amended: _amended,
    events.Signal: _signal,
}
"""See `irchat.server.protocols.irc.event_lines`."""
