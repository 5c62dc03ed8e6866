"""How each question is answered from SQLite. Runs in a reader's thread, on that thread's own connection."""

import json
import sqlite3
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from irchat.interfaces import (
    ChatKey,
    ChatState,
    Figures,
    Page,
    PageQuery,
    Snapshot,
    StoredAccount,
    StoredBan,
    StoredGroup,
    StoredMessage,
    StoredToken,
    StoredUser,
)
from irchat.rules import line_bytes
from irchat.store.folding import fold


def snapshot(connection: sqlite3.Connection) -> Snapshot:
    """All that the core keeps in memory."""
    users = [
        StoredUser(user, name, key, bool(removed))
        for user, name, key, removed in connection.execute(
            "SELECT id, name, key, removed_at IS NOT NULL FROM users ORDER BY id"
        )
    ]
    members: dict[int, list[int]] = {}
    for group, user in connection.execute(
        "SELECT members.chat, members.user FROM chats JOIN members ON members.chat = chats.id"
        " WHERE chats.key IS NOT NULL ORDER BY members.chat, members.standing"
    ):
        members.setdefault(group, []).append(user)
    groups = [
        StoredGroup(group, name, key, owner, members[group])
        for group, name, key, owner in connection.execute(
            "SELECT id, name, key, owner FROM chats WHERE key IS NOT NULL ORDER BY id"
        )
    ]
    blocks = connection.execute("SELECT blocker, blocked FROM blocks").fetchall()
    bans = connection.execute("SELECT user, network, until, reason FROM bans ORDER BY rowid")
    return Snapshot(users, groups, blocks, tuple(StoredBan(*row) for row in bans))


def page(connection: sqlite3.Connection, query: PageQuery) -> Page:
    """A page of a chat."""
    membership = connection.execute(
        "SELECT chats.id, last_seq, since_seq, read_seq FROM chats JOIN members"
        f" ON members.chat = chats.id AND members.user = ? WHERE {_chat_is(query.chat)}",
        (query.user, *_chat_values(query.chat)),
    ).fetchone()
    if membership is None:
        return Page([], more=False, last_seq=0)
    chat, last_seq, since_seq, read_seq = membership
    forwards = query.unread or query.after is not None
    above = max(since_seq, read_seq if query.unread else (query.after or 0))
    below = last_seq + 1 if query.before is None else min(query.before, last_seq + 1)
    rows = connection.execute(
        "SELECT seq, sender, at, text FROM messages WHERE chat = ? AND seq > ? AND seq < ?"
        f" AND {_seen('sender', query.hidden)} ORDER BY seq {'ASC' if forwards else 'DESC'} LIMIT ?",
        (chat, _int64(above), _int64(below), query.limit + 1),
    )
    messages: list[StoredMessage] = []
    room = query.page_bytes
    more = False
    for seq, sender, at, text in rows:
        room -= line_bytes(text) + query.overhead
        if len(messages) == query.limit or (room < 0 and messages):
            more = True
            break
        messages.append(StoredMessage(query.chat, seq, sender, at, text))
    if not forwards:
        messages.reverse()
    return Page(messages, more, last_seq)


def chats(connection: sqlite3.Connection, user: int, hidden: Collection[int]) -> list[ChatState]:
    """The user's chats, latest first, with what is unread: the end less the marker, less what blocks hide between.

    Where messages after the marker were deleted, those that are left are counted.
    """
    rows = connection.execute(
        "SELECT chats.id, low, high, last_seq, last_at, read_seq, gaps_up_to"
        " FROM members JOIN chats ON chats.id = members.chat WHERE members.user = ? ORDER BY last_at DESC NULLS LAST",
        (user,),
    ).fetchall()
    states = []
    for chat, low, high, last_seq, last_at, read_seq, gaps_up_to in rows:
        unread = last_seq - read_seq
        if read_seq < gaps_up_to:
            unread = connection.execute(
                f"SELECT count(*) FROM messages WHERE chat = ? AND seq > ? AND {_seen('sender', hidden)}",
                (chat, read_seq),
            ).fetchone()[0]
        elif hidden and unread:
            unread -= connection.execute(
                "SELECT count(*) FROM messages WHERE chat = ? AND seq > ?"
                f" AND NOT {_seen('sender', hidden)}",
                (chat, read_seq),
            ).fetchone()[0]
        key: ChatKey = chat if low is None else (low, high)
        states.append(ChatState(key, last_seq, last_at, read_seq, unread))
    return states


def search(
    connection: sqlite3.Connection,
    user: int,
    words: Sequence[str],
    chat: ChatKey | None,
    hidden: Collection[int],
    limit: int,
    overhead: int,
    page_bytes: int,
) -> tuple[list[StoredMessage], bool]:
    """The newest messages with all ``words``. Each word is handed to FTS5 as a quoted string: data, never syntax."""
    match = []
    if chat is not None:
        within = connection.execute(
            "SELECT chats.id FROM members JOIN chats ON chats.id = members.chat"
            f" WHERE members.user = ? AND {_chat_is(chat)}",
            (user, *_chat_values(chat)),
        ).fetchone()
        if within is None:
            return [], False
        match.append(f'chat:("c{within[0]}")')
    # Of a search in all chats each match is looked up below: to name a thousand chats here costs 500 times as much.
    with_words = " AND ".join(f'"{_quotable(fold(word))}"' for word in words)
    match.append(f"text:({with_words})")
    rows = connection.execute(
        "SELECT chats.id, low, high, messages.seq, sender, at, messages.text FROM message_words"
        " CROSS JOIN message_places AS place ON place.id = message_words.rowid"
        " CROSS JOIN members ON members.user = ? AND members.chat = place.chat AND place.seq > members.since_seq"
        " CROSS JOIN messages ON messages.chat = place.chat AND messages.seq = place.seq"
        " CROSS JOIN chats ON chats.id = place.chat"
        f" WHERE message_words MATCH ? AND {_seen('sender', hidden)}"
        " ORDER BY message_words.rowid DESC LIMIT ?",
        (user, " AND ".join(match), limit + 1),
    )
    found: list[StoredMessage] = []
    room = page_bytes
    for chat_id, low, high, seq, sender, at, text in rows:
        room -= line_bytes(text) + overhead
        if len(found) == limit or (room < 0 and found):
            return found, True
        found.append(StoredMessage(chat_id if low is None else (low, high), seq, sender, at, text))
    return found, False


def password(connection: sqlite3.Connection, user: int) -> str | None:
    """The user's password hash."""
    row = connection.execute("SELECT password FROM users WHERE id = ?", (user,)).fetchone()
    return None if row is None else row[0]


def token(connection: sqlite3.Connection, digest: bytes) -> StoredToken | None:
    """The token with that hash."""
    row = connection.execute("SELECT user, used_at, by_password FROM tokens WHERE hash = ?", (digest,)).fetchone()
    return None if row is None else StoredToken(row[0], row[1], bool(row[2]))


def accounts(connection: sqlite3.Connection, after: str, limit: int) -> list[StoredAccount]:
    """The accounts in the order of their keys."""
    rows = connection.execute(
        "SELECT id, key, created_at FROM users WHERE removed_at IS NULL AND key > ? ORDER BY key LIMIT ?",
        (after, limit),
    )
    return [StoredAccount(*row) for row in rows]


def messages_of(
    connection: sqlite3.Connection, user: int, after: tuple[ChatKey, int] | None, limit: int
) -> list[tuple[ChatKey, int]]:
    """Where the messages of a user stand, chat by chat. There is no index of senders, so that sending costs less."""
    where, values = "1", tuple[Any, ...]()
    if after is not None:
        key, seq = after
        row = connection.execute(f"SELECT id FROM chats WHERE {_chat_is(key)}", _chat_values(key)).fetchone()
        where, values = "(chat, seq) > (?, ?)", (0 if row is None else row[0], seq)
    rows = connection.execute(
        f"SELECT chat, seq, low, high FROM messages JOIN chats ON chats.id = chat WHERE sender = ? AND {where}"
        " ORDER BY chat, seq LIMIT ?",
        (user, *values, limit),
    )
    return [(chat if low is None else (low, high), seq) for chat, seq, low, high in rows]


def figures(connection: sqlite3.Connection) -> Figures:
    """How much there is."""
    counts = connection.execute(
        "SELECT (SELECT count(*) FROM message_places), (SELECT count(*) FROM chats WHERE low IS NOT NULL),"
        " (SELECT count(*) FROM tokens)"
    ).fetchone()
    path = Path(connection.execute("PRAGMA database_list").fetchone()[2])
    size = 0
    for name in (path.name, f"{path.name}-wal"):
        with suppress(OSError):
            size += path.with_name(name).stat().st_size
    return Figures._make((*counts, size))


def _chat_is(key: ChatKey) -> str:
    return "chats.low = ? AND chats.high = ?" if isinstance(key, tuple) else "chats.id = ?"


def _chat_values(key: ChatKey) -> tuple[Any, ...]:
    return key if isinstance(key, tuple) else (key,)


def _seen(column: str, hidden: Collection[int]) -> str:
    """A condition on the sender; ids are numbers of our own."""
    return f"{column} NOT IN (SELECT value FROM json_each('{json.dumps(sorted(hidden))}'))" if hidden else "1"


def _quotable(word: str) -> str:
    """``word`` inside the quotes of FTS5, which would take a NUL for the end of the query."""
    return word.replace('"', '""').replace("\0", " ")


def _int64(number: int) -> int:
    """``number`` as SQLite can hold it; seqs are far below."""
    return min(number, 2**63 - 1)
