"""The list of a user's chats, for all stores."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from irchat.interfaces.stored import StoredChat


class ListedChat(NamedTuple):
    """A chat of a user. ``end`` and ``end_at`` are those of the last message that is neither hidden nor deleted."""

    chat: int
    low: int | None
    high: int | None
    last_seq: int
    since_seq: int
    read_seq: int
    rev: int
    alert: str | None
    unread: int
    mentions: int
    end: int | None
    end_at: int | None


def deleted_ends(
    rows: Iterable[tuple[int, int, int, int]], hidden: Collection[int]
) -> dict[int, tuple[int, int | None]]:
    """Return the number and time of the last deleted message by chat, from rows of chat, sender, seq and time."""
    ends: dict[int, tuple[int, int | None]] = {}
    for chat, sender, seq, at in rows:
        if sender not in hidden and seq > ends.get(chat, (0, None))[0]:
            ends[chat] = seq, at
    return ends


def chat_list(rows: Iterable[ListedChat], deleted: dict[int, tuple[int, int | None]]) -> list[StoredChat]:
    """Return the chats, latest first. ``deleted``: see `deleted_ends`, if some messages are hidden."""
    states = []
    for row in rows:
        last_seq, last_at = max((row.end or 0, row.end_at), deleted.get(row.chat, (0, None)), key=lambda end: end[0])
        if last_seq <= row.since_seq:
            last_seq, last_at = 0, None
        if row.low is None or row.high is None or last_seq:
            key = row.chat if row.low is None or row.high is None else (row.low, row.high)
            read_seq = min(row.read_seq, last_seq)
            states.append(StoredChat(key, last_seq, last_at, read_seq, row.unread, row.rev, row.mentions, row.alert))
    states.sort(key=lambda state: state.last_at or 0, reverse=True)
    return states
