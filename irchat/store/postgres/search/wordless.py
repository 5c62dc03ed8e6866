"""Searches without words: messages with a mark, or that mention a user. Their indexes have them in order."""

from collections.abc import Collection, Iterator

from irchat.interfaces.store import SearchQuery
from irchat.interfaces.stored import StoredMessage
from irchat.store.changed_messages import Hit
from irchat.store.postgres.reads.query import Connection

_MARKED = """
SELECT DISTINCT ON (marks.seq) messages.id, messages.seq FROM marks
    JOIN messages ON messages.chat = marks.chat AND messages.seq = marks.seq
WHERE marks.chat = chats.id AND marks.key = %(mark)s AND marks.seq > since_seq
    AND marks.user_id <> ALL(%(hidden)s::bigint[]) AND sender <> ALL(%(hidden)s::bigint[])
"""
_MENTIONING = """
SELECT messages.id, messages.seq FROM mentions
    JOIN messages ON messages.chat = mentions.chat AND messages.seq = mentions.seq
WHERE mentions.user_id = %(user)s AND mentions.chat = chats.id AND mentions.seq > since_seq
    AND sender <> ALL(%(hidden)s::bigint[])
ORDER BY mentions.seq DESC LIMIT %(rows)s
"""
_MENTIONED = """
    AND EXISTS (SELECT FROM mentions WHERE mentions.user_id = %(user)s AND mentions.chat = chats.id
        AND mentions.seq = marks.seq)
"""
_NEWEST_MARKED = "ORDER BY marks.seq DESC LIMIT %(rows)s"
_FOUND = """
SELECT found.chat, found.low, found.high, found.rev, found.seq, sender, at, text, notice FROM (
    SELECT chats.id AS chat, low, high, rev, newest.id, newest.seq FROM members
    JOIN chats ON chats.id = members.chat
    CROSS JOIN LATERAL ({newest}) AS newest
    WHERE members.user_id = %(user)s{chat}
    ORDER BY newest.id DESC LIMIT %(rows)s
) AS found JOIN messages ON messages.chat = found.chat AND messages.seq = found.seq ORDER BY found.id DESC
"""


def hits_without_words(connection: Connection, query: SearchQuery, hidden: Collection[int]) -> Iterator[Hit]:
    """Yield the newest messages, up to one more than the limit."""
    marked = _MARKED + (_MENTIONED if query.mentions else "") + _NEWEST_MARKED
    newest = _MENTIONING if query.mark is None else marked
    low, high = query.chat if isinstance(query.chat, tuple) else (None, None)
    chat = ""
    if query.chat is not None:
        chat = " AND chats.id = %(chat)s" if low is None else " AND chats.low = %(low)s AND chats.high = %(high)s"
    values = {
        "user": query.user, "mark": query.mark, "hidden": list(hidden), "rows": query.limit + 1,
        "chat": query.chat if low is None else None, "low": low, "high": high,
    }  # fmt: skip
    for number, low, high, rev, seq, sender, at, text, notice in connection.execute(
        _FOUND.format(newest=newest, chat=chat), values
    ):
        key = number if low is None else (low, high)
        yield number, rev, StoredMessage(key, seq, sender, at, text, notice=notice)
