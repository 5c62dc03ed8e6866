"""The reads of the store. Each runs in the transaction of `irchat.store.postgres.reads.query.read`."""

from collections.abc import Collection, Iterator

from irchat.interfaces import stored
from irchat.interfaces.store import PageQuery
from irchat.interfaces.stored import ChatKey, Page, StoredChat
from irchat.store.listed_chats import chat_list, deleted_ends
from irchat.store.page_of_chat import MessageRow, page_of, place_of
from irchat.store.postgres.reads.amended_reading import changes_page, with_changes
from irchat.store.postgres.reads.query import Connection

# The rows of a page are fetched in growing parts, so that few rows are fetched for nothing where texts are long.
_FIRST_PART = 64
_LARGEST_PART = 1_024
# The messages that one call of `messages_of` reads, and the most characters of those that it returns.
_LOOKED_AT = 20_000
_CHARACTERS = 16_384


def snapshot(connection: Connection) -> stored.Snapshot:
    """Return all that the core keeps in memory."""
    run = connection.execute
    users = [
        stored.StoredUser(*row) for row in run("SELECT id, name, key, removed_at IS NOT NULL FROM users ORDER BY id")
    ]
    members: dict[int, list[int]] = {}
    for group, user in run(
        "SELECT members.chat, members.user_id FROM chats JOIN members ON members.chat = chats.id"
        " WHERE chats.key IS NOT NULL ORDER BY members.chat, members.standing"
    ):
        members.setdefault(group, []).append(user)
    groups = [
        stored.StoredGroup(group, name, key, owner, members[group])
        for group, name, key, owner in run("SELECT id, name, key, owner FROM chats WHERE key IS NOT NULL ORDER BY id")
    ]
    blocks = run("SELECT blocker, blocked FROM blocks ORDER BY blocker, blocked").fetchall()
    bans = run("SELECT user_id, network, until, reason FROM bans ORDER BY id")
    return stored.Snapshot(users, groups, blocks, tuple(stored.StoredBan(*row) for row in bans))


def page(connection: Connection, query: PageQuery) -> Page:
    """Return a page of a chat."""
    is_chat, values = chat_is(query.chat)
    membership = connection.execute(
        "SELECT chats.id, last_seq, rev, since_seq, read_seq FROM chats JOIN members"
        f" ON members.chat = chats.id AND members.user_id = %s WHERE {is_chat}",
        (query.user, *values),
    ).fetchone()
    if membership is None:
        return Page([], more=False, last_seq=0)
    chat, last_seq, rev, since_seq, read_seq = membership
    hidden = hidden_from(connection, query.user, query.hidden)
    end = _end(connection, chat, since_seq, last_seq, hidden)
    if query.after_rev is not None:
        return changes_page(connection, query, chat, since_seq, rev, hidden)._replace(last_seq=last_seq, end=end)
    messages, more = page_of(_Messages(connection, chat, hidden), query, since_seq, read_seq, last_seq)
    return Page(with_changes(connection, chat, rev, messages, query.user, hidden), more, last_seq, end, rev)


def place(connection: Connection, user: int, key: ChatKey, at: int) -> int:
    """Return the seq of the first message from the time ``at`` on."""
    is_chat, values = chat_is(key)
    found = connection.execute(
        "SELECT chats.id, since_seq, last_seq FROM chats JOIN members"
        f" ON members.chat = chats.id AND members.user_id = %s WHERE {is_chat}",
        (user, *values),
    ).fetchone()
    if found is None:
        return 1
    chat, since_seq, last_seq = found
    return place_of(_Messages(connection, chat, ()), since_seq, last_seq, at)


class _Messages:
    """A `irchat.store.page_of_chat.ChatMessages`."""

    def __init__(self, connection: Connection, chat: int, hidden: Collection[int]) -> None:
        self._connection = connection
        self._chat = chat
        self._hidden = list(hidden)
        self._rows = f"SELECT seq, sender, at, text, notice FROM messages WHERE chat = %s AND {not_hidden(hidden)} AND "

    def upwards(self, above: int) -> Iterator[MessageRow]:
        for part in _parts():
            rows = self._fetched("seq > %s ORDER BY seq LIMIT %s", above, part)
            yield from rows
            if len(rows) < part:
                return
            above = rows[-1][0]

    def downwards(self, above: int, below: int) -> Iterator[MessageRow]:
        for part in _parts():
            rows = self._fetched("seq > %s AND seq < %s ORDER BY seq DESC LIMIT %s", above, below, part)
            yield from rows
            if len(rows) < part:
                return
            below = rows[-1][0]

    def first_from(self, seq: int) -> tuple[int, int] | None:
        found: tuple[int, int] | None = self._connection.execute(
            "SELECT seq, at FROM messages WHERE chat = %s AND seq >= %s ORDER BY seq LIMIT 1", (self._chat, seq)
        ).fetchone()
        return found

    def _fetched(self, condition: str, *values: int) -> list[MessageRow]:
        hidden = [self._hidden] if self._hidden else []
        return self._connection.execute(self._rows + condition, (self._chat, *hidden, *values)).fetchall()


def _parts() -> Iterator[int]:
    """Yield the sizes of the parts."""
    part = _FIRST_PART
    while True:
        yield part
        part = min(2 * part, _LARGEST_PART)


def _end(connection: Connection, chat: int, since_seq: int, last_seq: int, hidden: Collection[int]) -> int:
    """Return the number of the last message of a chat that is not hidden, deleted ones included, or 0."""
    if last_seq <= since_seq:
        return 0
    if not hidden:
        return last_seq
    seen = not_hidden(hidden)
    values = (chat, since_seq, list(hidden))
    ends = connection.execute(
        f"SELECT (SELECT seq FROM messages WHERE chat = %s AND seq > %s AND {seen} ORDER BY seq DESC LIMIT 1),"
        f" (SELECT max(seq) FROM deleted_ends WHERE chat = %s AND seq > %s AND {seen})",
        values * 2,
    ).fetchone()
    return max(end or 0 for end in ends or (0,))


def chats(connection: Connection, user: int, hidden: Collection[int]) -> list[StoredChat]:
    """Return the user's chats, latest first, with their unread counts.

    The count is the last number less the read marker and the deleted messages after it. Where blocks hide some, or all
    messages of a user were deleted, messages are counted.
    """
    hidden = hidden_from(connection, user, hidden)
    if not hidden:
        return chat_list(connection.execute(_CHATS_ALL, (user,)), {})
    deleted = deleted_ends(connection.execute(_DELETED_ENDS, (user,)), hidden)
    rows = connection.execute(_CHATS_NOT_HIDDEN, {"user": user, "hidden": list(hidden)})
    return chat_list(rows, deleted)


_CHATS_ALL = """
SELECT chats.id, low, high, since_seq, read_seq, rev, alert,
    CASE
        WHEN read_seq < gaps_up_to THEN
            (SELECT count(*) FROM messages WHERE messages.chat = chats.id AND seq > read_seq)
        WHEN rev = 0 OR read_seq = last_seq THEN last_seq - read_seq
        ELSE last_seq - read_seq
            - (SELECT count(*) FROM amended WHERE amended.chat = chats.id AND seq > read_seq AND deleted)
    END,
    (SELECT count(*) FROM mentions
        WHERE mentions.user_id = members.user_id AND mentions.chat = chats.id AND seq > read_seq),
    last_seq, last_at
FROM members JOIN chats ON chats.id = members.chat WHERE members.user_id = %s
"""
_CHATS_NOT_HIDDEN = """
SELECT chats.id, low, high, since_seq, read_seq, rev, alert,
    CASE WHEN shown.seq > read_seq THEN
        (SELECT count(*) FROM messages WHERE messages.chat = chats.id AND messages.seq > read_seq
            AND sender <> ALL(%(hidden)s::bigint[]))
    ELSE 0 END,
    CASE WHEN shown.seq > read_seq THEN
        (SELECT count(*) FROM mentions JOIN messages ON messages.chat = mentions.chat AND messages.seq = mentions.seq
            WHERE mentions.user_id = %(user)s AND mentions.chat = chats.id AND mentions.seq > read_seq
            AND sender <> ALL(%(hidden)s::bigint[]))
    ELSE 0 END,
    shown.seq, shown.at
FROM members JOIN chats ON chats.id = members.chat
LEFT JOIN LATERAL (
    SELECT seq, at FROM messages WHERE messages.chat = chats.id AND seq > since_seq
        AND sender <> ALL(%(hidden)s::bigint[]) ORDER BY seq DESC LIMIT 1
) AS shown ON true
WHERE members.user_id = %(user)s
"""
_DELETED_ENDS = (
    "SELECT deleted_ends.chat, sender, seq, at FROM members JOIN deleted_ends ON deleted_ends.chat = members.chat"
    " WHERE members.user_id = %s"
)


def alert(connection: Connection, user: int, chat: ChatKey) -> str | None:
    """Return when the chat alerts the user, if the user has set it."""
    is_chat, values = chat_is(chat)
    row = connection.execute(
        f"SELECT alert FROM chats JOIN members ON members.chat = chats.id AND members.user_id = %s WHERE {is_chat}",
        (user, *values),
    ).fetchone()
    return None if row is None else row[0]


def password(connection: Connection, user: int) -> str | None:
    """Return the password hash of the user."""
    row = connection.execute("SELECT password FROM users WHERE id = %s", (user,)).fetchone()
    return None if row is None else row[0]


def token(connection: Connection, digest: bytes) -> stored.StoredToken | None:
    """Return the token with that hash, or None."""
    row = connection.execute(
        "SELECT user_id, used_at, by_password, label FROM tokens WHERE hash = %s", (digest,)
    ).fetchone()
    return None if row is None else stored.StoredToken(*row)


def keys(connection: Connection, user: int) -> list[stored.StoredKey]:
    """Return the public keys of the user, oldest first."""
    rows = connection.execute(
        "SELECT kind, blob, fingerprint, comment, added_at, used_at FROM keys WHERE user_id = %s"
        " ORDER BY added_at, fingerprint",
        (user,),
    )
    return [stored.StoredKey(*row) for row in rows]


def sign_ins(connection: Connection, user: int, limit: int) -> list[stored.StoredSignIn]:
    """Return the tokens of a user, most recently used first. OFFSET keeps the order from choosing the index."""
    rows = connection.execute(
        "SELECT hash, created_at, used_at, label FROM (SELECT * FROM tokens WHERE user_id = %s OFFSET 0) AS of_user"
        " ORDER BY used_at DESC LIMIT %s",
        (user, limit),
    )
    return [stored.StoredSignIn(*row) for row in rows]


def accounts(connection: Connection, after: str, limit: int) -> list[stored.StoredAccount]:
    """Return accounts in the order of their keys."""
    rows = connection.execute(
        "SELECT id, key, created_at FROM users WHERE removed_at IS NULL AND key > %s ORDER BY key LIMIT %s",
        (after.replace("\0", ""), limit),
    )
    return [stored.StoredAccount(*row) for row in rows]


def messages_of(connection: Connection, user: int, after: tuple[int, int] | None, limit: int) -> stored.Places:
    """Return the places of a user's messages. All messages are read: an index of senders would slow down sending."""
    further = after or (0, 0)
    rows = connection.execute(
        "SELECT chat, seq, sender, CASE WHEN sender = %s THEN length(text) END, low, high"
        " FROM messages JOIN chats ON chats.id = chat WHERE (chat, seq) > (%s, %s) ORDER BY chat, seq LIMIT %s",
        (user, *further, _LOOKED_AT),
    )
    places: list[tuple[ChatKey, int]] = []
    room = _CHARACTERS
    for chat, seq, sender, length, low, high in rows:
        if sender == user:
            room -= length
            if len(places) == limit or (room < 0 and places):
                return stored.Places(tuple(places), further)
            places.append((chat if low is None else (low, high), seq))
        further = chat, seq
    return stored.Places(tuple(places), further if rows.rowcount == _LOOKED_AT else None)


def marks_of(connection: Connection, users: Collection[int], limit: int) -> list[stored.PlacedMark]:
    """Return some marks of these users."""
    rows = connection.execute(
        "SELECT chats.id, low, high, seq, user_id, mark, put.key FROM unnest(%s::bigint[]) AS one (id)"
        " CROSS JOIN LATERAL (SELECT * FROM marks WHERE user_id = one.id ORDER BY user_id, chat, seq LIMIT %s) AS put"
        " JOIN chats ON chats.id = put.chat LIMIT %s",
        (list(users), limit, limit),
    )
    return [stored.PlacedMark(chat if low is None else (low, high), *mark) for chat, low, high, *mark in rows]


def figures(connection: Connection) -> stored.Figures:
    """Return the sizes of the tables."""
    connection.execute("SET LOCAL enable_seqscan = on")
    counts = connection.execute(
        "SELECT (SELECT count(*) FROM messages), (SELECT count(*) FROM chats WHERE low IS NOT NULL),"
        " (SELECT count(*) FROM tokens), pg_database_size(current_database())"
    ).fetchone()
    return stored.Figures._make(counts or (0, 0, 0, 0))


def hidden_from(connection: Connection, user: int, hidden: Collection[int]) -> frozenset[int]:
    """Return the users that are hidden from a user: those of the blocks in this snapshot, and ``hidden``."""
    rows = connection.execute(
        "SELECT blocked FROM blocks WHERE blocker = %(user)s UNION ALL SELECT blocker FROM blocks"
        " WHERE blocked = %(user)s",
        {"user": user},
    )
    return frozenset(hidden).union(other for (other,) in rows)


def chat_is(key: ChatKey) -> tuple[str, tuple[int, ...]]:
    """Return an SQL condition on the chat, and its values."""
    return ("chats.low = %s AND chats.high = %s", key) if isinstance(key, tuple) else ("chats.id = %s", (key,))


def not_hidden(hidden: Collection[int]) -> str:
    """Return an SQL condition on the sender, whose value is the list of hidden users, if there are any."""
    return "sender <> ALL(%s::bigint[])" if hidden else "true"
