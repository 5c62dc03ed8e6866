"""The base of the changes of a message: their refusals, and the events of those that are committed."""

from dataclasses import dataclass, field

from irchat.chat.changes import Change
from irchat.chat.messages import Messages
from irchat.chat.state.entities import DirectoryChat, User
from irchat.chat.state.message_publications import AmendWrite, amended
from irchat.interfaces.bus import Publication
from irchat.interfaces.stored import StoredChange
from irchat.protocol.errors import WITH_NUMBERS, Code, Refusal
from irchat.protocol.events import Amended, Ok
from irchat.protocol.marks import MESSAGE_MARKS, USER_MARKS


@dataclass(eq=False, repr=False)
class Amendment(Change[StoredChange | None, Amended | Ok]):
    """A change of the message ``seq`` of a chat, or of the last one of the user there if ``seq`` is None.

    The store decides whether the user may do that, because it knows the sender. The reply for a timed one is ``ok``.
    A change of the last message is alone in its commit. Otherwise the user's other sessions could send timed messages
    between its check and its write.
    """

    by: User
    messages: Messages
    chat_name: str
    seq: int | None
    chat: DirectoryChat = field(init=False)

    def reply(self, result: StoredChange | None, publications: list[Publication]) -> Amended | Ok:
        write = self.write
        assert result is not None
        assert isinstance(write, AmendWrite)
        if result.refusal is not None:
            raise self.refused(result.refusal)
        label, name = self.chat.label(self.by), self.by.name
        reply = amended(write, result, label, name)
        if result.is_new and not self.alone:  # else its entry has published it
            publications += self.messages.publications.amended(self.chat, write, result, self.origin, reply)
        return reply

    def refused(self, code: Code) -> Refusal:
        """Return the refusal with a code from the store. Its text has the next step."""
        where = self.chat.label(self.by)
        if code is Code.NO_SUCH_MESSAGE and self.seq is not None:
            return no_such_message(self.seq, where)
        if code is Code.NO_SUCH_MESSAGE:
            text = f"You have no message in {where} that can be changed. ls {where} shows the messages."
        elif code is Code.NOT_YOURS:
            text = f"Message {self.seq} in {where} is not yours. {self.whose_it_is()}"
        elif code is Code.TOO_LATE:
            hours = self.messages.limits.edit_hours
            text = (
                f"A message can be edited for {hours:g} {'hour' if hours == 1 else 'hours'} after it was sent."
                " Send a correction as a new message, or delete it and send it again."
            )
        else:
            assert code is Code.TOO_MANY
            text = (
                f"A message has at most {MESSAGE_MARKS} different marks, and {USER_MARKS} of one user."
                f" Use a mark that it has, or take one of yours off: #{self.seq}-<mark>."
            )
        return Refusal(code, text)

    def whose_it_is(self) -> str:
        """Return the next step after ``not-yours``."""
        return f"Only its sender may edit it. To answer it, begin your message with #{self.seq} and a blank."


def no_such_message(seq: int, where: str) -> Refusal:
    """Return the refusal of a change of a message that is not there, or that the user may not see."""
    text = f"There is no message {seq} in {where}. ls {where} {WITH_NUMBERS}"
    return Refusal(Code.NO_SUCH_MESSAGE, text)


def refuse_off(messages: Messages) -> None:
    """Raise Refusal ``amend-off`` if users may not change their stored messages."""
    if messages.limits.no_amend:
        raise Refusal(
            Code.AMEND_OFF,
            "On this server users cannot edit or delete what they sent. Send a correction as a new message.",
        )
