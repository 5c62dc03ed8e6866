"""The rules of writes, for all stores: who may change a message, and whom a message mentions."""

from irchat.interfaces.writes import MessageAdded, MessageDeleted, MessageEdited
from irchat.protocol.errors import Code

LAST_SOUGHT = 1_000
"""The messages from the end of a chat among which the last one of a user is sought."""
_MENTIONS_MOST = 20


def edit_refusal(write: MessageEdited, sender: int, seq: int, sent_at: int) -> Code | None:
    """Return why the user may not edit a message that the user can see, or None."""
    if sender != write.user:
        return Code.NOT_YOURS
    if seq < write.seq_from:
        return Code.NO_SUCH_MESSAGE
    return Code.TOO_LATE if sent_at < write.sent_since else None


def deletion_refusal(write: MessageDeleted, sender: int, seq: int) -> Code | None:
    """Return why the user may not delete a message that the user can see, or None."""
    if not (write.of_anyone or write.user is None or sender == write.user):
        return Code.NOT_YOURS
    return Code.NO_SUCH_MESSAGE if seq < write.seq_from else None


def mentioned_users(write: MessageAdded, answered: int | None) -> tuple[int, ...]:
    """Return the users that a message mentions. ``answered``: the sender of the message that it answers."""
    users = write.mentions if answered is None else (answered, *write.mentions)
    others = [user for user in dict.fromkeys(users) if user != write.sender and user not in write.hidden]
    return tuple(sorted(others[:_MENTIONS_MOST]))
