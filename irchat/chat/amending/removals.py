"""Deletions of stored messages, and taking back timed ones."""

from dataclasses import dataclass, field
from itertools import islice

from irchat.chat.amending.amendment import Amendment, refuse_off
from irchat.chat.changes import Change
from irchat.chat.messages import Messages
from irchat.chat.state.entities import DirectoryChat
from irchat.chat.state.message_publications import amended
from irchat.chat.timed.timed_messages import TimedMessage
from irchat.interfaces.bus import Publication
from irchat.interfaces.stored import StoredChange
from irchat.interfaces.writes import MessageDeleted, Write
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.events import Amended, Ok
from irchat.protocol.rules import shown

# The newest timed messages of a chat among which that of another user is sought, only to say whose it is.
_TIMED_SOUGHT = 1_000
# The largest number of a message in the database.
_SEQ_MOST = 2**63 - 1


@dataclass(eq=False, repr=False)
class Delete(Amendment):
    """Delete a stored message. Without ``seq``, take back the last message of the user, which may be a timed one."""

    is_admin: bool
    timed: TimedMessage | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.alone = self.seq is None

    def check(self) -> MessageDeleted | None:
        messages, user = self.messages, self.by
        messages.directory.refuse_removed(user)
        chat = self.chat = messages.directory.chat(user, self.chat_name)
        of_anyone = self.is_admin and chat.pair is None
        if chat.group is not None and chat.group.owner is user:
            of_anyone = True
        self.timed = None if self.seq is not None else next(messages.timed.newest_of(user, chat.key), None)
        if self.timed is not None and not self.timed.followed_by:
            return None
        if not of_anyone:
            if self.timed is not None and messages.limits.no_amend:
                return None
            refuse_off(messages)
        seq_from = 0 if self.timed is None else self.timed.followed_by
        return MessageDeleted(chat.key, self.seq, user.id, messages.wall_ms(), of_anyone, seq_from, user.hidden)

    def reply(self, result: StoredChange | None, publications: list[Publication]) -> Amended | Ok:
        if self.timed is not None and (result is None or result.refusal is not None):
            publications += self.messages.take_back(self.timed)
            return Ok()
        return super().reply(result, publications)

    def whose_it_is(self) -> str:
        if self.chat.group is not None:
            owner = self.chat.group.owner.name
            return f"Only its sender and {owner}, who owns {self.chat.group.name}, may delete it: ask one of them."
        if self.chat.pair is not None:
            return "Only its sender may delete it. Ask for that."
        return "Only its sender and the administrators may delete it: ask one of them."


@dataclass(eq=False, repr=False)
class TakeBack(Amendment):
    """End a timed message before its time, on behalf of its sender."""

    message_id: str

    def check(self) -> Write[StoredChange | None] | None:
        self.chat = self.messages.directory.chat(self.by, self.chat_name)
        return None

    def reply(self, result: StoredChange | None, publications: list[Publication]) -> Amended | Ok:
        """Look for the message only now: it may have been sent in the same group of changes."""
        live, key = self.messages.timed, self.chat.key
        for timed in live.newest_of(self.by, key):
            if timed.id == self.message_id:
                publications += self.messages.take_back(timed)
                return Ok()
        if any(timed.id == self.message_id for timed in islice(live.newest_first(key, self.by), _TIMED_SOUGHT)):
            raise Refusal(Code.NOT_YOURS, "Only its sender may take back a timed message. Ask for that.")
        where = self.chat.label(self.by)
        text = f"There is no such timed message in {where}: it has ended. ls {where} shows those alive."
        raise Refusal(Code.NO_SUCH_MESSAGE, text)


@dataclass(eq=False, repr=False)
class AdministratorDelete(Change[StoredChange, Amended]):
    """Delete a message on behalf of the administrator of the machine.

    ``chat_name`` is ``GLOBAL``, ``*team`` or, for a private chat, ``@alice@bob``.
    """

    messages: Messages
    chat_name: str
    seq: int
    chat: DirectoryChat = field(init=False)

    def check(self) -> MessageDeleted:
        self.chat = self.messages.directory.chat_of_anyone(self.chat_name)
        if abs(self.seq) > _SEQ_MOST:
            raise self._no_such_message(Code.NO_SUCH_MESSAGE)
        return MessageDeleted(self.chat.key, self.seq, None, self.messages.wall_ms(), of_anyone=True)

    def reply(self, result: StoredChange, publications: list[Publication]) -> Amended:
        if result.refusal is not None:
            raise self._no_such_message(result.refusal)
        write = self.write
        assert isinstance(write, MessageDeleted)
        publications += self.messages.publications.amended(self.chat, write, result, None)
        return amended(write, result, self.chat_name, "")

    def _no_such_message(self, code: Code) -> Refusal:
        text = (
            f"There is no message {self.seq} in {shown(self.chat_name)}. The clients show the number of each message."
        )
        return Refusal(code, text)
