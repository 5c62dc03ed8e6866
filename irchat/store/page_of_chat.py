"""Pages of a chat, for all stores: their messages and their limits."""

from collections.abc import Iterable
from typing import Protocol

from irchat.interfaces.store import PageQuery
from irchat.interfaces.stored import StoredMessage
from irchat.protocol.rules import line_bytes

MessageRow = tuple[int, int, int, str, int | bool]
"""Seq, sender, time, text, and whether it is a notice."""


class ChatMessages(Protocol):
    """The messages of one chat in one snapshot. Iterators leave out those of hidden senders."""

    def upwards(self, above: int) -> Iterable[MessageRow]:
        """Return the messages after the seq ``above``, in order."""

    def downwards(self, above: int, below: int) -> Iterable[MessageRow]:
        """Return the messages between two seqs, in reverse order."""

    def first_from(self, seq: int) -> tuple[int, int] | None:
        """Return seq and time of the first message from ``seq`` on, also of a hidden one."""


def page_of(
    chat: ChatMessages, query: PageQuery, since_seq: int, read_seq: int, last_seq: int
) -> tuple[list[StoredMessage], bool]:
    """Return the messages of a page, oldest first, and whether there are more."""
    if query.around is not None:
        return _around(chat, query, query.around, since_seq)
    if query.unread or query.after is not None or query.since is not None:
        above = max(since_seq, read_seq if query.unread else (query.after or 0))
        if query.since is not None:
            above = _last_before(chat, above, last_seq, query.since)
        return _fitting(chat.upwards(_int64(above)), query, query.limit, query.page_bytes)
    below = last_seq + 1 if query.before is None else query.before
    return _back_from(chat, query, since_seq, below, query.limit, query.page_bytes)


def _back_from(
    chat: ChatMessages,
    query: PageQuery,
    above: int,
    below: int,
    limit: int,
    room: int,
    *,
    may_be_empty: bool = False,
) -> tuple[list[StoredMessage], bool]:
    rows = chat.downwards(_int64(above), _int64(below))
    messages, more = _fitting(rows, query, limit, room, may_be_empty=may_be_empty)
    messages.reverse()
    return messages, more


def _fitting(
    rows: Iterable[MessageRow], query: PageQuery, limit: int, room: int, *, may_be_empty: bool = False
) -> tuple[list[StoredMessage], bool]:
    """Return the first of the messages, and whether there are more.

    Their texts and overhead fit in ``room`` bytes, except those of the first one, unless ``may_be_empty``.
    """
    messages: list[StoredMessage] = []
    more = False
    key, overhead = query.chat, query.overhead
    new = tuple.__new__  # takes half the time of the constructor
    for seq, sender, at, text, notice in rows:
        room -= line_bytes(text) + overhead
        if (messages or may_be_empty) and (room < 0 or len(messages) >= limit):
            more = not messages or _leave_out(messages, at) or room < 0
            if more:
                break
        messages.append(new(StoredMessage, (key, seq, sender, at, text, 0, None, (), (), notice == 1)))
    return messages, more


def _around(chat: ChatMessages, query: PageQuery, around: int, since_seq: int) -> tuple[list[StoredMessage], bool]:
    """Return the messages from ``around`` on and those before it, and whether either side has more.

    Each part gets half of the bytes, and the earlier part also what the later one leaves.
    """
    half = query.limit // 2
    above = max(since_seq, around - 1)
    room = query.page_bytes - query.page_bytes // 2 if half else query.page_bytes
    later, more = _fitting(chat.upwards(_int64(above)), query, query.limit - half, room)
    room = query.page_bytes - sum(line_bytes(message.text) + query.overhead for message in later)
    earlier, more_earlier = _back_from(chat, query, since_seq, around, half, room, may_be_empty=True)
    return earlier + later, more or more_earlier


def place_of(chat: ChatMessages, since_seq: int, last_seq: int, at: int) -> int:
    """Return the seq of the first message from the time ``at`` on that a member since ``since_seq`` may have seen.

    It is that after ``last_seq`` if there is none. It takes as many reads as ``last_seq`` has digits in base 2.
    """
    return _last_before(chat, since_seq, last_seq, at) + 1


def _last_before(chat: ChatMessages, above: int, last_seq: int, at: int) -> int:
    """Return the highest seq before all messages from the time ``at`` on, at least ``above``. Times never fall."""
    low, high = above + 1, last_seq + 1
    while low < high:
        middle = (low + high) // 2
        found = chat.first_from(middle)
        if found is None or found[1] >= at:
            high = middle
        else:
            low = found[0] + 1
    return low - 1


def _leave_out(messages: list[StoredMessage], at: int) -> bool:
    """Drop the last rows with the time ``at``. Return False if all rows have it."""
    count = len(messages)
    while count and messages[count - 1].at == at:
        count -= 1
    if count:
        del messages[count:]
    return count > 0


def _int64(number: int) -> int:
    """Return ``number`` within the range of a database. No seq comes near its limit."""
    return min(number, 2**63 - 1)
