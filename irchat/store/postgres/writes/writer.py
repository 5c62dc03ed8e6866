"""The writer: runs the writes of a commit in the transaction of a turn, and appends them to the log.

Messages, nonces and read markers are computed from rows that are read together, and written together in one packet
with the end of the transaction. Rare writes are statements one by one.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Never

import psycopg

from irchat.interfaces import writes
from irchat.interfaces.entry_codec import encode, is_logged
from irchat.interfaces.log import TurnLost
from irchat.interfaces.stored import Marker, Stored
from irchat.interfaces.writes import (
    Entry,
    GroupCreated,
    GroupRemoved,
    MarkerMoved,
    MemberAdded,
    MemberRemoved,
    MessageAdded,
    NonceSought,
    UserRemoved,
    Write,
)
from irchat.store.chat_row import ChatRow
from irchat.store.postgres.connecting import Connection, is_broken
from irchat.store.postgres.log.positions import Origin
from irchat.store.postgres.writes.account_writes import AccountWriter
from irchat.store.postgres.writes.amend_writes import AmendWriter
from irchat.store.postgres.writes.gathered import Nonce, columns, nonce_bytes
from irchat.store.write_rules import mentioned_users

# The writes whose rows are gathered.
_GATHERED = (MessageAdded, NonceSought, MarkerMoved)

# The position is compared here: if another node has appended meanwhile, prev would be NULL, which fails.
_APPEND = """
WITH appended AS (
    INSERT INTO log (pos, prev, node, batch, at) VALUES (
        %(pos)s, (SELECT %(prev)s::bigint WHERE (SELECT coalesce(max(pos), 0) FROM log) = %(prev)s),
        %(node)s, %(batch)s, (extract(epoch FROM clock_timestamp()) * 1000)::bigint
    ) RETURNING at
)
SELECT at, pg_notify('irchat', '') FROM appended
"""
_CHANGES = "INSERT INTO changes (id, what) SELECT * FROM unnest(%s::bigint[], %s::bytea[])"
# Tables in which a collision of numbers means that another node has committed at this position.
_NUMBERED = ("log", "changes", "messages", "nonces")

# The sender of a message that the user may see, if it may see the answer.
_ANSWERED = (
    "SELECT sender FROM members AS mine JOIN messages ON messages.chat = mine.chat AND seq > mine.since_seq"
    " JOIN members AS theirs ON theirs.user_id = sender AND theirs.chat = messages.chat"
    " WHERE mine.user_id = %s AND mine.chat = %s AND seq = %s"
)


class OutcomeUnknown(Exception):
    """The connection broke after the end of the transaction was sent. ``results``: those of a commit that succeeded."""

    def __init__(self, results: list[object]) -> None:
        super().__init__("the connection to the database broke during a commit")
        self.results = results


class Written(NamedTuple):
    """A commit. ``at``: its time by the clock of the database, in ms, or None if there was nothing to write."""

    results: list[object]
    at: int | None


class Writer(AccountWriter, AmendWriter):
    """Runs one commit at a time."""

    def __init__(self) -> None:
        self._forget()
        self._collided = False

    def commit(self, connection: Connection, head: int, origin: Origin, changes: Sequence[Write[object]]) -> Written:
        """Run ``changes`` after the position ``head``, append them as ``origin``, and end the transaction.

        Change number n (from 1) has the position ``head + n``. If there was nothing to write, the transaction is still
        open. Raises OutcomeUnknown, or TurnLost or another error, after which the transaction must be undone.
        """
        self._connection = connection
        self._forget()
        self._is_plain = all(isinstance(change, _GATHERED) for change in changes)
        row = {"pos": head + len(changes), "prev": head, "node": origin[0], "batch": origin[1]}
        results: list[object] = []
        is_sent = False
        try:
            if self._is_plain:
                self._load(changes)
            else:
                appended = connection.execute(_APPEND, row)
            for number, change in enumerate(changes, head + 1):
                if self._messages and not isinstance(change, _GATHERED):
                    self._flush()
                self._number = number
                results.append(_DO[type(change)](self, change))  # type: ignore[arg-type]  # chosen by its type
            if self._is_plain and not (self._touched or self._read):
                return Written(results, None)
            is_sent = True
            with connection.pipeline():
                if self._is_plain:
                    appended = connection.execute(_APPEND, row)
                self._flush()
                self._log(head, changes, results)
                connection.execute("COMMIT")
            self._collided = False
            return Written(results, appended.fetchone()[0])  # type: ignore[index]
        except psycopg.Error as error:
            if is_broken(connection, error):
                raise (OutcomeUnknown(results) if is_sent else TurnLost("the connection broke")) from None
            if self._is_overtaken(error):
                raise TurnLost("another node has written at this position") from None
            raise

    def _is_overtaken(self, error: psycopg.Error) -> bool:
        """Return whether another commit has the position of this one. Two collisions in a row are a fault."""
        if isinstance(error, psycopg.errors.NotNullViolation):
            return error.diag.table_name == "log"
        if not isinstance(error, psycopg.errors.UniqueViolation) or error.diag.table_name not in _NUMBERED:
            return False
        is_first, self._collided = not self._collided, True
        return is_first

    def _log(self, head: int, changes: Sequence[Write[object]], results: Sequence[object]) -> None:
        """Write the entries that other nodes need, except the messages."""
        entries = [Entry(change, result) for change, result in zip(changes, results, strict=True)]
        logged = [(number, encode(entry)) for number, entry in enumerate(entries, head + 1) if is_logged(entry)]
        if logged:
            self._connection.execute(_CHANGES, columns(logged, 2))

    def add_message(self, write: MessageAdded) -> Stored:
        key = None if write.nonce is None else (write.sender, nonce_bytes(write.nonce))
        if key is not None:
            before = self._nonce(key)
            if before is not None and before.at >= write.nonces_since:
                return before.stored
        row = self._chat_to_write(write.chat)
        to = self._mentioned(write, row) if write.mentions or write.reply_to is not None else ()
        row.last_seq = seq = row.last_seq + 1
        row.last_at = at = row.next_at(write.at)
        self._messages.append((row.id, seq, self._number, write.sender, at, write.text))
        self._touched[row.id] = row
        self._read[write.sender, row.id] = seq
        if to:
            self._mentions += [(user, row.id, seq) for user in to]
        if write.notice:
            self._notices.append((row.id, seq))
        stored = Stored(write.chat, seq, at, repeated=False, to=to)
        if key is not None:
            self._new_nonces[key] = row.id, seq, write.at
            self._nonces[key] = Nonce(write.at, Stored(write.chat, seq, at, repeated=True))
        return stored

    def _mentioned(self, write: MessageAdded, row: ChatRow) -> tuple[int, ...]:
        """Return the users that a message mentions, before it is added."""
        seq, answered = write.reply_to, None
        if seq is not None and seq <= row.last_seq:
            if seq > row.last_seq - len(self._messages):
                self._flush()  # it may be among the gathered ones
            answered = self._one(_ANSWERED, write.sender, row.id, seq)
        return mentioned_users(write, answered)

    def find_nonce(self, write: NonceSought) -> Stored | None:
        """Return the message of a nonce, also if it was deleted alone, but not if it went with its group or sender."""
        known = self._nonce((write.sender, nonce_bytes(write.nonce)))
        return known.stored if known is not None and known.at >= write.nonces_since else None

    def move_marker(self, write: MarkerMoved) -> Marker:
        row = self._chat(write.chat)
        if row is None:
            return Marker(0, 0, moved=False)
        wanted = min(write.seq, row.last_seq)
        marker = self._marker(write.user, write.chat, row.id)
        member = write.user, row.id
        moved = marker is not None and max(marker.read_seq, self._read.get(member, 0)) < wanted
        if moved:
            self._read[member] = wanted
        end = row.last_seq
        if wanted < end and marker is not None and marker.since_seq == end:
            end = 0  # the chat is empty for a member that has joined since
        return Marker(wanted, end, moved=moved)

    def create_group(self, write: GroupCreated) -> int:
        group: int = self._one(
            "INSERT INTO chats (name, key, owner) VALUES (%s, %s, %s) RETURNING id",
            write.name, write.key, write.members[0],
        )  # fmt: skip
        self._connection.execute(
            "INSERT INTO members (user_id, chat, standing, since_seq, read_seq)"
            " SELECT user_id, %s, standing - 1, 0, 0 FROM unnest(%s::bigint[])"
            " WITH ORDINALITY AS new (user_id, standing)",
            (group, list(write.members)),
        )
        return group

    def add_member(self, write: MemberAdded) -> None:
        self._connection.execute(
            "INSERT INTO members (user_id, chat, standing, since_seq, read_seq)"
            " SELECT %s, id, (SELECT max(standing) + 1 FROM members WHERE chat = %s), last_seq, last_seq"
            " FROM chats WHERE id = %s",
            (write.user, write.group, write.group),
        )

    def remove_member(self, write: MemberRemoved) -> None:
        self._connection.execute("DELETE FROM members WHERE chat = %s AND user_id = %s", (write.group, write.user))
        self._connection.execute("UPDATE chats SET owner = %s WHERE id = %s", (write.owner, write.group))

    def remove_group(self, write: GroupRemoved) -> None:
        """End the group. Its messages are inaccessible at once, and deleted in batches later."""
        self._chats.pop(write.group, None)
        self._connection.execute("DELETE FROM members WHERE chat = %s", (write.group,))
        self._connection.execute(
            "UPDATE chats SET name = NULL, key = NULL, owner = NULL, gaps_up_to = last_seq WHERE id = %s",
            (write.group,),
        )

    def remove_user(self, write: UserRemoved) -> None:
        for group, owner in write.groups:
            if owner is None:
                self.remove_group(GroupRemoved(group))
            else:
                self.remove_member(MemberRemoved(group, write.user, owner, by=write.user))
        self._flush()
        for table in ("tokens", "keys", "nonces", "members", "mentions", "bans"):
            self._connection.execute(f"DELETE FROM {table} WHERE user_id = %s", (write.user,))
        self._connection.execute(
            "UPDATE users SET name = %s, key = %s, password = NULL, removed_at = %s WHERE id = %s",
            (write.name, write.key, write.at, write.user),
        )


_DO: dict[type[Write[object]], Callable[[Writer, Never], object]] = {
    MessageAdded: Writer.add_message,
    writes.MessageEdited: Writer.edit_message,
    writes.MessageDeleted: Writer.delete_message,
    writes.MarkSet: Writer.set_mark,
    writes.MarksRemoved: Writer.remove_marks,
    writes.AlertSet: Writer.set_alert,
    NonceSought: Writer.find_nonce,
    MarkerMoved: Writer.move_marker,
    writes.UserCreated: Writer.create_user,
    writes.PasswordSet: Writer.set_password,
    writes.HashReplaced: Writer.replace_hash,
    writes.TokenAdded: Writer.add_token,
    writes.TokenUsed: Writer.touch_token,
    writes.TokenRemoved: Writer.remove_token,
    writes.KeyAdded: Writer.add_key,
    writes.KeyUsed: Writer.touch_key,
    writes.KeyRemoved: Writer.remove_key,
    writes.SignInEnded: Writer.end_sign_in,
    writes.OtherSignInsEnded: Writer.end_other_sign_ins,
    GroupCreated: Writer.create_group,
    MemberAdded: Writer.add_member,
    MemberRemoved: Writer.remove_member,
    GroupRemoved: Writer.remove_group,
    writes.BlockSet: Writer.set_block,
    UserRemoved: Writer.remove_user,
    writes.MessagesDeleted: Writer.delete_messages,
    writes.BanSet: Writer.set_ban,
    writes.BanRemoved: Writer.remove_ban,
    writes.SessionsEnded: lambda writer, write: None,
}
