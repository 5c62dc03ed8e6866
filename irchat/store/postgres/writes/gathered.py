"""The rows of one commit: read together at its beginning, and written together at its end."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from irchat.interfaces.stored import ChatKey, Stored
from irchat.interfaces.writes import MarkerMoved, MessageAdded, NonceSought, Write
from irchat.store.chat_row import ChatRow
from irchat.store.postgres.connecting import Connection

_CHATS = "SELECT id, last_seq, last_at, rev FROM chats WHERE id = ANY(%s::bigint[])"
_PRIVATE_CHATS = (
    "SELECT low, high, id, last_seq, last_at, rev FROM unnest(%s::bigint[], %s::bigint[]) AS wanted (low, high)"
    " JOIN chats USING (low, high)"
)
# Nonces whose message exists, or was deleted by itself, in a chat that exists.
_NONCES = (
    "SELECT wanted.user_id, wanted.nonce, nonces.at, chats.id, low, high, nonces.seq, messages.at"
    " FROM unnest(%s::bigint[], %s::bytea[]) AS wanted (user_id, nonce) JOIN nonces USING (user_id, nonce)"
    " JOIN chats ON chats.id = nonces.chat"
    " LEFT JOIN messages ON messages.chat = nonces.chat AND messages.seq = nonces.seq"
    " LEFT JOIN amended ON amended.chat = nonces.chat AND amended.seq = nonces.seq"
    " WHERE (key IS NOT NULL OR low IS NOT NULL OR chats.id = 1) AND (messages.seq IS NOT NULL OR deleted)"
)
_MARKERS = (
    "SELECT user_id, chat, read_seq, since_seq FROM unnest(%s::bigint[], %s::bigint[]) AS wanted (user_id, chat)"
    " JOIN members USING (user_id, chat) UNION ALL"
    " SELECT user_id, chat, read_seq, since_seq"
    " FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS wanted (user_id, low, high)"
    " JOIN chats USING (low, high) JOIN members USING (user_id) WHERE members.chat = chats.id"
)
_NEW_PRIVATE_CHAT = (
    "WITH made AS (INSERT INTO chats (low, high) VALUES (%s, %s) RETURNING id, low, high), joined AS"
    " (INSERT INTO members (user_id, chat, standing, since_seq, read_seq)"
    " SELECT user_id, id, 0, 0, 0 FROM made, unnest(ARRAY[low, high]) AS user_id) SELECT id FROM made"
)
_FLUSH = (
    "WITH said AS (INSERT INTO messages (chat, seq, id, sender, at, text) SELECT * FROM unnest("
    "%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[])),"
    " counted AS (UPDATE chats SET last_seq = new.last_seq, last_at = new.last_at, rev = new.rev"
    " FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[]) AS new (id, last_seq, last_at, rev)"
    " WHERE chats.id = new.id),"
    " read AS (UPDATE members SET read_seq = new.seq"
    " FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS new (user_id, chat, seq)"
    " WHERE members.user_id = new.user_id AND members.chat = new.chat AND read_seq < new.seq)"
    " INSERT INTO nonces (user_id, nonce, chat, seq, at) SELECT * FROM unnest("
    "%s::bigint[], %s::bytea[], %s::bigint[], %s::bigint[], %s::bigint[]) ON CONFLICT (user_id, nonce)"
    " DO UPDATE SET chat = excluded.chat, seq = excluded.seq, at = excluded.at"
)
_NOTICE = (
    "UPDATE messages SET notice = true FROM unnest(%s::bigint[], %s::bigint[]) AS sent (chat, seq)"
    " WHERE messages.chat = sent.chat AND messages.seq = sent.seq"
)
_MENTION = "INSERT INTO mentions (user_id, chat, seq) SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[])"

NonceKey = tuple[int, bytes]


class Nonce(NamedTuple):
    """A used nonce: when it was used, and the place of its message."""

    at: int
    stored: Stored


class Marker(NamedTuple):
    """The marker of a member of a chat."""

    read_seq: int
    since_seq: int


class GatheredRows:
    """The rows of a commit. If it ``_is_plain``, `_load` has read all of them; otherwise each is read when needed."""

    _connection: Connection
    _is_plain: bool

    def _forget(self) -> None:
        self._chats: dict[ChatKey, ChatRow] = {}
        self._nonces: dict[NonceKey, Nonce] = {}
        self._markers: dict[tuple[int, int], Marker] = {}
        self._drop_gathered()

    def _drop_gathered(self) -> None:
        self._messages: list[tuple[int, int, int, int, int, str]] = []
        self._mentions: list[tuple[int, int, int]] = []
        self._notices: list[tuple[int, int]] = []
        self._touched: dict[int, ChatRow] = {}
        self._read: dict[tuple[int, int], int] = {}
        self._new_nonces: dict[NonceKey, tuple[int, int, int]] = {}

    def _one(self, sql: str, *values: object) -> Any:
        row = self._connection.execute(sql, values).fetchone()
        return None if row is None else row[0]

    def _load(self, writes: Sequence[Write[object]]) -> None:
        """Read, in one round trip, all rows that these writes need, if they are messages, nonces and markers only."""
        chats: set[ChatKey] = set()
        nonces: set[NonceKey] = set()
        markers: set[tuple[int, ChatKey]] = set()
        for write in writes:
            if isinstance(write, MessageAdded | NonceSought) and write.nonce is not None:
                nonces.add((write.sender, nonce_bytes(write.nonce)))
            if isinstance(write, MessageAdded | MarkerMoved):
                chats.add(write.chat)
            if isinstance(write, MarkerMoved):
                markers.add((write.user, write.chat))
        self._read_rows(chats, nonces, markers)

    def _read_rows(
        self, chats: Iterable[ChatKey], nonces: Iterable[NonceKey] = (), markers: Iterable[tuple[int, ChatKey]] = ()
    ) -> None:
        ids = [key for key in chats if not isinstance(key, tuple)]
        pairs = [key for key in chats if isinstance(key, tuple)]
        used = list(nonces)
        run = self._connection.execute
        with self._connection.pipeline():
            by_id = run(_CHATS, (ids,)) if ids else ()
            by_pair = run(_PRIVATE_CHATS, columns(pairs, 2)) if pairs else ()
            found_nonces = run(_NONCES, columns(used, 2)) if used else ()
            found_markers = run(_MARKERS, _of_markers(markers)) if markers else ()
        for row in by_id:
            self._chats[row[0]] = ChatRow(*row)
        for low, high, *row in by_pair:
            self._chats[low, high] = ChatRow(*row)
        for user, nonce, used_at, chat, low, high, seq, at in found_nonces:
            place = Stored(chat if low is None else (low, high), seq, at or used_at, repeated=True)
            self._nonces[user, bytes(nonce)] = Nonce(used_at, place)
        for user, chat, read_seq, since_seq in found_markers:
            self._markers[user, chat] = Marker(read_seq, since_seq)

    def _chat(self, key: ChatKey) -> ChatRow | None:
        row = self._chats.get(key)
        if row is None and not self._is_plain:
            self._read_rows([key])
            row = self._chats.get(key)
        return row

    def _chat_to_write(self, key: ChatKey) -> ChatRow:
        row = self._chat(key)
        if row is None:
            assert isinstance(key, tuple), "a group is made by GroupCreated"
            row = self._chats[key] = ChatRow(self._one(_NEW_PRIVATE_CHAT, *key), 0, None, 0)
        return row

    def _nonce(self, key: NonceKey) -> Nonce | None:
        if not self._is_plain:
            self._flush()
            self._nonces.clear()
            self._read_rows([], [key])
        return self._nonces.get(key)

    def _marker(self, user: int, key: ChatKey, chat: int) -> Marker | None:
        if not self._is_plain:
            self._flush()
            self._markers.clear()
            self._read_rows([], [], [(user, key)])
        return self._markers.get((user, chat))

    def _flush(self) -> None:
        """Write the gathered rows, in one statement."""
        if self._touched or self._read:
            self._connection.execute(
                _FLUSH,
                (
                    *columns(self._messages, 6),
                    *columns(
                        [(row.id, row.last_seq, row.last_at or None, row.rev) for row in self._touched.values()], 4
                    ),
                    *columns([(*member, seq) for member, seq in self._read.items()], 3),
                    *columns([(*key, *place) for key, place in self._new_nonces.items()], 5),
                ),
            )
        if self._mentions:
            self._connection.execute(_MENTION, columns(self._mentions, 3))
        if self._notices:
            self._connection.execute(_NOTICE, columns(self._notices, 2))
        self._drop_gathered()


def columns(rows: Sequence[Sequence[object]], count: int) -> list[str]:
    """Return the columns of rows, each as the text of an array."""
    return [_array(column) for column in zip(*rows, strict=True)] if rows else ["{}"] * count


def _array(values: Sequence[Any]) -> str:
    """Return the text of an array of integers, texts or bytes. That of psycopg takes many times longer."""
    if isinstance(values[0], str):
        texts = [value.replace("\\", "\\\\").replace('"', '\\"') for value in values]
        return '{"' + '","'.join(texts) + '"}'
    if isinstance(values[0], bytes):
        return '{"' + '","'.join([rf"\\x{value.hex()}" for value in values]) + '"}'
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"


def nonce_bytes(nonce: str) -> bytes:
    """Return a nonce as it is stored: text cannot hold every character that a client may send."""
    return nonce.encode("utf-8", "surrogatepass")


def _of_markers(markers: Iterable[tuple[int, ChatKey]]) -> list[str]:
    by_id = [(user, key) for user, key in markers if not isinstance(key, tuple)]
    by_pair = [(user, *key) for user, key in markers if isinstance(key, tuple)]
    return [*columns(by_id, 2), *columns(by_pair, 3)]
