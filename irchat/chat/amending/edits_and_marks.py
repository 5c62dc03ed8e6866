"""Edits and marks of stored messages. Only users that may write in the chat can make them."""

from dataclasses import dataclass, field

from irchat.chat.amending.amendment import Amendment, refuse_off
from irchat.chat.timed.timed_messages import TimedMessage
from irchat.interfaces.writes import MarkSet, MessageEdited
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.marks import clean_mark
from irchat.protocol.rules import clean_text

_HOUR_MS = 3_600_000


@dataclass(eq=False, repr=False)
class Edit(Amendment):
    """Edit a message. Raises Refusal for an invalid text."""

    text: str
    timed: TimedMessage | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.alone = self.seq is None
        self.characters = len(self.text)
        self.text = clean_text(self.text, self.messages.limits.text_length)

    def check(self) -> MessageEdited:
        messages, user = self.messages, self.by
        self.chat = messages.writable_chat(user, self.chat_name)
        refuse_off(messages)
        now = messages.wall_ms()
        hours = messages.limits.edit_hours
        sent_since = int(now - hours * _HOUR_MS) if hours else 0
        # An older message must not get the text that is meant for a timed one: it would be stored.
        self.timed = None if self.seq is not None else next(messages.timed.newest_of(user, self.chat.key), None)
        if self.timed is not None and not self.timed.followed_by:
            raise self.refused(Code.NO_SUCH_MESSAGE)
        seq_from = 0 if self.timed is None else self.timed.followed_by
        return MessageEdited(self.chat.key, self.seq, user.id, self.text, now, sent_since, user.hidden, seq_from)

    def refused(self, code: Code) -> Refusal:
        if self.timed is not None and code is Code.NO_SUCH_MESSAGE:
            where = self.chat.label(self.by)
            text = f"Your last message in {where} is a timed one, which cannot be edited. #- takes it back."
            return Refusal(Code.NO_SUCH_MESSAGE, text)
        return super().refused(code)


@dataclass(eq=False, repr=False)
class SetMark(Amendment):
    """Put a mark on a message, or take it off. None as ``on`` toggles it. Raises Refusal for an invalid mark."""

    seq: int
    mark: str
    on: bool | None
    key: str = field(init=False)

    def __post_init__(self) -> None:
        self.mark, self.key = clean_mark(self.mark)

    def check(self) -> MarkSet:
        user = self.by
        self.chat = self.messages.writable_chat(user, self.chat_name)
        at = self.messages.wall_ms()
        return MarkSet(self.chat.key, self.seq, user.id, self.mark, self.key, self.on, at, user.hidden)
