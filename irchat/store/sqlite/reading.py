"""The queries of the store. They run in a reader's thread, on that thread's connection."""

import json
import sqlite3
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from irchat.interfaces import stored
from irchat.interfaces.store import PageQuery
from irchat.interfaces.stored import ChatKey, Page, StoredChat, StoredMessage
from irchat.protocol.rules import line_bytes
from irchat.store.sqlite.amending.amended_reading import changes_page, with_changes
from irchat.store.sqlite.search.indexing import DELETED_CHARACTERS

# The messages that one call of `messages_of` reads.
_LOOKED_AT = 20_000


def snapshot(connection: sqlite3.Connection) -> stored.Snapshot:
    """Return all that the core keeps in memory."""
    users = [
        stored.StoredUser(user, name, key, bool(removed))
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
        stored.StoredGroup(group, name, key, owner, members[group])
        for group, name, key, owner in connection.execute(
            "SELECT id, name, key, owner FROM chats WHERE key IS NOT NULL ORDER BY id"
        )
    ]
    blocks = connection.execute("SELECT blocker, blocked FROM blocks").fetchall()
    bans = connection.execute("SELECT user, network, until, reason FROM bans ORDER BY rowid")
    return stored.Snapshot(users, groups, blocks, tuple(stored.StoredBan(*row) for row in bans))


def page(connection: sqlite3.Connection, query: PageQuery) -> Page:
    """Return a page of a chat."""
    is_chat, values = chat_is(query.chat)
    membership = connection.execute(
        "SELECT chats.id, last_seq, rev, since_seq, read_seq FROM chats JOIN members"
        f" ON members.chat = chats.id AND members.user = ? WHERE {is_chat}",
        (query.user, *values),
    ).fetchone()
    if membership is None:
        return Page([], more=False, last_seq=0)
    chat, last_seq, rev, since_seq, read_seq = membership
    end = _end(connection, chat, since_seq, last_seq, query.hidden)
    if query.after_rev is not None:
        found = changes_page(connection, query, query.after_rev, chat, since_seq, rev)
        return found._replace(last_seq=last_seq, end=end)
    if query.around is not None:
        messages, more = _around(connection, query, query.around, chat, since_seq)
    elif query.unread or query.after is not None or query.since is not None:
        above = max(since_seq, read_seq if query.unread else (query.after or 0))
        if query.since is not None:
            above = _last_before(connection, chat, above, last_seq, query.since)
        messages, more = _walk(connection, query, chat, above, None, query.limit, query.page_bytes)
    else:
        below = last_seq + 1 if query.before is None else query.before
        messages, more = _walk(connection, query, chat, since_seq, below, query.limit, query.page_bytes)
    return Page(with_changes(connection, chat, rev, messages, query.user, query.hidden), more, last_seq, end, rev)


def _walk(
    connection: sqlite3.Connection,
    query: PageQuery,
    chat: int,
    above: int,
    below: int | None,
    limit: int,
    room: int,
    *,
    may_be_empty: bool = False,
) -> tuple[list[StoredMessage], bool]:
    """Return messages, oldest first, and whether there are more: from ``above`` up or, with ``below``, from it down.

    Their texts and overhead fit in ``room`` bytes, except those of the first one, unless ``may_be_empty``.
    """
    forwards = below is None
    seen, hidden = not_hidden(query.hidden)
    rows = connection.execute(
        f"SELECT seq, sender, at, text FROM messages WHERE chat = ? AND seq > ?{'' if forwards else ' AND seq < ?'}"
        f"{seen} ORDER BY seq {'ASC' if forwards else 'DESC'}",
        (chat, _int64(above), *(() if below is None else (_int64(below),)), *hidden),
    )
    messages: list[StoredMessage] = []
    more = False
    key, new = query.chat, tuple.__new__  # with all values given it takes half the time
    for seq, sender, at, text in rows:
        room -= line_bytes(text) + query.overhead
        if (messages or may_be_empty) and (room < 0 or len(messages) >= limit):
            more = not messages or at != messages[-1].at or _leave_out(messages, at) or room < 0
            if more:
                break
        messages.append(new(StoredMessage, (key, seq, sender, at, text, 0, None, (), ())))
    if not forwards:
        messages.reverse()
    return messages, more


def _around(
    connection: sqlite3.Connection, query: PageQuery, around: int, chat: int, since_seq: int
) -> tuple[list[StoredMessage], bool]:
    """Return the messages from ``around`` on and those before it, and whether there are more of either.

    Each part gets half of the bytes, and the earlier part also what the later one leaves.
    """
    half = query.limit // 2
    above = max(since_seq, around - 1)
    room = query.page_bytes - query.page_bytes // 2 if half else query.page_bytes
    later, more = _walk(connection, query, chat, above, None, query.limit - half, room)
    if not half:
        return later, more
    room = query.page_bytes - sum(line_bytes(message.text) + query.overhead for message in later)
    earlier, more_earlier = _walk(connection, query, chat, since_seq, around, half, room, may_be_empty=True)
    return earlier + later, more or more_earlier


def _last_before(connection: sqlite3.Connection, chat: int, above: int, last_seq: int, at: int) -> int:
    """Return the highest seq before all messages from the time ``at`` on, at least ``above``. Times never fall."""
    low, high = above + 1, last_seq + 1
    while low < high:
        middle = (low + high) // 2
        found = connection.execute(
            "SELECT seq, at FROM messages WHERE chat = ? AND seq >= ? ORDER BY seq LIMIT 1", (chat, middle)
        ).fetchone()
        if found is None or found[1] >= at:
            high = middle
        else:
            low = found[0] + 1
    return low - 1


def _leave_out(messages: list[StoredMessage], at: int) -> bool:
    """Drop the last rows that have this time too. Return False if all have it."""
    count = len(messages)
    while count and messages[count - 1].at == at:
        count -= 1
    if count:
        del messages[count:]
    return count > 0


def _end(connection: sqlite3.Connection, chat: int, since_seq: int, last_seq: int, hidden: Collection[int]) -> int:
    """Return the number of the last message of a chat that is not hidden, deleted ones included, or 0."""
    if last_seq <= since_seq:
        return 0
    if not hidden:
        return last_seq
    last = connection.execute("SELECT sender FROM messages WHERE chat = ? AND seq = ?", (chat, last_seq)).fetchone()
    if last is not None and last[0] not in hidden:
        return last_seq
    condition, values = not_hidden(hidden)
    ends = connection.execute(
        f"SELECT (SELECT seq FROM messages WHERE chat = ? AND seq > ?{condition} ORDER BY seq DESC LIMIT 1),"
        f" (SELECT max(seq) FROM deleted_ends WHERE chat = ? AND seq > ?{condition})",
        (chat, since_seq, *values) * 2,
    ).fetchone()
    return max(end or 0 for end in ends)


class _ListedChat(NamedTuple):
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


def chats(connection: sqlite3.Connection, user: int, hidden: Collection[int]) -> list[StoredChat]:
    """Return the user's chats, latest first, with their unread counts.

    The count is the last number less the read marker and the deleted messages after it. Where blocks hide some, or all
    messages of a user were deleted, messages are counted. One statement serves all chats, so that the list of hidden
    users is parsed once.
    """
    rows = (
        connection.execute(_CHATS_ALL, (user,))
        if not hidden
        else connection.execute(_CHATS_NOT_HIDDEN, {"user": user, "hidden": json.dumps(sorted(hidden))})
    )
    deleted = _deleted_ends(connection, user, hidden) if hidden else {}
    states = []
    for row in map(_ListedChat._make, rows):
        last_seq, last_at = max((row.end or 0, row.end_at), deleted.get(row.chat, (0, None)), key=lambda end: end[0])
        if last_seq <= row.since_seq:
            last_seq, last_at = 0, None
        if row.low is None or row.high is None or last_seq:
            key = row.chat if row.low is None or row.high is None else (row.low, row.high)
            read_seq = min(row.read_seq, last_seq)
            states.append(StoredChat(key, last_seq, last_at, read_seq, row.unread, row.rev, row.mentions, row.alert))
    states.sort(key=lambda state: state.last_at or 0, reverse=True)
    return states


def _deleted_ends(
    connection: sqlite3.Connection, user: int, hidden: Collection[int]
) -> dict[int, tuple[int, int | None]]:
    """Return for each chat of the user the number and time of the last deleted message that is not hidden."""
    ends: dict[int, tuple[int, int | None]] = {}
    for chat, sender, seq, at in connection.execute(
        "SELECT deleted_ends.chat, sender, seq, at FROM members JOIN deleted_ends ON deleted_ends.chat = members.chat"
        " WHERE members.user = ?",
        (user,),
    ):
        if sender not in hidden and seq > ends.get(chat, (0, None))[0]:
            ends[chat] = seq, at
    return ends


_CHATS_ALL = (
    "SELECT chats.id, low, high, last_seq, since_seq, read_seq, rev, alert,"
    " CASE WHEN read_seq < gaps_up_to THEN (SELECT count(*) FROM messages WHERE chat = chats.id AND seq > read_seq)"
    " WHEN rev = 0 OR read_seq = last_seq THEN last_seq - read_seq ELSE last_seq - read_seq"
    " - (SELECT count(*) FROM amended WHERE chat = chats.id AND seq > read_seq AND deleted) END,"
    " (SELECT count(*) FROM mentions WHERE user = members.user AND chat = chats.id AND seq > read_seq),"
    " last_seq, last_at FROM members JOIN chats ON chats.id = members.chat WHERE members.user = ?"
)
_NOT_HIDDEN = "sender NOT IN (SELECT value FROM json_each(:hidden))"
# The LIMIT keeps SQLite from merging the inner query, so that each end is looked up once.
_CHATS_NOT_HIDDEN = (
    "SELECT mine.id, low, high, last_seq, since_seq, read_seq, rev, alert, CASE WHEN end > read_seq THEN"
    f" (SELECT count(*) FROM messages WHERE chat = mine.id AND seq > read_seq AND {_NOT_HIDDEN}) ELSE 0 END,"
    " CASE WHEN end > read_seq THEN (SELECT count(*) FROM mentions CROSS JOIN messages USING (chat, seq)"
    f" WHERE mentions.user = :user AND mentions.chat = mine.id AND mentions.seq > read_seq AND {_NOT_HIDDEN})"
    " ELSE 0 END, end, at FROM (SELECT chats.id, low, high, last_seq, since_seq, read_seq, rev, alert,"
    " (SELECT seq FROM messages WHERE chat = chats.id AND seq > since_seq"
    f" AND {_NOT_HIDDEN} ORDER BY seq DESC LIMIT 1) AS end"
    " FROM members JOIN chats ON chats.id = members.chat WHERE members.user = :user LIMIT -1) AS mine"
    " LEFT JOIN messages ON messages.chat = mine.id AND messages.seq = end"
)


def alert(connection: sqlite3.Connection, user: int, chat: ChatKey) -> str | None:
    """Return when the chat alerts the user, if the user has set it."""
    is_chat, values = chat_is(chat)
    row = connection.execute(
        f"SELECT alert FROM chats JOIN members ON members.chat = chats.id AND members.user = ? WHERE {is_chat}",
        (user, *values),
    ).fetchone()
    return None if row is None else row[0]


def password(connection: sqlite3.Connection, user: int) -> str | None:
    """Return the password hash of the user."""
    row = connection.execute("SELECT password FROM users WHERE id = ?", (user,)).fetchone()
    return None if row is None else row[0]


def token(connection: sqlite3.Connection, digest: bytes) -> stored.StoredToken | None:
    """Return the token with that hash, or None."""
    row = connection.execute("SELECT user, used_at, by_password FROM tokens WHERE hash = ?", (digest,)).fetchone()
    return None if row is None else stored.StoredToken(row[0], row[1], bool(row[2]))


def accounts(connection: sqlite3.Connection, after: str, limit: int) -> list[stored.StoredAccount]:
    """Return accounts in the order of their keys."""
    rows = connection.execute(
        "SELECT id, key, created_at FROM users WHERE removed_at IS NULL AND key > ? ORDER BY key LIMIT ?",
        (after, limit),
    )
    return [stored.StoredAccount(*row) for row in rows]


def messages_of(connection: sqlite3.Connection, user: int, after: tuple[int, int] | None, limit: int) -> stored.Places:
    """Return the places of a user's messages. All messages are read: an index of senders would slow down sending."""
    further = after or (0, 0)
    rows = connection.execute(
        "SELECT chat, seq, sender, CASE WHEN sender = ? THEN length(text) END, low, high"
        " FROM messages JOIN chats ON chats.id = chat WHERE (chat, seq) > (?, ?) ORDER BY chat, seq LIMIT ?",
        (user, *further, _LOOKED_AT),
    )
    places: list[tuple[ChatKey, int]] = []
    room = DELETED_CHARACTERS
    count = 0
    for chat, seq, sender, length, low, high in rows:
        if sender == user:
            room -= length
            if len(places) == limit or (room < 0 and places):
                return stored.Places(tuple(places), further)
            places.append((chat if low is None else (low, high), seq))
        further = chat, seq
        count += 1
    return stored.Places(tuple(places), further if count == _LOOKED_AT else None)


def marks_of(connection: sqlite3.Connection, users: Collection[int], limit: int) -> list[stored.PlacedMark]:
    """Return some marks of these users."""
    rows = connection.execute(
        "SELECT chats.id, low, high, seq, user, mark, marks.key FROM json_each(?) AS wanted"
        " CROSS JOIN marks ON user = wanted.value JOIN chats ON chats.id = chat LIMIT ?",
        (json.dumps(list(users)), limit),
    )
    return [stored.PlacedMark(chat if low is None else (low, high), *mark) for chat, low, high, *mark in rows]


def figures(connection: sqlite3.Connection) -> stored.Figures:
    """Return the sizes of the tables."""
    counts = connection.execute(
        "SELECT (SELECT count(*) FROM message_places), (SELECT count(*) FROM chats WHERE low IS NOT NULL),"
        " (SELECT count(*) FROM tokens)"
    ).fetchone()
    path = Path(connection.execute("PRAGMA database_list").fetchone()[2])
    size = 0
    for name in (path.name, f"{path.name}-wal"):
        with suppress(OSError):
            size += path.with_name(name).stat().st_size
    return stored.Figures._make((*counts, size))


def chat_is(key: ChatKey) -> tuple[str, tuple[int, ...]]:
    """Return an SQL condition on the chat, and its values."""
    return ("chats.low = ? AND chats.high = ?", key) if isinstance(key, tuple) else ("chats.id = ?", (key,))


def not_hidden(hidden: Collection[int]) -> tuple[str, tuple[str, ...]]:
    """Return an SQL condition on the sender, and its values."""
    if not hidden:
        return "", ()
    return " AND sender NOT IN (SELECT value FROM json_each(?))", (json.dumps(sorted(hidden)),)


def _int64(number: int) -> int:
    """Return ``number`` within the range of SQLite. No seq comes near its limit."""
    return min(number, 2**63 - 1)
