"""The entry point to the changes of messages."""

from irchat.chat.amending.amendment import Amendment
from irchat.chat.amending.edits_and_marks import Edit, SetMark
from irchat.chat.amending.removals import AdministratorDelete, Delete, TakeBack
from irchat.chat.messages import Messages
from irchat.chat.state.entities import User
from irchat.protocol.errors import Code, Refusal


class Amendments:
    """Builds the changes of messages, for the commit queue."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages

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
    ) -> Amendment:
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
            return TakeBack(user, origin, self._messages, chat, None, message_id)
        if text is not None:
            return Edit(user, origin, self._messages, chat, seq, text)
        return Delete(user, origin, self._messages, chat, seq, is_admin)

    def to_amend_last(self, user: User, chat: str, text: str | None, *, origin: int | None = None) -> Amendment:
        """Return a change that edits or, without ``text``, takes back the last message of ``user`` in a chat.

        That may be a timed one, which cannot be edited. Raises Refusal as `to_amend` does.
        """
        if text is not None:
            return Edit(user, origin, self._messages, chat, None, text)
        return Delete(user, origin, self._messages, chat, None, is_admin=False)

    def to_mark(
        self, user: User, chat: str, seq: int, mark: str, on: bool | None = None, *, origin: int | None = None
    ) -> Amendment:
        """Return a change that puts a mark on a message or takes it off. None toggles it.

        Raises Refusal ``bad-request`` for an invalid mark. The change fails with ``no-such-message``, ``too-many``, or
        the refusals of sending.
        """
        return SetMark(user, origin, self._messages, chat, seq, mark, on)

    def to_delete_for_administrator(self, chat: str, seq: int) -> AdministratorDelete:
        """Return a change that deletes a message for the administrator of the machine."""
        return AdministratorDelete(None, None, self._messages, chat, seq)
