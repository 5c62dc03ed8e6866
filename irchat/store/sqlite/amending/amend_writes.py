"""The writes that change a stored message. Each checks the rights of its user and takes the next rev of the chat."""

from collections.abc import Collection
from typing import NamedTuple

from irchat.interfaces.stored import ChatKey, PlacedMark, StoredChange
from irchat.interfaces.writes import AlertSet, MarkSet, MarksRemoved, MessageDeleted, MessageEdited
from irchat.protocol.errors import Code
from irchat.protocol.marks import MESSAGE_MARKS, USER_MARKS
from irchat.store.chat_row import ChatRow
from irchat.store.sqlite.amending.deletions import DeletionWriter
from irchat.store.write_rules import LAST_SOUGHT, deletion_refusal, edit_refusal

_PUT_CHANGE = "INSERT OR REPLACE INTO amended (chat, seq, rev, edited_at, deleted) VALUES (?, ?, ?, ?, ?)"
_LAST_OF_USER = (
    "SELECT seq FROM (SELECT seq, sender FROM messages WHERE chat = ? ORDER BY seq DESC LIMIT ?) WHERE sender = ?"
    " LIMIT 1"
)
# A message that the user may see. Also when the last member joined, who has the highest standing, and whether there are
# marks. Without a user, for the administrator of the machine: any message.
_TARGET = (
    "SELECT sender, at, (SELECT since_seq FROM members WHERE chat = ?1 ORDER BY standing DESC LIMIT 1),"
    " EXISTS (SELECT 1 FROM marks WHERE chat = ?1 AND seq = ?2)"
    " FROM messages WHERE chat = ?1 AND seq = ?2 AND (?3 IS NULL OR EXISTS"
    " (SELECT 1 FROM members WHERE user = ?3 AND chat = ?1 AND since_seq < ?2))"
)
_MARK_IS = "chat = ? AND seq = ? AND key = ? AND user = ?"
# Whether a mark is there, how many the user has on the message, and how many different ones it has if this one is new.
_MARKS_NOW = (
    "SELECT EXISTS (SELECT 1 FROM marks WHERE chat = ?1 AND seq = ?2 AND key = ?3 AND user = ?4),"
    " (SELECT count(*) FROM marks WHERE user = ?4 AND chat = ?1 AND seq = ?2),"
    " CASE WHEN EXISTS (SELECT 1 FROM marks WHERE chat = ?1 AND seq = ?2 AND key = ?3) THEN 0"
    " ELSE (SELECT count(DISTINCT key) FROM marks WHERE chat = ?1 AND seq = ?2) END"
)


class _Target(NamedTuple):
    """A message to be changed. ``has_late``: members have joined its chat after it. ``has_marks``: of any user."""

    row: ChatRow
    seq: int
    sender: int
    sent_at: int
    has_late: bool
    has_marks: bool


class AmendWriter(DeletionWriter):
    """Runs these writes. A refused one changes nothing.

    ``_touched`` are the chats whose rows the commit will write, ``_marked`` the messages with new marks, each with its
    chat and its rev. Other changes of messages come after these are written.
    """

    _touched: dict[int, ChatRow]
    _marked: list[tuple[int, int, int]]

    def edit_message(self, write: MessageEdited) -> StoredChange:
        target = self._target(write.chat, write.seq, write.user, write.hidden)
        if target is None:
            return StoredChange(refusal=Code.NO_SUCH_MESSAGE)
        refusal = edit_refusal(write, target.sender, target.seq, target.sent_at)
        if refusal is not None:
            return StoredChange(refusal=refusal)
        self._index.replace(target.row.id, target.seq, write.text)
        return self._changed(target, write.at, edited=True)

    def delete_message(self, write: MessageDeleted) -> StoredChange:
        target = self._target(write.chat, write.seq, write.user, write.hidden)
        if target is None:
            return StoredChange(refusal=Code.NO_SUCH_MESSAGE)
        refusal = deletion_refusal(write, target.sender, target.seq)
        if refusal is not None:
            return StoredChange(refusal=refusal)
        place = target.row.id, target.seq
        self._note_ends([place])
        self._delete([place])
        return self._changed(target, write.at, deleted=True)

    def set_mark(self, write: MarkSet) -> StoredChange:
        target = self._target(write.chat, write.seq, write.user, write.hidden)
        if target is None:
            return StoredChange(refusal=Code.NO_SUCH_MESSAGE)
        mark = (target.row.id, target.seq, write.key, write.user)
        is_on, own, different = False, 0, 0
        if target.has_marks:
            is_on, own, different = self._connection.execute(_MARKS_NOW, mark).fetchone()
        on = not is_on if write.on is None else write.on
        if on == bool(is_on):
            return StoredChange(target.seq, 0, target.sender, write.at, target.sent_at, on, is_new=False)
        if not on:
            self._connection.execute(f"DELETE FROM marks WHERE {_MARK_IS}", mark)
        elif own < USER_MARKS and different < MESSAGE_MARKS:
            self._connection.execute(
                "INSERT INTO marks (chat, seq, key, user, mark, at) VALUES (?, ?, ?, ?, ?, ?)",
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
                "UPDATE members SET alert = ? WHERE user = ? AND chat = ?", (write.alert, write.user, row.id)
            )

    def _target(self, key: ChatKey, seq: int | None, user: int | None, hidden: Collection[int]) -> _Target | None:
        """Return the message ``seq``, or the last one of ``user``, if it stands and the user may see it."""
        row = self._chat(key)
        if row is None:
            return None
        if seq is None:
            seq = self._one(_LAST_OF_USER, row.id, LAST_SOUGHT, user)
        found = self._connection.execute(_TARGET, (row.id, seq, user)).fetchone()
        if found is None or found[0] in hidden:
            return None
        sender, sent_at, last_joined, has_marks = found
        return _Target(row, seq or 0, sender, sent_at, (last_joined or 0) >= (seq or 0), has_marks == 1)

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
            self._marked.append((row.id, seq, row.rev))
        late = self._late(row.id, seq) if target.has_late else frozenset()
        return StoredChange(seq, row.rev, target.sender, at, target.sent_at, on, late=late)

    def _late(self, chat: int, seq: int) -> frozenset[int]:
        """Return the members that joined after a message. Nobody joined later than those with a higher standing."""
        late = set()
        for user, since_seq in self._connection.execute(
            "SELECT user, since_seq FROM members WHERE chat = ? ORDER BY standing DESC", (chat,)
        ):
            if since_seq < seq:
                break
            late.add(user)
        return frozenset(late)
