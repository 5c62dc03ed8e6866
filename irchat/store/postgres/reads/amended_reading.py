"""Reads of changed messages: their edits, marks and mentions, and pages of changes."""

from collections.abc import Collection, Iterator, Sequence

from irchat.interfaces.store import PageQuery
from irchat.interfaces.stored import Page, StoredMark, StoredMessage
from irchat.store.changed_messages import (
    ChangeRow,
    as_changed,
    in_range,
    marks_of,
    mentions_of,
    page_of_changes,
)
from irchat.store.postgres.reads.query import Connection

_CHUNK = 100

_MENTIONS = "SELECT seq, user_id FROM mentions WHERE chat = %s AND {} ORDER BY seq, user_id"
_AMENDED = "SELECT seq, rev, edited_at FROM amended WHERE chat = %s AND {} AND NOT deleted"
_MARKS = "SELECT seq, key, mark, user_id FROM marks WHERE chat = %s AND {} ORDER BY seq, at, user_id, key"
_CHANGES = (
    "SELECT amended.rev, amended.seq, deleted, sender, at, text, notice FROM amended LEFT JOIN messages"
    " ON messages.chat = amended.chat AND messages.seq = amended.seq"
    " WHERE amended.chat = %s AND amended.rev > %s ORDER BY amended.rev LIMIT %s"
)


def with_changes(
    connection: Connection, chat: int, rev: int, messages: list[StoredMessage], reader: int, hidden: Collection[int]
) -> list[StoredMessage]:
    """Return messages of a chat, whose last change is ``rev``, as ``reader`` sees them now.

    They are in the order of their seqs, up or down.
    """
    if not messages:
        return messages
    within, values = _within(messages)
    to = mentions_of(connection.execute(_MENTIONS.format(within), (chat, *values)), hidden)
    changes: dict[int, tuple[int, int | None]] = {}
    marks: dict[int, tuple[StoredMark, ...]] = {}
    if rev:
        rows = connection.execute(_AMENDED.format(within), (chat, *values))
        changes = {seq: (rev_of_message, edited_at) for seq, rev_of_message, edited_at in rows}
        if changes:
            marks = marks_of(connection.execute(_MARKS.format(within), (chat, *values)), reader, hidden)
    return as_changed(messages, to, changes, marks)


def changes_page(
    connection: Connection, query: PageQuery, chat: int, since_seq: int, rev: int, hidden: Collection[int]
) -> Page:
    """Return a page of the changes of a chat after ``query.after_rev``, without ``last_seq`` and ``end``."""
    return page_of_changes(
        _changes(connection, chat, query.after_rev or 0), query, since_seq, rev, hidden,
        lambda messages: with_changes(connection, chat, rev, messages, query.user, hidden),
    )  # fmt: skip


def _changes(connection: Connection, chat: int, after: int) -> Iterator[ChangeRow]:
    more = True
    while more:
        rows = connection.execute(_CHANGES, (chat, after, _CHUNK)).fetchall()
        yield from rows
        more = len(rows) == _CHUNK
        if more:
            after = rows[-1][0]


def _within(messages: Sequence[StoredMessage]) -> tuple[str, tuple[int | list[int], ...]]:
    """Return an SQL condition for what belongs to messages of a chat, and its values."""
    found = in_range(messages)
    if found is not None:
        return "seq BETWEEN %s AND %s", found
    return "seq = ANY(%s::bigint[])", ([message.seq for message in messages],)
