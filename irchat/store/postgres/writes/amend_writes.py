"""The writes that change a stored message in PostgreSQL, with the rights of their users and the revs of the chats."""

from collections.abc import Collection
from typing import NamedTuple

from irchat.interfaces.stored import GLOBAL, ChatKey, PlacedMark, StoredChange
from irchat.interfaces.writes import AlertSet, MarkSet, MarksRemoved, MessageDeleted, MessageEdited
from irchat.protocol.errors import Code
from irchat.protocol.marks import MESSAGE_MARKS, USER_MARKS
from irchat.store.chat_row import ChatRow
from irchat.store.postgres.search.indexing import replace_words
from irchat.store.postgres.writes.deletions import DeletionWriter, delete

# The messages from the end of a chat among which the last one of a user is sought.
_LAST_SOUGHT = 1_000
_HIGHEST = 2**63 - 1

_PUT_CHANGE = (
    "INSERT INTO amended (chat, seq, rev, edited_at, deleted) VALUES (%s, %s, %s, %s, %s) ON CONFLICT (chat, seq)"
    " DO UPDATE SET rev = excluded.rev, edited_at = excluded.edited_at, deleted = excluded.deleted"
)
_NOTE_MARK = (
    "INSERT INTO amended (chat, seq, rev) VALUES (%s, %s, %s) ON CONFLICT (chat, seq) DO UPDATE SET rev = excluded.rev"
)
_LAST_OF_USER = (
    "SELECT seq FROM (SELECT seq, sender FROM messages WHERE chat = %s ORDER BY seq DESC LIMIT %s) AS latest"
    " WHERE sender = %s ORDER BY seq DESC LIMIT 1"
)
# A message that the user may see. Without a user, for the administrator of the machine: any message.
_TARGET = (
    "SELECT sender, at, id FROM messages WHERE chat = %(chat)s AND seq = %(seq)s AND (%(user)s::bigint IS NULL"
    " OR EXISTS (SELECT 1 FROM members WHERE user_id = %(user)s AND chat = %(chat)s AND since_seq < %(seq)s))"
)
_MARK_IS = "chat = %s AND seq = %s AND key = %s AND user_id = %s"
# Whether a mark is there, how many the user has on the message, and how many different ones it has if this one is new.
_MARKS_NOW = (
    "SELECT coalesce(bool_or(key = %(key)s AND user_id = %(user)s), false), count(*) FILTER (WHERE user_id = %(user)s),"
    " CASE WHEN coalesce(bool_or(key = %(key)s), false) THEN 0 ELSE count(DISTINCT key) END"
    " FROM marks WHERE chat = %(chat)s AND seq = %(seq)s"
)


class _Target(NamedTuple):
    """A message to be changed. ``is_for_all``: no member can have joined its chat after it."""

    row: ChatRow
    seq: int
    sender: int
    sent_at: int
    id: int
    is_for_all: bool


class AmendWriter(DeletionWriter):
    """Runs these writes in a turn. A refused one changes nothing."""

    def edit_message(self, write: MessageEdited) -> StoredChange:
        target = self._target(write.chat, write.seq, write.user, write.hidden)
        if target is None:
            return StoredChange(refusal=Code.NO_SUCH_MESSAGE)
        if target.sender != write.user:
            return StoredChange(refusal=Code.NOT_YOURS)
        if target.seq < write.seq_from:
            return StoredChange(refusal=Code.NO_SUCH_MESSAGE)
        if target.sent_at < write.sent_since:
            return StoredChange(refusal=Code.TOO_LATE)
        self._connection.execute("UPDATE messages SET text = %s WHERE id = %s", (write.text, target.id))
        replace_words(self._connection, target.id, target.row.id, target.seq, write.text)
        return self._changed(target, write.at, edited=True)

    def delete_message(self, write: MessageDeleted) -> StoredChange:
        target = self._target(write.chat, write.seq, write.user, write.hidden)
        if target is None:
            return StoredChange(refusal=Code.NO_SUCH_MESSAGE)
        if not (write.of_anyone or write.user is None or target.sender == write.user):
            return StoredChange(refusal=Code.NOT_YOURS)
        if target.seq < write.seq_from:
            return StoredChange(refusal=Code.NO_SUCH_MESSAGE)
        place = target.row.id, target.seq
        self._note_ends([place])
        delete(self._connection, [place])
        return self._changed(target, write.at, deleted=True)

    def set_mark(self, write: MarkSet) -> StoredChange:
        target = self._target(write.chat, write.seq, write.user, write.hidden)
        if target is None:
            return StoredChange(refusal=Code.NO_SUCH_MESSAGE)
        mark = (target.row.id, target.seq, write.key, write.user)
        named = dict(zip(("chat", "seq", "key", "user"), mark, strict=True))
        is_on, own, different = self._connection.execute(_MARKS_NOW, named).fetchone() or (False, 0, 0)
        on = not is_on if write.on is None else write.on
        if on == is_on:
            return StoredChange(target.seq, 0, target.sender, write.at, target.sent_at, on, is_new=False)
        if not on:
            self._connection.execute(f"DELETE FROM marks WHERE {_MARK_IS}", mark)
        elif own < USER_MARKS and different < MESSAGE_MARKS:
            self._connection.execute(
                "INSERT INTO marks (chat, seq, key, user_id, mark, at) VALUES (%s, %s, %s, %s, %s, %s)",
                (*mark, write.mark, write.at),
            )
        else:
            return StoredChange(refusal=Code.TOO_MANY)
        return self._changed(target, write.at, on=on)

    def remove_marks(self, write: MarksRemoved) -> tuple[StoredChange, ...]:
        return tuple(self._remove_mark(mark, write.at) for mark in write.marks)

    def _remove_mark(self, mark: PlacedMark, at: int) -> StoredChange:
        target = self._target(mark.chat, mark.seq, None, ())
        if target is not None:
            row = (target.row.id, mark.seq, mark.key, mark.user)
            if self._connection.execute(f"DELETE FROM marks WHERE {_MARK_IS}", row).rowcount:
                return self._changed(target, at)
        return StoredChange(mark.seq, is_new=False)

    def set_alert(self, write: AlertSet) -> None:
        row = self._chat_to_write(write.chat) if isinstance(write.chat, tuple) else self._chat(write.chat)
        if row is not None:
            self._connection.execute(
                "UPDATE members SET alert = %s WHERE user_id = %s AND chat = %s", (write.alert, write.user, row.id)
            )

    def _target(self, key: ChatKey, seq: int | None, user: int | None, hidden: Collection[int]) -> _Target | None:
        """Return the message ``seq``, or the last one of ``user``, if it stands and the user may see it."""
        row = self._chat(key)
        if row is None:
            return None
        if seq is None:
            seq = self._one(_LAST_OF_USER, row.id, _LAST_SOUGHT, user)
        wanted = {"chat": row.id, "seq": min(seq or 0, _HIGHEST), "user": user}
        found = self._connection.execute(_TARGET, wanted).fetchone()
        if found is None or found[0] in hidden:
            return None
        sender, sent_at, message_id = found
        return _Target(row, seq or 0, sender, sent_at, message_id, isinstance(key, tuple) or key == GLOBAL)

    def _changed(
        self, target: _Target, at: int, *, edited: bool = False, deleted: bool = False, on: bool = False
    ) -> StoredChange:
        """Note a change under the next ``rev`` of its chat, and return it."""
        row, seq = target.row, target.seq
        row.rev += 1
        self._touched[row.id] = row
        if edited or deleted:
            self._connection.execute(_PUT_CHANGE, (row.id, seq, row.rev, at if edited else None, deleted))
        else:
            self._connection.execute(_NOTE_MARK, (row.id, seq, row.rev))
        late = frozenset() if target.is_for_all else self._late(row.id, seq)
        return StoredChange(seq, row.rev, target.sender, at, target.sent_at, on, late=late)

    def _late(self, chat: int, seq: int) -> frozenset[int]:
        """Return the members that joined after a message."""
        rows = self._connection.execute("SELECT user_id FROM members WHERE chat = %s AND since_seq >= %s", (chat, seq))
        return frozenset(user for (user,) in rows)
