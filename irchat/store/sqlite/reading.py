"""The queries of the store. They run in a reader's thread, on that thread's connection."""

import json
import sqlite3
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path

from irchat.interfaces import stored
from irchat.interfaces.store import PageQuery
from irchat.interfaces.stored import ChatKey, Page, StoredChat
from irchat.store.listed_chats import chat_list, deleted_ends
from irchat.store.page_of_chat import MessageRow, page_of, place_of
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
        return changes_page(connection, query, chat, since_seq, rev)._replace(last_seq=last_seq, end=end)
    messages, more = page_of(_Messages(connection, chat, query.hidden), query, since_seq, read_seq, last_seq)
    return Page(with_changes(connection, chat, rev, messages, query.user, query.hidden), more, last_seq, end, rev)


def place(connection: sqlite3.Connection, user: int, key: ChatKey, at: int) -> int:
    """Return the seq of the first message from the time ``at`` on."""
    is_chat, values = chat_is(key)
    found = connection.execute(
        "SELECT chats.id, since_seq, last_seq FROM chats JOIN members"
        f" ON members.chat = chats.id AND members.user = ? WHERE {is_chat}",
        (user, *values),
    ).fetchone()
    if found is None:
        return 1
    chat, since_seq, last_seq = found
    return place_of(_Messages(connection, chat, ()), since_seq, last_seq, at)


class _Messages:
    """A `irchat.store.page_of_chat.ChatMessages`."""

    def __init__(self, connection: sqlite3.Connection, chat: int, hidden: Collection[int]) -> None:
        self._connection = connection
        self._chat = chat
        self._seen, self._hidden = not_hidden(hidden)

    def upwards(self, above: int) -> Iterable[MessageRow]:
        return self._connection.execute(
            f"SELECT seq, sender, at, text, notice FROM messages WHERE chat = ? AND seq > ?{self._seen} ORDER BY seq",
            (self._chat, above, *self._hidden),
        )

    def downwards(self, above: int, below: int) -> Iterable[MessageRow]:
        return self._connection.execute(
            "SELECT seq, sender, at, text, notice FROM messages"
            f" WHERE chat = ? AND seq > ? AND seq < ?{self._seen} ORDER BY seq DESC",
            (self._chat, above, below, *self._hidden),
        )

    def first_from(self, seq: int) -> tuple[int, int] | None:
        found: tuple[int, int] | None = self._connection.execute(
            "SELECT seq, at FROM messages WHERE chat = ? AND seq >= ? ORDER BY seq LIMIT 1", (self._chat, seq)
        ).fetchone()
        return found


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


def chats(connection: sqlite3.Connection, user: int, hidden: Collection[int]) -> list[StoredChat]:
    """Return the user's chats, latest first, with their unread counts.

    The count is the last number less the read marker and the deleted messages after it. Where blocks hide some, or all
    messages of a user were deleted, messages are counted. One statement serves all chats, so that the list of hidden
    users is parsed once.
    """
    if not hidden:
        return chat_list(connection.execute(_CHATS_ALL, (user,)), {})
    values = {"user": user, "hidden": json.dumps(sorted(hidden))}
    deleted = deleted_ends(connection.execute(_DELETED_ENDS, (user,)), hidden)
    return chat_list(connection.execute(_CHATS_NOT_HIDDEN, values), deleted)


_DELETED_ENDS = (
    "SELECT deleted_ends.chat, sender, seq, at FROM members JOIN deleted_ends ON deleted_ends.chat = members.chat"
    " WHERE members.user = ?"
)
_CHATS_ALL = (
    "SELECT chats.id, low, high, since_seq, read_seq, rev, alert,"
    " CASE WHEN read_seq < gaps_up_to THEN (SELECT count(*) FROM messages WHERE chat = chats.id AND seq > read_seq)"
    " WHEN rev = 0 OR read_seq = last_seq THEN last_seq - read_seq ELSE last_seq - read_seq"
    " - (SELECT count(*) FROM amended WHERE chat = chats.id AND seq > read_seq AND deleted) END,"
    " CASE WHEN read_seq < last_seq THEN"
    " (SELECT count(*) FROM mentions WHERE user = members.user AND chat = chats.id AND seq > read_seq) ELSE 0 END,"
    " last_seq, last_at FROM members JOIN chats ON chats.id = members.chat WHERE members.user = ?"
)
_NOT_HIDDEN = "sender NOT IN (SELECT value FROM json_each(:hidden))"
# The LIMIT keeps SQLite from merging the inner query, so that each end is looked up once.
_CHATS_NOT_HIDDEN = (
    "SELECT mine.id, low, high, since_seq, read_seq, rev, alert, CASE WHEN end > read_seq THEN"
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
    row = connection.execute(
        "SELECT user, used_at, by_password, label FROM tokens WHERE hash = ?", (digest,)
    ).fetchone()
    return None if row is None else stored.StoredToken(row[0], row[1], bool(row[2]), row[3])


def sign_ins(connection: sqlite3.Connection, user: int, limit: int) -> list[stored.StoredSignIn]:
    """Return the tokens of a user, most recently used first."""
    rows = connection.execute(
        "SELECT hash, created_at, used_at, label FROM tokens WHERE user = ? ORDER BY used_at DESC LIMIT ?",
        (user, limit),
    )
    return [stored.StoredSignIn(*row) for row in rows]


def keys(connection: sqlite3.Connection, user: int) -> list[stored.StoredKey]:
    """Return the public keys of the user, oldest first."""
    rows = connection.execute(
        "SELECT kind, blob, fingerprint, comment, added_at, used_at FROM keys WHERE user = ?"
        " ORDER BY added_at, fingerprint",
        (user,),
    )
    return [stored.StoredKey(*row) for row in rows]


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
