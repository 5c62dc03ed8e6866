"""The user's own messages on the screen of a plain client."""

from collections import deque
from typing import NamedTuple

from irchat.client.connect.request_channel import Reply
from irchat.commands.amendments import amend_shown
from irchat.protocol import events, requests
from irchat.protocol.errors import WITH_NUMBERS, Code, Refusal
from irchat.protocol.rules import TRANSCRIPT_LINES
from irchat.text.names import name_key, same_name


class _Own(NamedTuple):
    """A message: its chat, its time, and its seq, or its id if it is timed."""

    chat: str
    at: str
    seq: int | None
    id: str | None


class OwnMessages:
    """The messages of the user ``me`` that were shown last, for commands about the last one.

    At most as many are kept as a transcript has lines.
    """

    def __init__(self) -> None:
        self.me = ""
        self._shown: deque[_Own] = deque(maxlen=TRANSCRIPT_LINES)
        # By key of the chat: messages of which the outcome is unknown may be the last ones.
        self._unconfirmed: set[str] = set()

    def has(self, chat: str, seq: int) -> bool:
        """Return whether a stored message is one of them."""
        return any(own.seq == seq and own.chat == chat for own in self._shown)

    def shown(self, event: Reply) -> None:
        """Note what was shown."""
        match event:
            case events.Message():
                self._add(event)
            case events.History() | events.Found():
                for message in event.messages:
                    self._add(message)
                if isinstance(event, events.History):
                    self._unconfirmed.discard(name_key(event.chat))
            case events.Sent(chat=chat, at=at, seq=seq, id=timed_id):
                self._shown.append(_Own(chat, at, seq, timed_id))
                self._unconfirmed.discard(name_key(chat))
            case events.Erased(chat=chat, id=timed_id):
                self._remove(chat, None, timed_id)
            case events.Amended(deleted=True, chat=chat, seq=seq):
                self._remove(chat, seq, None)

    def unconfirmed(self, chat: str) -> None:
        """Note that a message to ``chat`` may have been sent or not."""
        self._unconfirmed.add(name_key(chat))

    def amend(self, request: requests.AmendLast) -> requests.Amend:
        """Return ``request`` about the last message that is shown. Raises Refusal."""
        chat = request.chat
        if name_key(chat) in self._unconfirmed:
            text = f"The server has not confirmed your last message in {chat}. ls {chat} shows whether it was sent."
            raise Refusal(Code.NO_SUCH_MESSAGE, text)
        in_chat = (own for own in reversed(self._shown) if same_name(own.chat, chat))
        last = max(in_chat, key=lambda own: own.at, default=None)
        if last is None:
            text = f"No message of yours in {chat} is shown here. ls {chat} {WITH_NUMBERS}"
            raise Refusal(Code.NO_SUCH_MESSAGE, text)
        return amend_shown(request, chat, last.seq, last.id)

    def _add(self, message: events.Message) -> None:
        if message.sender == self.me:
            self._shown.append(_Own(message.chat, message.at, message.seq, message.id))

    def _remove(self, chat: str, seq: int | None, timed_id: str | None) -> None:
        kept = (own for own in self._shown if (own.chat, own.seq, own.id) != (chat, seq, timed_id))
        self._shown = deque(kept, TRANSCRIPT_LINES)
