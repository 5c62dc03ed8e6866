"""Searches without words: messages with a mark, or that mention a user. Their indexes have them in order."""

import heapq
import sqlite3
from collections.abc import Collection, Iterator
from typing import Any

from irchat.interfaces.store import SearchQuery
from irchat.interfaces.stored import ChatKey, StoredMessage
from irchat.store.changed_messages import Hit

_CHATS = (
    "SELECT chats.id, low, high, rev, since_seq FROM members JOIN chats ON chats.id = members.chat"
    " WHERE members.user = :user AND "
)
_CHAT_HAS_MARK = "EXISTS (SELECT 1 FROM marks WHERE chat = chats.id AND key = :mark)"
_CHAT_HAS_MENTION = "EXISTS (SELECT 1 FROM mentions WHERE user = :user AND chat = chats.id)"
_MARKED = (
    "SELECT messages.id, messages.seq, marks.user, sender, messages.at, text, notice FROM marks"
    " CROSS JOIN messages ON messages.chat = marks.chat AND messages.seq = marks.seq"
    " WHERE marks.chat = :chat AND marks.key = :mark AND marks.seq > :since_seq"
)
_MENTIONING = (
    "SELECT messages.id, messages.seq, sender, sender, at, text, notice FROM mentions"
    " CROSS JOIN messages ON messages.chat = mentions.chat AND messages.seq = mentions.seq"
    " WHERE mentions.user = :user AND mentions.chat = :chat AND mentions.seq > :since_seq"
)
_MENTIONED = (
    " AND EXISTS (SELECT 1 FROM mentions WHERE mentions.user = :user AND mentions.chat = :chat"
    " AND mentions.seq = marks.seq)"
)


def hits_without_words(connection: sqlite3.Connection, query: SearchQuery) -> Iterator[Hit | None]:
    """Yield the messages, newest first, and None for each row without one, so that the caller can watch the time."""
    values = {"user": query.user, "mark": query.mark}
    has_one = _CHAT_HAS_MENTION if query.mark is None else _CHAT_HAS_MARK
    by_chat = []
    for row in connection.execute(_CHATS + has_one, values).fetchall():
        key = row[0] if row[1] is None else row[1:3]
        if query.chat in (None, key):
            of_chat = {**values, "chat": row[0], "since_seq": row[4]}
            by_chat.append(_in_chat(connection, key, row[3], of_chat, query.mentions, query.hidden))
    return (hit for _, hit in heapq.merge(*by_chat, key=lambda found: -found[0]))


def _in_chat(
    connection: sqlite3.Connection,
    key: ChatKey,
    rev: int,
    values: dict[str, Any],
    mentions: bool,
    hidden: Collection[int],
) -> Iterator[tuple[int, Hit | None]]:
    """Yield the hits in a chat, each with its number in the order of storing."""
    if values["mark"] is None:
        rows = connection.execute(f"{_MENTIONING} ORDER BY mentions.seq DESC", values)
    else:
        rows = connection.execute(f"{_MARKED}{_MENTIONED if mentions else ''} ORDER BY marks.seq DESC", values)
    last = 0
    for number, seq, by, sender, at, text, notice in rows:
        if number == last or by in hidden or sender in hidden:
            yield number, None
        else:
            last = number
            yield number, (values["chat"], rev, StoredMessage(key, seq, sender, at, text, notice=bool(notice)))
