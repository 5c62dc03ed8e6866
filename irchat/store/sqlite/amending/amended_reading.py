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

_Values = tuple[int | str, ...]

# The rows that one page of changes reads, in case that the reader may not see most of them.
_CHANGES_READ = 10_000
# Messages are read as one range of seqs if it is less than this many times longer than their number.
_SPARSE = 4


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
            marks = _marks(connection, within, values, reader, hidden)
    changed = changes.keys() | to.keys()
    if not changed:
        return messages
    seen = []
    for message in messages:
        seq = message.seq
        if seq in changed:
            change, users = changes.get(seq, (0, None)), tuple(to.get(seq, ()))
            seen.append(StoredMessage(*message[:5], *change, marks.get(seq, ()), users))
        else:
            seen.append(message)
    return seen


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
    messages.sort(key=lambda message: message.seq)
    messages = with_changes(connection, chat, rev, messages, query.user, query.hidden)
    messages.sort(key=lambda message: message.rev)
    return Page(messages, covered < rev, 0, 0, covered, tuple(deleted), tuple(deleted.values()))


def _marks(
    connection: sqlite3.Connection, within: str, values: _Values, reader: int, hidden: Collection[int]
) -> dict[int, tuple[StoredMark, ...]]:
    """Return the marks of messages, each where it was first put."""
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


def _within(chat: int, messages: Sequence[StoredMessage]) -> tuple[str, _Values]:
    """Return an SQL condition for messages of a chat, in the order of their seqs, and its values.

    For neighbours it is their range, which may hold others too.
    """
    first, last = sorted((messages[0].seq, messages[-1].seq))
    if last - first < _SPARSE * len(messages):
        return "chat = ? AND seq BETWEEN ? AND ?", (chat, first, last)
    seqs = [message.seq for message in messages]
    return "chat = ? AND seq IN (SELECT value FROM json_each(?))", (chat, json.dumps(seqs))
