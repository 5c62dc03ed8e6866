"""Reads of changed messages: their edits, marks and mentions, and pages of changes."""

import json
import sqlite3
from collections.abc import Collection, Sequence

from irchat.interfaces.store import PageQuery
from irchat.interfaces.stored import Page, StoredMark, StoredMessage
from irchat.protocol.marks import NAMES_OF_MARK
from irchat.protocol.rules import line_bytes

Hit = tuple[int, int, StoredMessage]
"""A message, with the number and ``rev`` of its chat."""

# The rows that one page of changes reads, in case that the reader may not see most of them.
_CHANGES_READ = 10_000
# Messages that are at most so many times further apart than a row of neighbours are read as one range.
_SPARSE = 4


def with_changes(
    connection: sqlite3.Connection,
    chat: int,
    rev: int,
    messages: list[StoredMessage],
    reader: int,
    hidden: Collection[int],
) -> list[StoredMessage]:
    """Return messages of a chat, whose last change is ``rev``, as ``reader`` sees them now, in the same order."""
    if not messages:
        return messages
    within, values = _within(chat, [message.seq for message in messages])
    to: dict[int, list[int]] = {}
    for seq, user in connection.execute(f"SELECT seq, user FROM mentions WHERE {within} ORDER BY seq, user", values):
        if user not in hidden:
            to.setdefault(seq, []).append(user)
    changes: dict[int, tuple[int, int | None]] = {}
    marks: dict[int, tuple[StoredMark, ...]] = {}
    if rev:
        rows = connection.execute(f"SELECT seq, rev, edited_at FROM amended WHERE {within} AND NOT deleted", values)
        changes = {seq: (rev_of_message, edited_at) for seq, rev_of_message, edited_at in rows}
        if changes:
            marks = _marks(connection, chat, list(changes), reader, hidden)
    if not (to or changes):
        return messages
    return [
        StoredMessage(*message[:5], *changes.get(message.seq, (0, None)), marks.get(message.seq, ()), tuple(to_these))
        if (to_these := to.get(message.seq, ())) or message.seq in changes
        else message
        for message in messages
    ]


def hits_with_changes(
    connection: sqlite3.Connection,
    hits: Sequence[Hit],
    reader: int,
    hidden: Collection[int],
) -> list[StoredMessage]:
    """Return messages of any chats as ``reader`` sees them now, in the same order."""
    chats: dict[tuple[int, int], list[StoredMessage]] = {}
    for chat, rev, message in hits:
        chats.setdefault((chat, rev), []).append(message)
    found = {
        (chat, message.seq): message
        for (chat, rev), messages in chats.items()
        for message in with_changes(connection, chat, rev, messages, reader, hidden)
    }
    return [found[chat, message.seq] for chat, _, message in hits]


def changes_page(
    connection: sqlite3.Connection, query: PageQuery, after_rev: int, chat: int, since_seq: int, rev: int
) -> Page:
    """Return a page of the changes of a chat after ``after_rev``, without ``last_seq`` and ``end``."""
    messages: list[StoredMessage] = []
    deleted: dict[int, int] = {}
    room = query.page_bytes
    covered = after_rev
    count = 0
    more = False
    rows = connection.execute(
        "SELECT amended.rev, amended.seq, deleted, sender, at, text FROM amended LEFT JOIN messages USING (chat, seq)"
        " WHERE amended.chat = ? AND amended.rev > ? ORDER BY amended.rev LIMIT ?",
        (chat, after_rev, _CHANGES_READ),
    )
    for rev_of_message, seq, is_deleted, sender, at, text in rows:
        count += 1
        if seq > since_seq and (is_deleted or sender not in query.hidden):
            room -= query.overhead + (0 if is_deleted else line_bytes(text))
            if (messages or deleted) and (room < 0 or len(messages) + len(deleted) == query.limit):
                more = True
                break
            if is_deleted:
                deleted[seq] = rev_of_message
            else:
                messages.append(StoredMessage(query.chat, seq, sender, at, text))
        covered = rev_of_message
    if not more and count < _CHANGES_READ:
        covered = rev
    messages = with_changes(connection, chat, rev, messages, query.user, query.hidden)
    return Page(messages, covered < rev, 0, 0, covered, tuple(deleted), tuple(deleted.values()))


def _marks(
    connection: sqlite3.Connection, chat: int, seqs: Sequence[int], reader: int, hidden: Collection[int]
) -> dict[int, tuple[StoredMark, ...]]:
    """Return the marks of messages, each where it was first put."""
    within, values = _within(chat, seqs)
    found: dict[int, dict[str, tuple[str, list[int]]]] = {}
    for seq, key, mark, user in connection.execute(
        f"SELECT seq, key, mark, user FROM marks WHERE {within} ORDER BY seq, at, user, key", values
    ):
        if user not in hidden:
            found.setdefault(seq, {}).setdefault(key, (mark, []))[1].append(user)
    return {
        seq: tuple(
            StoredMark(mark, len(users), tuple(users[:NAMES_OF_MARK]), reader in users)
            for mark, users in marks.values()
        )
        for seq, marks in found.items()
    }


def _within(chat: int, seqs: Sequence[int]) -> tuple[str, tuple[int | str, ...]]:
    """Return an SQL condition for the messages ``seqs`` of a chat, and its values.

    For neighbours it is their range, which may hold others too.
    """
    low, high = min(seqs), max(seqs)
    if high - low < _SPARSE * len(seqs):
        return "chat = ? AND seq BETWEEN ? AND ?", (chat, low, high)
    return "chat = ? AND seq IN (SELECT value FROM json_each(?))", (chat, json.dumps(seqs))
