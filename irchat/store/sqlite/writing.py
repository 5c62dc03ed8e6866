"""The writer: runs each write in SQLite, in the writer's thread, inside the transaction of a group commit."""

import sqlite3
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Never

from irchat.interfaces.stored import GLOBAL, ChatKey, Marker, Stored
from irchat.interfaces.writes import (
    AlertSet,
    BanRemoved,
    BanSet,
    BlockSet,
    GroupCreated,
    GroupRemoved,
    HashReplaced,
    KeyAdded,
    KeyRemoved,
    KeyUsed,
    MarkerMoved,
    MarkSet,
    MarksRemoved,
    MemberAdded,
    MemberRemoved,
    MessageAdded,
    MessageDeleted,
    MessageEdited,
    MessagesDeleted,
    NonceSought,
    OtherSignInsEnded,
    PasswordSet,
    SessionsEnded,
    SignInEnded,
    TokenAdded,
    TokenRemoved,
    TokenUsed,
    UserCreated,
    UserRemoved,
    Write,
)
from irchat.store.chat_row import ChatRow
from irchat.store.sqlite.account_writes import AccountWriter
from irchat.store.sqlite.amending.amend_writes import AmendWriter
from irchat.store.sqlite.journal import Journal
from irchat.store.sqlite.search.indexing import SearchIndex
from irchat.store.write_rules import mentioned_users

# Maximum number of cached chat rows. When it is reached, the cache is cleared.
_KNOWN_MOST = 100_000
# Number of old nonces that a commit deletes, in addition to twice as many as it adds.
_NONCES_PRUNED = 100

# The writes that do not require gathered messages to be flushed first.
_GATHERED = frozenset((MessageAdded, NonceSought))
_NOTE_MARK = (
    "INSERT INTO amended (chat, seq, rev) VALUES (?, ?, ?) ON CONFLICT (chat, seq) DO UPDATE SET rev = excluded.rev"
)

# The sender of a message that the user may see, if it may see the answer.
_ANSWERED = (
    "SELECT sender FROM members AS mine JOIN messages ON messages.chat = mine.chat AND seq > mine.since_seq"
    " JOIN members AS theirs ON theirs.user = sender AND theirs.chat = messages.chat"
    " WHERE mine.user = ? AND mine.chat = ? AND seq = ?"
)
# The chat and the time of a message, or of one that was deleted (without a time), if its chat still stands.
_NONCE_MESSAGE = (
    "SELECT low, high, messages.at FROM chats LEFT JOIN messages ON messages.chat = chats.id AND messages.seq = :seq"
    " LEFT JOIN amended ON amended.chat = chats.id AND amended.seq = :seq WHERE chats.id = :chat"
    " AND (key IS NOT NULL OR low IS NOT NULL OR chats.id = :global) AND (messages.seq IS NOT NULL OR deleted)"
)
_SINCE = "SELECT since_seq FROM members WHERE user = ? AND chat = ?"


class Writer(AccountWriter, AmendWriter):
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
        self._journal.need_files()
        with self._transaction():
            for write in writes:
                kind = type(write)
                if kind not in _GATHERED and (self._messages or (self._marked and kind is not MarkSet)):
                    self._flush()
                results.append(_DO[kind](self, write))  # type: ignore[arg-type]  # chosen by its type
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
            is_swept = self._sweep(group)
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
        self._chats: dict[ChatKey, ChatRow] = {}
        self._index.forget()
        self._messages: list[tuple[int, int, int, int, str]] = []
        self._mentions: list[tuple[int, int, int]] = []
        self._notices: list[tuple[int, int]] = []
        self._touched: dict[int, ChatRow] = {}
        self._marked: list[tuple[int, int, int]] = []
        self._read: dict[tuple[int, int], int] = {}

    def _flush(self) -> None:
        """Write the gathered messages and the rows of their chats, in a few statements for all of them."""
        run = self._connection.executemany
        if self._touched:
            run(
                "UPDATE chats SET last_seq = ?, last_at = ?, rev = ? WHERE id = ?",
                [(row.last_seq, row.last_at, row.rev, row.id) for row in self._touched.values()],
            )
            self._touched = {}
        if self._marked:
            run(_NOTE_MARK, self._marked)
            self._marked = []
        if not self._messages:
            return
        chats, seqs, senders, times, texts = zip(*self._messages, strict=True)
        numbers = self._index.numbers(texts)
        run(
            "INSERT INTO messages (chat, seq, id, sender, at, text) VALUES (?, ?, ?, ?, ?, ?)",
            zip(chats, seqs, numbers, senders, times, texts, strict=True),
        )
        run("INSERT INTO message_places (id, chat, seq) VALUES (?, ?, ?)", zip(numbers, chats, seqs, strict=True))
        run(
            "UPDATE members SET read_seq = max(read_seq, ?) WHERE user = ? AND chat = ?",
            [(seq, user, chat) for (user, chat), seq in self._read.items()],
        )
        if self._mentions:
            run("INSERT INTO mentions (user, chat, seq) VALUES (?, ?, ?)", self._mentions)
        if self._notices:
            run("UPDATE messages SET notice = 1 WHERE chat = ? AND seq = ?", self._notices)
        self._messages = []
        self._mentions = []
        self._notices = []
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

    def add_message(self, write: MessageAdded) -> Stored:
        if write.nonce is not None:
            before = self.find_nonce(NonceSought(write.sender, write.nonce, write.nonces_since))
            if before is not None:
                return before
        row = self._chats.get(write.chat) or self._chat_to_write(write.chat)
        to = self._mentioned(write, row) if write.mentions or write.reply_to is not None else ()
        chat, sender = row.id, write.sender
        row.last_seq = seq = row.last_seq + 1
        row.last_at = at = row.next_at(write.at)
        self._messages.append((chat, seq, sender, at, write.text))
        self._touched[chat] = row
        self._read[sender, chat] = seq
        if to:
            self._mentions += [(user, chat, seq) for user in to]
        if write.notice:
            self._notices.append((chat, seq))
        if write.nonce is not None:
            self._nonces_added += 1
            self._nonces_since = write.nonces_since
            self._connection.execute(
                "INSERT INTO nonces (user, nonce, chat, seq, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (user, nonce)"
                " DO UPDATE SET chat = excluded.chat, seq = excluded.seq, at = excluded.at",
                (sender, write.nonce, chat, seq, write.at),
            )
        return tuple.__new__(Stored, (write.chat, seq, at, False, to))  # takes half the time

    def _mentioned(self, write: MessageAdded, row: ChatRow) -> tuple[int, ...]:
        """Return the users that a message mentions, before it is added."""
        seq, answered = write.reply_to, None
        if seq is not None and seq <= row.last_seq:
            if seq > row.last_seq - len(self._messages):
                self._flush()  # it may be among the gathered ones
            answered = self._one(_ANSWERED, write.sender, row.id, seq)
        return mentioned_users(write, answered)

    def find_nonce(self, write: NonceSought) -> Stored | None:
        """Return the message of a nonce, also if it was deleted alone, but not if it went with its group or its sender.

        Deleting those nonces together with their messages would need an index, at a cost for every send.
        """
        known = self._connection.execute(
            "SELECT chat, seq, at FROM nonces WHERE user = ? AND nonce = ? AND at >= ?",
            (write.sender, write.nonce, write.nonces_since),
        ).fetchone()
        if known is None:
            return None
        self._flush()  # the message may be among the gathered ones
        chat, seq, nonce_at = known
        found = self._connection.execute(_NONCE_MESSAGE, {"chat": chat, "seq": seq, "global": GLOBAL}).fetchone()
        if found is None:
            return None
        low, high, at = found
        return Stored(chat if low is None else (low, high), seq, at or nonce_at, repeated=True)

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
        self._connection.execute(
            "UPDATE chats SET name = NULL, key = NULL, owner = NULL, gaps_up_to = last_seq WHERE id = ?", (write.group,)
        )
        self._ending.append(write.group)

    def remove_user(self, write: UserRemoved) -> None:
        for group, owner in write.groups:
            if owner is None:
                self.remove_group(GroupRemoved(group))
            else:
                self.remove_member(MemberRemoved(group, write.user, owner, by=write.user))
        self._flush()
        for table in ("tokens", "keys", "nonces", "members", "mentions", "bans"):
            self._connection.execute(f"DELETE FROM {table} WHERE user = ?", (write.user,))
        self._connection.execute(
            "UPDATE users SET name = ?, key = ?, password = NULL, removed_at = ? WHERE id = ?",
            (write.name, write.key, write.at, write.user),
        )


_DO: dict[type[Write[object]], Callable[[Writer, Never], object]] = {
    MessageAdded: Writer.add_message,
    MessageEdited: Writer.edit_message,
    MessageDeleted: Writer.delete_message,
    MarkSet: Writer.set_mark,
    MarksRemoved: Writer.remove_marks,
    AlertSet: Writer.set_alert,
    NonceSought: Writer.find_nonce,
    MarkerMoved: Writer.move_marker,
    UserCreated: Writer.create_user,
    PasswordSet: Writer.set_password,
    HashReplaced: Writer.replace_hash,
    TokenAdded: Writer.add_token,
    TokenUsed: Writer.touch_token,
    TokenRemoved: Writer.remove_token,
    KeyAdded: Writer.add_key,
    KeyUsed: Writer.touch_key,
    KeyRemoved: Writer.remove_key,
    SignInEnded: Writer.end_sign_in,
    OtherSignInsEnded: Writer.end_other_sign_ins,
    GroupCreated: Writer.create_group,
    MemberAdded: Writer.add_member,
    MemberRemoved: Writer.remove_member,
    GroupRemoved: Writer.remove_group,
    BlockSet: Writer.set_block,
    UserRemoved: Writer.remove_user,
    MessagesDeleted: Writer.delete_messages,
    BanSet: Writer.set_ban,
    BanRemoved: Writer.remove_ban,
    SessionsEnded: lambda writer, write: None,
}
