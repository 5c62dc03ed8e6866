"""Stored messages and their present states, as the events that one reader sees."""

from msgspec.structs import replace

from irchat.chat.mentions import names
from irchat.chat.state.directory import Directory
from irchat.chat.state.entities import DirectoryChat, User
from irchat.interfaces.stored import Page, StoredMark, StoredMessage
from irchat.protocol import events
from irchat.protocol.marks import NAMES_OF_MARK
from irchat.system.clock import rfc3339


def message_event(directory: Directory, reader: User, label: str, message: StoredMessage) -> events.Message:
    """Return a stored message as ``reader``, who calls its chat ``label``, sees it."""
    event = (events.Notice if message.notice else events.Message)(
        chat=label,
        sender=directory.users[message.sender].name,
        at=rfc3339(message.at),
        text=message.text,
        seq=message.seq,
    )
    if not (message.rev or message.to):
        return event
    return replace(
        event,
        rev=message.rev or None,
        edited=_edited(message),
        marks=_marks(directory, reader, message.marks) or None,
        to=names(directory, message.to, reader.hidden),
    )


def present_states(
    directory: Directory, reader: User, chat: DirectoryChat, page: Page, now_ms: int
) -> list[tuple[events.Amended, int | None]]:
    """Return the present states of the messages on a page of changes, in the order of their last changes.

    Each comes with the id of the sender of its message, or None for a deleted one.
    """
    label = chat.label(reader)
    states: list[tuple[events.Amended, int | None]] = [
        (_present_state(directory, reader, label, message), message.sender)
        for message in page.messages
        if message.sender not in reader.hidden
    ]
    for seq, rev in zip(page.deleted, page.deleted_revs, strict=True):
        states.append((events.Amended(chat=label, seq=seq, rev=rev, by="", at=rfc3339(now_ms), deleted=True), None))
    return sorted(states, key=lambda state: state[0].rev)


def _present_state(directory: Directory, reader: User, label: str, message: StoredMessage) -> events.Amended:
    return events.Amended(
        chat=label,
        seq=message.seq,
        rev=message.rev,
        by="",
        at=rfc3339(message.edited_at or message.at),
        text=message.text,
        edited=_edited(message),
        marks=_marks(directory, reader, message.marks),
    )


def _edited(message: StoredMessage) -> str | None:
    return None if message.edited_at is None else rfc3339(message.edited_at)


def _marks(directory: Directory, reader: User, marks: tuple[StoredMark, ...]) -> list[events.Mark]:
    """Return marks as ``reader`` sees them. A user hidden since they were read has no name here."""
    return [
        events.Mark(
            mark=mark.mark,
            count=mark.count,
            names=[directory.users[user].name for user in mark.users[:NAMES_OF_MARK] if user not in reader.hidden],
            mine=mark.mine,
        )
        for mark in marks
    ]
