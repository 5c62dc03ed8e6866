"""Changes of stored messages, for all stores: rights, limits and revs. The SQL is in each store."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from irchat.interfaces.stored import GLOBAL, ChatKey, PlacedMark, StoredChange
from irchat.interfaces.writes import AlertSet, MarkSet, MarksRemoved, MessageDeleted, MessageEdited, MessagesDeleted
from irchat.protocol.errors import Code
from irchat.protocol.marks import MESSAGE_MARKS, USER_MARKS
from irchat.store.chat_row import ChatRow
from irchat.store.write_rules import LAST_SOUGHT, deletion_refusal, edit_refusal

Places = Sequence[tuple[int, int]]
"""Messages, each by the id of its chat and its seq."""


class Mark(NamedTuple):
    """A mark of a user on a message. ``chat``: the id of the chat."""

    chat: int
    seq: int
    key: str
    user: int


class Found(NamedTuple):
    """A message that was looked up. ``joined_at``: the seq after which the last member joined its chat.

    ``has_marks``: of any user.
    """

    sender: int
    sent_at: int
    id: int
    joined_at: int
    has_marks: bool


class Target(NamedTuple):
    """A message to be changed. ``is_for_all``: no member has joined its chat after it."""

    row: ChatRow
    seq: int
    message: Found
    is_for_all: bool


class MessageChanges:
    """Runs the writes that change messages. A refused one changes nothing.

    ``_touched``: the chats whose rows the commit will write, by their ids.
    """

    _touched: dict[int, ChatRow]

    def edit_message(self, write: MessageEdited) -> StoredChange:
        target = self._target(write.chat, write.seq, write.user, write.hidden)
        if target is None:
            return StoredChange(refusal=Code.NO_SUCH_MESSAGE)
        refusal = edit_refusal(write, target.message.sender, target.seq, target.message.sent_at)
        if refusal is not None:
            return StoredChange(refusal=refusal)
        self._put_text(target, write.text)
        return self._changed(target, write.at, edited=True)

    def delete_message(self, write: MessageDeleted) -> StoredChange:
        target = self._target(write.chat, write.seq, write.user, write.hidden)
        if target is None:
            return StoredChange(refusal=Code.NO_SUCH_MESSAGE)
        refusal = deletion_refusal(write, target.message.sender, target.seq)
        if refusal is not None:
            return StoredChange(refusal=refusal)
        place = target.row.id, target.seq
        self._note_ends([place])
        self._delete([place])
        return self._changed(target, write.at, deleted=True)

    def delete_messages(self, write: MessagesDeleted) -> None:
        chats: dict[ChatKey, ChatRow] = {}
        places: list[tuple[int, int]] = []
        for key, seq in write.places:
            row = chats.get(key) or self._chat(key)
            if row is not None:
                chats[key] = row
                places.append((row.id, seq))
        if places:
            self._note_ends(places)
            self._delete(places)
            self._leave_gaps(places)
        for key, row in chats.items():
            if isinstance(key, tuple):
                self._drop_if_empty(key, row.id)

    def set_mark(self, write: MarkSet) -> StoredChange:
        target = self._target(write.chat, write.seq, write.user, write.hidden)
        if target is None:
            return StoredChange(refusal=Code.NO_SUCH_MESSAGE)
        mark = Mark(target.row.id, target.seq, write.key, write.user)
        is_on, own, different = self._marks_now(mark) if target.message.has_marks else (False, 0, 0)
        on = not is_on if write.on is None else write.on
        if on == is_on:
            message = target.message
            return StoredChange(target.seq, 0, message.sender, write.at, message.sent_at, on, is_new=False)
        if not on:
            self._take_mark(mark)
        elif own < USER_MARKS and different < MESSAGE_MARKS:
            self._put_mark(mark, write.mark, write.at)
        else:
            return StoredChange(refusal=Code.TOO_MANY)
        return self._changed(target, write.at, on=on)

    def remove_marks(self, write: MarksRemoved) -> tuple[StoredChange, ...]:
        return tuple(self._remove_mark(mark, write.at) for mark in write.marks)

    def _remove_mark(self, mark: PlacedMark, at: int) -> StoredChange:
        target = self._target(mark.chat, mark.seq, None, ())
        if target is not None and self._take_mark(Mark(target.row.id, mark.seq, mark.key, mark.user)):
            return self._changed(target, at)
        return StoredChange(mark.seq, is_new=False)

    def set_alert(self, write: AlertSet) -> None:
        row = self._chat_to_write(write.chat) if isinstance(write.chat, tuple) else self._chat(write.chat)
        if row is not None:
            self._put_alert(row.id, write.user, write.alert)

    def _target(self, key: ChatKey, seq: int | None, user: int | None, hidden: Collection[int]) -> Target | None:
        """Return the message ``seq``, or the last one of ``user``, if it exists and the user may see it."""
        row = self._chat(key)
        if row is None:
            return None
        if seq is None:
            seq = self._last_of(row.id, user, LAST_SOUGHT)
        found = None if seq is None else self._find(row.id, seq, user)
        if seq is None or found is None or found.sender in hidden:
            return None
        return Target(row, seq, found, isinstance(key, tuple) or key == GLOBAL or found.joined_at < seq)

    def _changed(
        self, target: Target, at: int, *, edited: bool = False, deleted: bool = False, on: bool = False
    ) -> StoredChange:
        """Note a change under the next ``rev`` of its chat, and return it."""
        row, seq, message, is_for_all = target
        row.rev += 1
        self._touched[row.id] = row
        if edited or deleted:
            self._note_change(row.id, seq, row.rev, at if edited else None, deleted)
        else:
            self._note_mark(row.id, seq, row.rev)
        late = frozenset() if is_for_all else self._late(row.id, seq)
        return StoredChange(seq, row.rev, message.sender, at, message.sent_at, on, late=late)

    # In the SQL of each store.

    def _chat(self, key: ChatKey) -> ChatRow | None:
        raise NotImplementedError

    def _chat_to_write(self, key: ChatKey) -> ChatRow:
        """Return the row of a chat. A private chat is created if it does not exist."""
        raise NotImplementedError

    def _find(self, chat: int, seq: int, user: int | None) -> Found | None:
        """Return a message that the user may see. None as ``user``, for the administrator: any message."""
        raise NotImplementedError

    def _last_of(self, chat: int, user: int | None, sought: int) -> int | None:
        """Return the last message of a user among the last ``sought`` ones of a chat."""
        raise NotImplementedError

    def _put_text(self, target: Target, text: str) -> None:
        """Replace the text of a message, also in the search index."""
        raise NotImplementedError

    def _note_ends(self, places: Places) -> None:
        """Note the last deleted message of each sender: deletions must not move the ends shown to readers."""
        raise NotImplementedError

    def _delete(self, places: Places) -> None:
        """Delete messages with all that belongs to them, also from the search index."""
        raise NotImplementedError

    def _leave_gaps(self, places: Places) -> None:
        """Forget changes of messages that are deleted without a trace, and note that their numbers are missing."""
        raise NotImplementedError

    def _drop_if_empty(self, key: ChatKey, chat: int) -> None:
        """Delete a private chat without messages."""
        raise NotImplementedError

    def _marks_now(self, mark: Mark) -> tuple[bool, int, int]:
        """Return whether the mark is there, and two counts of marks on its message.

        The first counts those of its user. The second counts the different ones, and is 0 if this one is among them.
        """
        raise NotImplementedError

    def _put_mark(self, mark: Mark, text: str, at: int) -> None:
        raise NotImplementedError

    def _take_mark(self, mark: Mark) -> bool:
        """Delete a mark. Return whether it existed."""
        raise NotImplementedError

    def _put_alert(self, chat: int, user: int, alert: str) -> None:
        raise NotImplementedError

    def _note_change(self, chat: int, seq: int, rev: int, edited_at: int | None, deleted: bool) -> None:
        """Note an edit or a deletion."""
        raise NotImplementedError

    def _note_mark(self, chat: int, seq: int, rev: int) -> None:
        """Note a change of the marks of a message. It may be written later, before other changes of messages."""
        raise NotImplementedError

    def _late(self, chat: int, seq: int) -> frozenset[int]:
        """Return the members that joined after a message."""
        raise NotImplementedError
