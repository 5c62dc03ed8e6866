"""How each write is done in SQLite. Runs in the writer's thread, inside the transaction of a group commit."""

import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from irchat.interfaces.store import (
    GLOBAL,
    AddMember,
    AddMessage,
    AddToken,
    ChatKey,
    CreateGroup,
    CreateUser,
    DeleteMessages,
    FindNonce,
    Marker,
    MoveMarker,
    RemoveBan,
    RemoveGroup,
    RemoveMember,
    RemoveToken,
    RemoveUser,
    ReplaceHash,
    SetBan,
    SetBlock,
    SetPassword,
    Stored,
    TouchToken,
    Write,
)
from irchat.store.sqlite.journal import Journal
from irchat.store.sqlite.search.indexing import DELETE_INDEXED, DELETED_CHARACTERS, SearchIndex

# Chats whose row is remembered; past that all are forgotten and looked up anew.
_KNOWN_MOST = 100_000
# Messages of a group that is no more which one transaction deletes; commits come to their turn in between.
_SWEPT_TOGETHER = 50
# Old nonces that a commit deletes besides twice as many as it adds.
_NONCES_PRUNED = 100
# How far the times of a chat may run before the clock, in ms.
_LEAD_MS = 1_000

# The writes for which messages that are gathered can wait to be written.
_GATHERED = (AddMessage, FindNonce)

_SINCE = "SELECT since_seq FROM members WHERE user = ? AND chat = ?"
_DELETE_MESSAGE = (
    "DELETE FROM message_places WHERE id = (SELECT id FROM messages WHERE chat = ? AND seq = ?)",
    "DELETE FROM messages WHERE chat = ? AND seq = ?",
)


class _ChatRow:
    """What the writer knows of a chat between commits."""

    __slots__ = ("id", "last_at", "last_seq")

    def __init__(self, chat_id: int, last_seq: int, last_at: int | None) -> None:
        self.id = chat_id
        self.last_seq = last_seq
        self.last_at = last_at or 0

    def next_at(self, now: int) -> int:
        """The time of the next message, in ms: it never falls, also where the clock does, and rises while that does not
        take it far from the clock."""
        if now > self.last_at:
            return now
        return self.last_at + 1 if self.last_at - now < _LEAD_MS else self.last_at


class Writer:
    """Does the writes of one commit after another on one connection.

    ``ended``: groups that are no more, of which messages are left for `sweep`.
    """

    def __init__(self, connection: sqlite3.Connection, index: SearchIndex, journal: Journal) -> None:
        self._connection = connection
        self._index = index
        self._journal = journal
        ended = "SELECT id FROM chats WHERE key IS NULL AND low IS NULL AND id != ? ORDER BY id"
        self.ended = deque(chat for (chat,) in connection.execute(ended, (GLOBAL,)))
        self._forget()

    def commit(self, writes: Sequence[Write]) -> list[Any]:
        """Do all of ``writes`` in one transaction, or none. Raises sqlite3.Error."""
        results: list[Any] = []
        with self._transaction():
            for write in writes:
                if self._messages and not isinstance(write, _GATHERED):
                    self._flush()
                results.append(_DO[type(write)](self, write))
            self._flush()
            self._prune_nonces()
            if self._index.is_due:
                self._index.bring_in()
        self.ended += self._ending
        self._ending.clear()
        if len(self._chats) > _KNOWN_MOST:
            self._chats.clear()
        self._journal.look()
        return results

    @property
    def index_waits(self) -> bool:
        """Whether messages may be stored that no search finds before `index`. Any thread may ask."""
        return self._index.waits

    @property
    def next_chore(self) -> Callable[[], object] | None:
        """What is to be done between commits, a short part of it; None where there is nothing. Any thread may ask."""
        if self._journal.is_long:
            return self._journal.begin_anew
        if self._index_is_due:
            return self.index
        return self.sweep if self.ended else None

    def is_searchable(self, number: int) -> bool:
        """Whether a search finds all messages up to that one. Any thread may ask."""
        return self._index.is_searchable(number)

    def index(self) -> int:
        """Bring some of what waits into the search index; give the number of the last message. Raises sqlite3.Error."""
        if self._index.waits:
            with self._transaction():
                self._index.bring_in()
        return self._index.last_number

    def sweep(self) -> None:
        """Delete some messages of a group that is no more. Raises sqlite3.Error."""
        group = self.ended[0]
        with self._transaction():
            rows = self._connection.execute(
                "SELECT chat, seq, length(text) FROM messages WHERE chat = ? ORDER BY seq LIMIT ?",
                (group, _SWEPT_TOGETHER + 1),
            ).fetchall()
            places = [(chat, seq) for chat, seq, _ in rows[: min(_SWEPT_TOGETHER, _few(length for *_, length in rows))]]
            self._delete(places)
            is_swept = len(places) == len(rows)
            if is_swept:
                self._connection.execute("DELETE FROM chats WHERE id = ?", (group,))
            else:
                self._connection.execute("UPDATE chats SET gaps_up_to = ? WHERE id = ?", (places[-1][1], group))
        if is_swept:
            self.ended.popleft()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield
            self._connection.execute("COMMIT")
            self._index.committed()
            self._index_is_due = self._index.is_due
        except BaseException:
            self._forget()
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _forget(self) -> None:
        self._ending: list[int] = []
        self._index_is_due = False
        self._nonces_added = self._nonces_since = 0
        self._chats: dict[ChatKey, _ChatRow] = {}
        self._index.forget()
        self._messages: list[tuple[int, int, int, int, int, str]] = []
        self._touched: dict[int, _ChatRow] = {}
        self._read: dict[tuple[int, int], int] = {}

    def _flush(self) -> None:
        """Write the messages that were gathered, in a few statements for all of them."""
        if not self._messages:
            return
        run = self._connection.executemany
        run("INSERT INTO messages (chat, seq, id, sender, at, text) VALUES (?, ?, ?, ?, ?, ?)", self._messages)
        run(
            "INSERT INTO message_places (id, chat, seq) VALUES (?, ?, ?)",
            [(message_id, chat, seq) for chat, seq, message_id, _, _, _ in self._messages],
        )
        run(
            "UPDATE chats SET last_seq = ?, last_at = ? WHERE id = ?",
            [(row.last_seq, row.last_at, row.id) for row in self._touched.values()],
        )
        run(
            "UPDATE members SET read_seq = max(read_seq, ?) WHERE user = ? AND chat = ?",
            [(seq, user, chat) for (user, chat), seq in self._read.items()],
        )
        self._messages = []
        self._touched = {}
        self._read = {}

    def _prune_nonces(self) -> None:
        """Where nonces came, old ones go: more than came, and not so many that the commit takes long."""
        if self._nonces_added:
            self._connection.execute(
                "DELETE FROM nonces WHERE (user, nonce) IN"
                " (SELECT user, nonce FROM nonces WHERE at < ? ORDER BY at LIMIT ?)",
                (self._nonces_since, 2 * self._nonces_added + _NONCES_PRUNED),
            )
            self._nonces_added = 0

    def _delete(self, places: Sequence[tuple[int, int]]) -> None:
        """Delete messages by chat and seq, from the index those that are in it."""
        indexed = self._index.last_indexed
        self._connection.executemany(DELETE_INDEXED, [(chat, seq, indexed) for chat, seq in places])
        for statement in _DELETE_MESSAGE:
            self._connection.executemany(statement, places)

    def _one(self, sql: str, *values: Any) -> Any:
        row = self._connection.execute(sql, values).fetchone()
        return None if row is None else row[0]

    def _chat(self, key: ChatKey) -> _ChatRow | None:
        row = self._chats.get(key)
        if row is None:
            where, values = ("low = ? AND high = ?", key) if isinstance(key, tuple) else ("id = ?", (key,))
            found = self._connection.execute(f"SELECT id, last_seq, last_at FROM chats WHERE {where}", values)
            known = found.fetchone()
            if known is None:
                return None
            row = self._chats[key] = _ChatRow(*known)
        return row

    def _chat_to_write(self, key: ChatKey) -> _ChatRow:
        row = self._chat(key)
        if row is not None:
            return row
        assert isinstance(key, tuple), "a group is made by CreateGroup"
        chat_id = self._connection.execute("INSERT INTO chats (low, high) VALUES (?, ?)", key).lastrowid
        assert chat_id is not None
        self._connection.executemany(
            "INSERT INTO members (user, chat, standing, since_seq, read_seq) VALUES (?, ?, 0, 0, 0)",
            [(user, chat_id) for user in key],
        )
        row = self._chats[key] = _ChatRow(chat_id, 0, None)
        return row

    def add_message(self, write: AddMessage) -> Stored:
        if write.nonce is not None:
            before = self.find_nonce(FindNonce(write.sender, write.nonce, write.nonces_since))
            if before is not None:
                return before
        row = self._chat_to_write(write.chat)
        row.last_seq += 1
        row.last_at = at = row.next_at(write.at)
        number = self._index.number(write.text)
        self._messages.append((row.id, row.last_seq, number, write.sender, at, write.text))
        self._touched[row.id] = row
        self._read[write.sender, row.id] = row.last_seq
        if write.nonce is not None:
            self._nonces_added += 1
            self._nonces_since = write.nonces_since
            self._connection.execute(
                "INSERT INTO nonces (user, nonce, chat, seq, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (user, nonce)"
                " DO UPDATE SET chat = excluded.chat, seq = excluded.seq, at = excluded.at",
                (write.sender, write.nonce, row.id, row.last_seq, write.at),
            )
        return Stored(write.chat, row.last_seq, at, repeated=False)

    def find_nonce(self, write: FindNonce) -> Stored | None:
        """A nonce whose message was deleted, or whose group is no more, stays until it is old, and stands for nothing:
        there is no index by which it could be deleted with them, for each send would have to pay for that."""
        known = self._connection.execute(
            "SELECT chat, seq FROM nonces WHERE user = ? AND nonce = ? AND at >= ?",
            (write.sender, write.nonce, write.nonces_since),
        ).fetchone()
        if known is None:
            return None
        self._flush()  # it may be one of those that are gathered
        found = self._connection.execute(
            "SELECT chats.id, low, high, seq, at FROM messages JOIN chats ON chats.id = messages.chat"
            " WHERE messages.chat = ? AND seq = ? AND (key IS NOT NULL OR low IS NOT NULL OR chats.id = ?)",
            (*known, GLOBAL),
        ).fetchone()
        if found is None:
            return None
        chat, low, high, seq, at = found
        return Stored(chat if low is None else (low, high), seq, at, repeated=True)

    def move_marker(self, write: MoveMarker) -> Marker:
        row = self._chat(write.chat)
        if row is None:
            return Marker(0, 0, moved=False)
        wanted = min(write.seq, row.last_seq)
        moved = self._connection.execute(
            "UPDATE members SET read_seq = ? WHERE user = ? AND chat = ? AND read_seq < ?",
            (wanted, write.user, row.id, wanted),
        ).rowcount
        end = row.last_seq
        if wanted < end and self._one(_SINCE, write.user, row.id) == end:
            end = 0  # to a member who came since then the chat has no messages
        return Marker(wanted, end, moved=moved > 0)

    def create_user(self, write: CreateUser) -> int:
        user = self._connection.execute(
            "INSERT INTO users (name, key, password, created_at) VALUES (?, ?, ?, ?)",
            (write.name, write.key, write.password, write.at),
        ).lastrowid
        assert user is not None
        end = self._chat_to_write(GLOBAL).last_seq
        self._connection.execute(
            "INSERT INTO members (user, chat, standing, since_seq, read_seq) VALUES (?, ?, 0, 0, ?)",
            (user, GLOBAL, end),
        )
        if write.token is not None:
            self.add_token(AddToken(write.token, user, write.at, by_password=write.password is not None))
        return user

    def set_password(self, write: SetPassword) -> None:
        self._connection.execute("UPDATE users SET password = ? WHERE id = ?", (write.password, write.user))
        self._connection.execute("DELETE FROM tokens WHERE user = ? AND hash IS NOT ?", (write.user, write.keep))

    def replace_hash(self, write: ReplaceHash) -> None:
        self._connection.execute(
            "UPDATE users SET password = ? WHERE id = ? AND password = ?", (write.new, write.user, write.old)
        )

    def add_token(self, write: AddToken) -> None:
        self._connection.execute(
            "INSERT INTO tokens (hash, user, used_at, by_password) VALUES (?, ?, ?, ?)",
            (write.token, write.user, write.at, write.by_password),
        )

    def touch_token(self, write: TouchToken) -> bool:
        done = self._connection.execute("UPDATE tokens SET used_at = ? WHERE hash = ?", (write.at, write.token))
        return done.rowcount > 0

    def remove_token(self, write: RemoveToken) -> None:
        self._connection.execute("DELETE FROM tokens WHERE hash = ?", (write.token,))

    def create_group(self, write: CreateGroup) -> int:
        group = self._connection.execute(
            "INSERT INTO chats (name, key, owner) VALUES (?, ?, ?)", (write.name, write.key, write.members[0])
        ).lastrowid
        assert group is not None
        self._connection.executemany(
            "INSERT INTO members (user, chat, standing, since_seq, read_seq) VALUES (?, ?, ?, 0, 0)",
            [(user, group, standing) for standing, user in enumerate(write.members)],
        )
        return group

    def add_member(self, write: AddMember) -> None:
        self._connection.execute(
            "INSERT INTO members (user, chat, standing, since_seq, read_seq)"
            " SELECT ?, id, (SELECT max(standing) + 1 FROM members WHERE chat = ?), last_seq, last_seq"
            " FROM chats WHERE id = ?",
            (write.user, write.group, write.group),
        )

    def remove_member(self, write: RemoveMember) -> None:
        self._connection.execute("DELETE FROM members WHERE chat = ? AND user = ?", (write.group, write.user))
        self._connection.execute("UPDATE chats SET owner = ? WHERE id = ?", (write.owner, write.group))

    def remove_group(self, write: RemoveGroup) -> None:
        """The messages, which may be very many, nobody can see any more; they are left to `sweep`."""
        self._chats.pop(write.group, None)
        self._connection.execute("DELETE FROM members WHERE chat = ?", (write.group,))
        self._connection.execute("UPDATE chats SET name = NULL, key = NULL, owner = NULL WHERE id = ?", (write.group,))
        self._ending.append(write.group)

    def set_block(self, write: SetBlock) -> None:
        self._connection.execute(
            "INSERT INTO blocks (blocker, blocked) VALUES (?, ?)"
            if write.blocked
            else "DELETE FROM blocks WHERE blocker = ? AND blocked = ?",
            (write.blocker, write.blocked_user),
        )

    def remove_user(self, write: RemoveUser) -> None:
        for group, owner in write.groups:
            if owner is None:
                self.remove_group(RemoveGroup(group))
            else:
                self.remove_member(RemoveMember(group, write.user, owner))
        for table in ("tokens", "nonces", "members", "bans"):
            self._connection.execute(f"DELETE FROM {table} WHERE user = ?", (write.user,))
        self._connection.execute(
            "UPDATE users SET name = ?, key = ?, password = NULL, removed_at = ? WHERE id = ?",
            (write.name, write.key, write.at, write.user),
        )

    def delete_messages(self, write: DeleteMessages) -> None:
        chats: dict[ChatKey, _ChatRow] = {}
        places: list[tuple[int, int]] = []
        for key, seq in write.places:
            row = chats.get(key) or self._chat(key)
            if row is not None:
                chats[key] = row
                places.append((row.id, seq))
        # The ends that the readers of a chat are told do not move, so it is noted where what goes ended, by sender.
        self._connection.executemany(
            "INSERT INTO deleted_ends (chat, sender, seq, at)"
            " SELECT chat, sender, seq, at FROM messages WHERE chat = ? AND seq = ?"
            " ON CONFLICT (chat, sender) DO UPDATE SET seq = excluded.seq, at = excluded.at"
            " WHERE excluded.seq > deleted_ends.seq",
            places,
        )
        self._delete(places)
        self._connection.executemany(
            "UPDATE chats SET gaps_up_to = max(gaps_up_to, ?) WHERE id = ?", [(seq, chat) for chat, seq in places]
        )
        for key, row in chats.items():
            if isinstance(key, tuple) and self._one("SELECT 1 FROM messages WHERE chat = ? LIMIT 1", row.id) is None:
                del self._chats[key]
                self._connection.execute("DELETE FROM chats WHERE id = ?", (row.id,))

    def set_ban(self, write: SetBan) -> None:
        self._connection.execute("DELETE FROM bans WHERE until <= ?", (write.at,))
        self.remove_ban(RemoveBan(write.ban.user, write.ban.network))
        self._connection.execute(
            "INSERT INTO bans (user, network, until, reason) VALUES (?, ?, ?, ?)", tuple(write.ban)
        )

    def remove_ban(self, write: RemoveBan) -> None:
        self._connection.execute("DELETE FROM bans WHERE user = ? OR network = ?", (write.user, write.network))


def _few(lengths: Iterable[int]) -> int:
    """How many of texts of these lengths are deleted together: one at least."""
    room = DELETED_CHARACTERS
    count = 0
    for length in lengths:
        room -= length
        if room < 0 and count:
            break
        count += 1
    return count


_DO: dict[type[Any], Callable[[Writer, Any], Any]] = {
    AddMessage: Writer.add_message,
    FindNonce: Writer.find_nonce,
    MoveMarker: Writer.move_marker,
    CreateUser: Writer.create_user,
    SetPassword: Writer.set_password,
    ReplaceHash: Writer.replace_hash,
    AddToken: Writer.add_token,
    TouchToken: Writer.touch_token,
    RemoveToken: Writer.remove_token,
    CreateGroup: Writer.create_group,
    AddMember: Writer.add_member,
    RemoveMember: Writer.remove_member,
    RemoveGroup: Writer.remove_group,
    SetBlock: Writer.set_block,
    RemoveUser: Writer.remove_user,
    DeleteMessages: Writer.delete_messages,
    SetBan: Writer.set_ban,
    RemoveBan: Writer.remove_ban,
}
