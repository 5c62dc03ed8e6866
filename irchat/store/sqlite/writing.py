"""The writer: runs each write in SQLite, in the writer's thread, inside the transaction of a group commit."""

import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from irchat.interfaces.stored import GLOBAL, ChatKey, Marker, Stored
from irchat.interfaces.writes import (
    BanRemoved,
    BanSet,
    BlockSet,
    GroupCreated,
    GroupRemoved,
    HashReplaced,
    MarkerMoved,
    MemberAdded,
    MemberRemoved,
    MessageAdded,
    MessagesDeleted,
    NonceSought,
    PasswordSet,
    TokenAdded,
    TokenRemoved,
    TokenUsed,
    UserCreated,
    UserRemoved,
    Write,
)
from irchat.store.sqlite.account_writes import AccountWriter
from irchat.store.sqlite.journal import Journal
from irchat.store.sqlite.search.indexing import DELETE_INDEXED, DELETED_CHARACTERS, SearchIndex

# Maximum number of cached chat rows. When it is reached, the cache is cleared.
_KNOWN_MOST = 100_000
# Maximum number of messages of an ended group deleted by one transaction. Commits run in between.
_SWEPT_TOGETHER = 50
# Number of old nonces that a commit deletes, in addition to twice as many as it adds.
_NONCES_PRUNED = 100
# Maximum lead of the times of a chat over the clock, in ms.
_LEAD_MS = 1_000

# The writes that do not require gathered messages to be flushed first.
_GATHERED = (MessageAdded, NonceSought)

_SINCE = "SELECT since_seq FROM members WHERE user = ? AND chat = ?"
_DELETE_MESSAGE = (
    "DELETE FROM message_places WHERE id = (SELECT id FROM messages WHERE chat = ? AND seq = ?)",
    "DELETE FROM messages WHERE chat = ? AND seq = ?",
)


class _ChatRow:
    """The row of a chat, cached between commits."""

    __slots__ = ("id", "last_at", "last_seq")

    def __init__(self, chat_id: int, last_seq: int, last_at: int | None) -> None:
        self.id = chat_id
        self.last_seq = last_seq
        self.last_at = last_at or 0

    def next_at(self, now: int) -> int:
        """Return the time of the next message, in ms. It never falls, and rises unless too far ahead of the clock."""
        if now > self.last_at:
            return now
        return self.last_at + 1 if self.last_at - now < _LEAD_MS else self.last_at


class Writer(AccountWriter):
    """Runs commits one at a time on one connection. ``ended``: ended groups with messages left for `sweep`."""

    def __init__(self, connection: sqlite3.Connection, index: SearchIndex, journal: Journal) -> None:
        self._connection = connection
        self._index = index
        self._journal = journal
        ended = "SELECT id FROM chats WHERE key IS NULL AND low IS NULL AND id != ? ORDER BY id"
        self.ended = deque(chat for (chat,) in connection.execute(ended, (GLOBAL,)))
        self._forget()

    def commit(self, writes: Sequence[Write[object]]) -> list[object]:
        """Run all ``writes`` in one transaction, or none. Return their results. Raises sqlite3.Error."""
        results: list[object] = []
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
    def next_chore(self) -> Callable[[], object] | None:
        """A short piece of work to do between commits, or None. Safe in any thread."""
        if self._journal.is_long:
            return self._journal.restart
        if self._index_is_due:
            return self.index
        return self.sweep if self.ended else None

    def index(self) -> int:
        """Index some of the waiting messages. Return the number of the last message. Raises sqlite3.Error."""
        if self._index.waits:
            with self._transaction():
                self._index.bring_in()
        return self._index.last_number

    def sweep(self) -> None:
        """Delete one batch of messages of an ended group. Raises sqlite3.Error."""
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
        """Write the gathered messages, in a few statements for all of them."""
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
        """Delete old nonces after adding new ones: more than were added, but few enough for a short commit."""
        if self._nonces_added:
            self._connection.execute(
                "DELETE FROM nonces WHERE (user, nonce) IN"
                " (SELECT user, nonce FROM nonces WHERE at < ? ORDER BY at LIMIT ?)",
                (self._nonces_since, 2 * self._nonces_added + _NONCES_PRUNED),
            )
            self._nonces_added = 0

    def _delete(self, places: Sequence[tuple[int, int]]) -> None:
        """Delete messages by chat and seq, also from the index if they are in it."""
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
        assert isinstance(key, tuple), "a group is made by GroupCreated"
        chat_id = self._connection.execute("INSERT INTO chats (low, high) VALUES (?, ?)", key).lastrowid
        assert chat_id is not None
        self._connection.executemany(
            "INSERT INTO members (user, chat, standing, since_seq, read_seq) VALUES (?, ?, 0, 0, 0)",
            [(user, chat_id) for user in key],
        )
        row = self._chats[key] = _ChatRow(chat_id, 0, None)
        return row

    def add_message(self, write: MessageAdded) -> Stored:
        if write.nonce is not None:
            before = self.find_nonce(NonceSought(write.sender, write.nonce, write.nonces_since))
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

    def find_nonce(self, write: NonceSought) -> Stored | None:
        """Return the message of a nonce, or None if the message or its group was deleted.

        Deleting nonces together with their messages would need an index, at a cost for every send.
        """
        known = self._connection.execute(
            "SELECT chat, seq FROM nonces WHERE user = ? AND nonce = ? AND at >= ?",
            (write.sender, write.nonce, write.nonces_since),
        ).fetchone()
        if known is None:
            return None
        self._flush()  # the message may be among the gathered ones
        found = self._connection.execute(
            "SELECT chats.id, low, high, seq, at FROM messages JOIN chats ON chats.id = messages.chat"
            " WHERE messages.chat = ? AND seq = ? AND (key IS NOT NULL OR low IS NOT NULL OR chats.id = ?)",
            (*known, GLOBAL),
        ).fetchone()
        if found is None:
            return None
        chat, low, high, seq, at = found
        return Stored(chat if low is None else (low, high), seq, at, repeated=True)

    def move_marker(self, write: MarkerMoved) -> Marker:
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
            end = 0  # the chat is empty for a member that has joined since
        return Marker(wanted, end, moved=moved > 0)

    def create_group(self, write: GroupCreated) -> int:
        group = self._connection.execute(
            "INSERT INTO chats (name, key, owner) VALUES (?, ?, ?)", (write.name, write.key, write.members[0])
        ).lastrowid
        assert group is not None
        self._connection.executemany(
            "INSERT INTO members (user, chat, standing, since_seq, read_seq) VALUES (?, ?, ?, 0, 0)",
            [(user, group, standing) for standing, user in enumerate(write.members)],
        )
        return group

    def add_member(self, write: MemberAdded) -> None:
        self._connection.execute(
            "INSERT INTO members (user, chat, standing, since_seq, read_seq)"
            " SELECT ?, id, (SELECT max(standing) + 1 FROM members WHERE chat = ?), last_seq, last_seq"
            " FROM chats WHERE id = ?",
            (write.user, write.group, write.group),
        )

    def remove_member(self, write: MemberRemoved) -> None:
        self._connection.execute("DELETE FROM members WHERE chat = ? AND user = ?", (write.group, write.user))
        self._connection.execute("UPDATE chats SET owner = ? WHERE id = ?", (write.owner, write.group))

    def remove_group(self, write: GroupRemoved) -> None:
        """End the group. Its messages are inaccessible at once. `sweep` deletes them in batches."""
        self._chats.pop(write.group, None)
        self._connection.execute("DELETE FROM members WHERE chat = ?", (write.group,))
        self._connection.execute("UPDATE chats SET name = NULL, key = NULL, owner = NULL WHERE id = ?", (write.group,))
        self._ending.append(write.group)

    def remove_user(self, write: UserRemoved) -> None:
        for group, owner in write.groups:
            if owner is None:
                self.remove_group(GroupRemoved(group))
            else:
                self.remove_member(MemberRemoved(group, write.user, owner, by=write.user))
        for table in ("tokens", "nonces", "members", "bans"):
            self._connection.execute(f"DELETE FROM {table} WHERE user = ?", (write.user,))
        self._connection.execute(
            "UPDATE users SET name = ?, key = ?, password = NULL, removed_at = ? WHERE id = ?",
            (write.name, write.key, write.at, write.user),
        )

    def delete_messages(self, write: MessagesDeleted) -> None:
        chats: dict[ChatKey, _ChatRow] = {}
        places: list[tuple[int, int]] = []
        for key, seq in write.places:
            row = chats.get(key) or self._chat(key)
            if row is not None:
                chats[key] = row
                places.append((row.id, seq))
        # Deletions must not move the ends shown to readers, so note the last deleted message of each sender.
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


def _few(lengths: Iterable[int]) -> int:
    """Return how many texts of these lengths can be deleted together (minimum: 1)."""
    room = DELETED_CHARACTERS
    count = 0
    for length in lengths:
        room -= length
        if room < 0 and count:
            break
        count += 1
    return count


_DO: dict[type[Write[Any]], Callable[[Writer, Any], object]] = {
    MessageAdded: Writer.add_message,
    NonceSought: Writer.find_nonce,
    MarkerMoved: Writer.move_marker,
    UserCreated: Writer.create_user,
    PasswordSet: Writer.set_password,
    HashReplaced: Writer.replace_hash,
    TokenAdded: Writer.add_token,
    TokenUsed: Writer.touch_token,
    TokenRemoved: Writer.remove_token,
    GroupCreated: Writer.create_group,
    MemberAdded: Writer.add_member,
    MemberRemoved: Writer.remove_member,
    GroupRemoved: Writer.remove_group,
    BlockSet: Writer.set_block,
    UserRemoved: Writer.remove_user,
    MessagesDeleted: Writer.delete_messages,
    BanSet: Writer.set_ban,
    BanRemoved: Writer.remove_ban,
}
