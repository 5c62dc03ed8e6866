"""Reads of changed messages: their edits, marks and mentions, and pages of changes."""

import json
import sqlite3
from collections.abc import Collection, Sequence

from irchat.interfaces.store import PageQuery
from irchat.interfaces.stored import Page, StoredMark, StoredMessage
from irchat.store.changed_messages import as_changed, in_range, marks_of, mentions_of, page_of_changes

_Values = tuple[int | str, ...]


def with_changes(
    connection: sqlite3.Connection,
    chat: int,
    rev: int,
    messages: list[StoredMessage],
    reader: int,
    hidden: Collection[int],
) -> list[StoredMessage]:
    """Return messages of a chat, whose last change is ``rev``, as ``reader`` sees them now.

    They are in the order of their seqs, up or down.
    """
    if not messages:
        return messages
    within, values = _within(chat, messages)
    mentions = connection.execute(f"SELECT seq, user FROM mentions WHERE {within} ORDER BY seq, user", values)
    to = mentions_of(mentions, hidden)
    changes: dict[int, tuple[int, int | None]] = {}
    marks: dict[int, tuple[StoredMark, ...]] = {}
    if rev:
        rows = connection.execute(f"SELECT seq, rev, edited_at FROM amended WHERE {within} AND NOT deleted", values)
        changes = {seq: (rev_of_message, edited_at) for seq, rev_of_message, edited_at in rows}
        if changes:
            found = f"SELECT seq, key, mark, user FROM marks WHERE {within} ORDER BY seq, at, user, key"
            marks = marks_of(connection.execute(found, values), reader, hidden)
    return as_changed(messages, to, changes, marks)


def changes_page(connection: sqlite3.Connection, query: PageQuery, chat: int, since_seq: int, rev: int) -> Page:
    """Return a page of the changes of a chat after ``query.after_rev``, without ``last_seq`` and ``end``."""
    rows = connection.execute(
        "SELECT amended.rev, amended.seq, deleted, sender, at, text, notice"
        " FROM amended LEFT JOIN messages USING (chat, seq)"
        " WHERE amended.chat = ? AND amended.rev > ? ORDER BY amended.rev",
        (chat, query.after_rev),
    )
    return page_of_changes(
        rows, query, since_seq, rev, query.hidden,
        lambda messages: with_changes(connection, chat, rev, messages, query.user, query.hidden),
    )  # fmt: skip


def _within(chat: int, messages: Sequence[StoredMessage]) -> tuple[str, _Values]:
    """Return an SQL condition for what belongs to messages of a chat, and its values."""
    found = in_range(messages)
    if found is not None:
        return "chat = ? AND seq BETWEEN ? AND ?", (chat, *found)
    seqs = [message.seq for message in messages]
    return "chat = ? AND seq IN (SELECT value FROM json_each(?))", (chat, json.dumps(seqs))
