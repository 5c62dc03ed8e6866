"""The list of a user's chats, for all stores."""

from collections.abc import Collection, Iterable

from irchat.interfaces.stored import StoredChat

ListedChat = tuple[int, int | None, int | None, int, int, int, str | None, int, int, int | None, int | None]
"""A chat of a user: chat, low, high, since_seq, read_seq, rev, alert, unread, mentions, end, end_at.

``end`` and ``end_at`` are those of the last message that is neither hidden nor deleted.
"""

_NO_END = (0, None)


def deleted_ends(
    rows: Iterable[tuple[int, int, int, int]], hidden: Collection[int]
) -> dict[int, tuple[int, int | None]]:
    """Return the number and time of the last deleted message by chat, from rows of chat, sender, seq and time."""
    ends: dict[int, tuple[int, int | None]] = {}
    for chat, sender, seq, at in rows:
        if sender not in hidden and seq > ends.get(chat, _NO_END)[0]:
            ends[chat] = seq, at
    return ends


def chat_list(rows: Iterable[ListedChat], deleted: dict[int, tuple[int, int | None]]) -> list[StoredChat]:
    """Return the chats, latest first. ``deleted``: see `deleted_ends`, if some messages are hidden."""
    states = []
    for chat, low, high, since_seq, read_seq, rev, alert, unread, mentions, last_seq, last_at in rows:
        end, end_at = last_seq or 0, last_at
        if deleted and deleted.get(chat, _NO_END)[0] > end:
            end, end_at = deleted[chat]
        if end <= since_seq:
            end, end_at = 0, None
        if low is None or high is None or end:
            key = chat if low is None or high is None else (low, high)
            states.append(StoredChat(key, end, end_at, min(read_seq, end), unread, rev, mentions, alert))
    states.sort(key=lambda state: state.last_at or 0, reverse=True)
    return states
