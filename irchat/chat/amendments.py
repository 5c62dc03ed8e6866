"""Amendments: edits, deletions and marks of stored messages, and taking back timed ones."""

from collections.abc import Callable

from irchat.chat.changes import Change
from irchat.chat.messages import Messages
from irchat.chat.state.entities import DirectoryChat, User
from irchat.chat.timed.timed_messages import TimedMessage
from irchat.interfaces.bus import Publication
from irchat.interfaces.limits import Limits
from irchat.interfaces.stored import StoredChange
from irchat.interfaces.writes import MarkSet, MessageDeleted, MessageEdited, Write
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.events import Amended, Ok
from irchat.protocol.marks import MESSAGE_MARKS, USER_MARKS, clean_mark
from irchat.protocol.rules import clean_text
from irchat.system.clock import rfc3339

_HOUR_MS = 3_600_000

AmendmentChange = Change[StoredChange | None, Amended | Ok]
"""A change of a message. The reply is ``ok`` for a timed one."""


class Amendments:
    """Builds the changes of messages, for the commit queue.

    The store decides who may change a message, because it knows the sender. Its refusals become texts here.
    """

    def __init__(self, messages: Messages, wall_ms: Callable[[], int], limits: Limits) -> None:
        self.messages = messages
        self.directory = messages.directory
        self.presence = messages.presence
        self.wall_ms = wall_ms
        self.limits = limits

    def to_amend(
        self,
        user: User,
        chat: str,
        *,
        seq: int | None = None,
        message_id: str | None = None,
        text: str | None = None,
        delete: bool = False,
        origin: int | None = None,
        is_admin: bool = False,
    ) -> AmendmentChange:
        """Return a change that edits (``text``) or deletes the message ``seq``, or takes back the timed ``message_id``.

        Raises Refusal for invalid arguments. The change fails with ``amend-off``, ``no-such-message``, ``not-yours``,
        ``too-late``, or the refusals of sending.
        """
        if (seq is None) == (message_id is None):
            raise Refusal(Code.BAD_REQUEST, "Give either the seq of a stored message, or the id of a timed one.")
        if (text is None) != delete:
            raise Refusal(Code.BAD_REQUEST, "Give either a new text, or delete as true.")
        if message_id is not None:
            if text is not None:
                raise Refusal(Code.BAD_REQUEST, "A timed message cannot be edited. Delete it, and send another one.")
            return _TakeBack(self, user, chat, message_id, origin)
        if text is not None:
            return _Edit(self, user, chat, seq, clean_text(text, self.limits.text_length), origin)
        return _Delete(self, user, chat, seq, origin, is_admin)

    def to_amend_last(
        self, user: User, chat: str, text: str | None, *, origin: int | None = None, is_admin: bool = False
    ) -> AmendmentChange:
        """Return a change that edits or, without ``text``, takes back the last message of ``user`` in a chat.

        That may be a timed one, which cannot be edited. Raises Refusal as `to_amend` does.
        """
        if text is not None:
            return _Edit(self, user, chat, None, clean_text(text, self.limits.text_length), origin)
        return _Delete(self, user, chat, None, origin, is_admin)

    def to_mark(
        self, user: User, chat: str, seq: int, mark: str, on: bool | None = None, *, origin: int | None = None
    ) -> AmendmentChange:
        """Return a change that puts a mark on a message or takes it off. None toggles it.

        Raises Refusal ``bad-request`` for an invalid mark. The change fails with ``no-such-message``, ``too-many``, or
        the refusals of sending.
        """
        return _SetMark(self, user, chat, seq, *clean_mark(mark), on, origin)

    def to_delete_for_administrator(self, chat: str, seq: int) -> AmendmentChange:
        """Return a change that deletes a message for the administrator of the machine.

        ``chat`` is ``GLOBAL``, ``*team``, or the two names of a private chat: ``@alice@bob``.
        """
        return _AdministratorDelete(self, chat, seq)

    def last_timed(self, user: User, chat: DirectoryChat) -> TimedMessage | None:
        """Return the last live timed message of ``user`` in a chat."""
        return next(self.messages.timed.newest_of(user, chat.key), None)

    def take_back(self, timed: TimedMessage, publications: list[Publication]) -> Ok:
        """End a timed message now."""
        if self.messages.timed.take_back(timed):
            publications += self.messages.erased([timed])
        return Ok()

    def refuse_off(self) -> None:
        """Raise Refusal ``amend-off`` if users may not change their stored messages."""
        if self.limits.no_amend:
            raise Refusal(
                Code.AMEND_OFF,
                "On this server users cannot edit or delete what they sent. Send a correction as a new message.",
            )


class _Amendment(AmendmentChange):
    """Base of the changes of a message. ``seq``: None for the last one of ``user``."""

    chat: DirectoryChat

    def __init__(self, amendments: Amendments, user: User, chat_name: str, seq: int | None, origin: int | None) -> None:
        self.amendments = amendments
        self.user = user
        self.chat_name = chat_name
        self.seq = seq
        self.origin = origin

    def whose(self) -> User | None:
        return self.user

    def reply(self, result: StoredChange | None, publications: list[Publication]) -> Amended | Ok:
        assert result is not None
        if result.refusal is not None:
            raise Refusal(result.refusal, self.why_refused(result.refusal))
        if result.is_new:
            self.publish(result, publications)
        return self.event(result, self.chat.label(self.user), self.user.name)

    def event(self, result: StoredChange, label: str, by: str) -> Amended:
        """Return the event of the change, for a reader that calls the chat ``label``."""
        raise NotImplementedError

    def unseen_by(self, sender: User) -> frozenset[int]:
        """Return the ids of the users that do not see a change of a message of ``sender``."""
        return sender.hidden

    def why_refused(self, code: Code) -> str:
        """Return the text of a refusal, with the next step."""
        where = self.chat.label(self.user)
        if code is Code.NO_SUCH_MESSAGE and self.seq is None:
            return f"You have no message in {where} that could be changed. ls {where} shows the messages."
        if code is Code.NO_SUCH_MESSAGE:
            return f"There is no message {self.seq} in {where}. ls {where} shows the messages with their numbers."
        if code is Code.NOT_YOURS:
            return f"Message {self.seq} in {where} is not yours. {self.whose_it_is()}"
        if code is Code.TOO_LATE:
            hours = f"{self.amendments.limits.edit_hours:g}"
            return (
                f"A message can be edited for {hours} {'hour' if hours == '1' else 'hours'}."
                " Send a correction as a new message, or delete it and send it again."
            )
        assert code is Code.TOO_MANY
        return (
            f"A message has at most {MESSAGE_MARKS} different marks, and {USER_MARKS} of one user."
            f" Use one of those on it, or take one of yours off: #{self.seq}-<mark>."
        )

    def whose_it_is(self) -> str:
        """Return the next step after ``not-yours``."""
        return f"Only its sender may edit it. To answer it, begin your message with #{self.seq} and a blank."

    def publish(self, result: StoredChange, publications: list[Publication]) -> None:
        """Publish the change to all that may see it."""
        chat, user, change = self.chat, self.user, (self.chat.key, result.rev)
        if chat.pair is None:
            unseen = self.unseen_by(self.amendments.directory.users[result.sender]) | result.late
            event = self.event(result, chat.label(user), user.name)
            publications.append(Publication(event, chat.audience, hidden=unseen, origin=self.origin, change=change))
            return
        for reader in chat.pair:
            if reader.id in self.amendments.presence.sessions:
                by = "" if user.id in reader.hidden else user.name
                event = self.event(result, chat.label(reader), by)
                publications.append(Publication(event, (reader.id,), origin=self.origin, change=change))


class _Edit(_Amendment):
    """Edit a stored message."""

    def __init__(
        self,
        amendments: Amendments,
        user: User,
        chat_name: str,
        seq: int | None,
        text: str,
        origin: int | None,
    ) -> None:
        super().__init__(amendments, user, chat_name, seq, origin)
        self.text = text
        self.characters = len(text)

    def check(self) -> MessageEdited:
        amendments, user = self.amendments, self.user
        self.chat = amendments.messages.writable_chat(user, self.chat_name)
        amendments.refuse_off()
        now = amendments.wall_ms()
        hours = amendments.limits.edit_hours
        sent_since = int(now - hours * _HOUR_MS) if hours else 0
        # An older message must not get the text that was meant for a timed one: it would be stored.
        self.timed = amendments.last_timed(user, self.chat) if self.seq is None else None
        if self.timed is not None:
            sent_since = max(sent_since, self.timed.at + 1)
        return MessageEdited(self.chat.key, self.seq, user.id, self.text, now, sent_since, user.hidden)

    def event(self, result: StoredChange, label: str, by: str) -> Amended:
        at = rfc3339(result.at)
        return Amended(chat=label, seq=result.seq, rev=result.rev, by=by, at=at, text=self.text, edited=at)

    def why_refused(self, code: Code) -> str:
        if self.timed is not None:
            return "Your last message there is a timed one, which cannot be edited. #- takes it back."
        return super().why_refused(code)


class _Delete(_Amendment):
    """Delete a stored message. Without ``seq``, also take back a timed one if it is the last."""

    def __init__(
        self,
        amendments: Amendments,
        user: User,
        chat_name: str,
        seq: int | None,
        origin: int | None,
        is_admin: bool,
    ) -> None:
        super().__init__(amendments, user, chat_name, seq, origin)
        self.is_admin = is_admin

    def check(self) -> MessageDeleted | None:
        amendments, user = self.amendments, self.user
        amendments.directory.refuse_removed(user)
        chat = self.chat = amendments.directory.chat(user, self.chat_name)
        owns = chat.group is not None and chat.group.owner is user
        of_anyone = owns or (self.is_admin and chat.pair is None)
        self.timed = amendments.last_timed(user, chat) if self.seq is None else None
        if not of_anyone:
            if self.timed is not None and amendments.limits.no_amend:
                return None
            amendments.refuse_off()
        sent_since = 0 if self.timed is None else self.timed.at + 1
        return MessageDeleted(
            chat.key,
            self.seq,
            user.id,
            amendments.wall_ms(),
            of_anyone and self.seq is not None,
            sent_since,
            user.hidden,
        )

    def reply(self, result: StoredChange | None, publications: list[Publication]) -> Amended | Ok:
        if self.timed is not None and (result is None or result.refusal is not None):
            return self.amendments.take_back(self.timed, publications)
        return super().reply(result, publications)

    def event(self, result: StoredChange, label: str, by: str) -> Amended:
        return _deleted(result, label, by)

    def publish(self, result: StoredChange, publications: list[Publication]) -> None:
        """Publish the deletion to all that had the message, without its author where that one is hidden."""
        if self.chat.pair is not None:
            super().publish(result, publications)
            return
        label, user = self.chat.label(self.user), self.user
        publications.append(
            Publication(
                _deleted(result, label, user.name),
                self.chat.audience,
                hidden=user.hidden | result.late,
                origin=self.origin,
                change=(self.chat.key, result.rev),
                instead=dict.fromkeys(user.hidden - result.late, _deleted(result, label, "")),
            )
        )

    def whose_it_is(self) -> str:
        if self.chat.group is not None:
            return f"Only its sender, and {self.chat.group.owner.name}, who owns the group, may delete it: ask them."
        if self.chat.pair is not None:
            return "Only its sender may delete it: ask for that."
        return "Only its sender, and an administrator, may delete it: ask them."


class _SetMark(_Amendment):
    """Put a mark on a stored message, or take it off."""

    seq: int

    def __init__(
        self,
        amendments: Amendments,
        user: User,
        chat_name: str,
        seq: int,
        mark: str,
        key: str,
        on: bool | None,
        origin: int | None,
    ) -> None:
        super().__init__(amendments, user, chat_name, seq, origin)
        self.mark = mark
        self.key = key
        self.on = on

    def check(self) -> MarkSet:
        amendments, user = self.amendments, self.user
        self.chat = amendments.messages.writable_chat(user, self.chat_name)
        return MarkSet(
            self.chat.key, self.seq, user.id, self.mark, self.key, self.on, amendments.wall_ms(), user.hidden
        )

    def event(self, result: StoredChange, label: str, by: str) -> Amended:
        at = rfc3339(result.at)
        return Amended(chat=label, seq=result.seq, rev=result.rev, by=by, at=at, mark=self.mark, on=result.on)

    def unseen_by(self, sender: User) -> frozenset[int]:
        return sender.hidden | self.user.hidden


class _TakeBack(_Amendment):
    """End a timed message before its time, on behalf of its sender."""

    def __init__(self, amendments: Amendments, user: User, chat_name: str, message_id: str, origin: int | None) -> None:
        super().__init__(amendments, user, chat_name, None, origin)
        self.message_id = message_id

    def check(self) -> Write[StoredChange | None] | None:
        self.chat = self.amendments.directory.chat(self.user, self.chat_name)
        return None

    def reply(self, result: StoredChange | None, publications: list[Publication]) -> Amended | Ok:
        """Look for the message only now: it may be of the same group of changes."""
        for timed in self.amendments.messages.timed.newest_of(self.user, self.chat.key):
            if timed.id == self.message_id:
                return self.amendments.take_back(timed, publications)
        where = self.chat.label(self.user)
        raise Refusal(
            Code.NO_SUCH_MESSAGE,
            f"You have no such timed message in {where}: it has ended, or is not yours. ls {where} shows those alive.",
        )


class _AdministratorDelete(AmendmentChange):
    """Delete a message on behalf of the administrator of the machine."""

    def __init__(self, amendments: Amendments, chat_name: str, seq: int) -> None:
        self.amendments = amendments
        self.chat_name = chat_name
        self.seq = seq

    def check(self) -> MessageDeleted:
        self.chat = self.amendments.directory.chat_of_anyone(self.chat_name)
        return MessageDeleted(self.chat.key, self.seq, None, self.amendments.wall_ms(), of_anyone=True)

    def reply(self, result: StoredChange | None, publications: list[Publication]) -> Amended | Ok:
        assert result is not None
        if result.refusal is not None:
            raise Refusal(
                result.refusal,
                f"There is no message {self.seq} in {self.chat_name}. The clients show the number of each message.",
            )
        change = (self.chat.key, result.rev)
        if self.chat.pair is None:
            event = _deleted(result, self.chat.label(self.amendments.directory.users[result.sender]), "")
            publications.append(Publication(event, self.chat.audience, hidden=result.late, change=change))
            return event
        for reader in self.chat.pair:
            event = _deleted(result, self.chat.label(reader), "")
            publications.append(Publication(event, (reader.id,), change=change))
        return event


def _deleted(result: StoredChange, label: str, by: str) -> Amended:
    return Amended(chat=label, seq=result.seq, rev=result.rev, by=by, at=rfc3339(result.at), deleted=True)
