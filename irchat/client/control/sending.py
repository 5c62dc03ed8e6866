"""Follow a message from Enter to the server's confirmation, or back to the input after a refusal."""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import msgspec
from twisted.internet.interfaces import IReactorTime

from irchat.client.connect.request_channel import Ask
from irchat.client.control.send_queue import SendQueue
from irchat.client.view.chat_state import ChatState
from irchat.client.view.screen_state import ScreenState
from irchat.protocol import events, requests


class _Letter(NamedTuple):
    """A message being sent: the typed line, the chat in which it was typed, and its destination."""

    line: str
    origin: ChatState
    chat: ChatState


class Sending:
    """Send messages, and show the outcome of each. ``changed`` is called when there is something new to draw.

    ``give_back`` returns a refused line to the input of the chat in which it was typed. It returns False if other text
    is typed there. The line is then shown in the chat, so that it is not lost.
    """

    def __init__(
        self,
        clock: IReactorTime,
        view: ScreenState,
        ask: Ask,
        is_up: Callable[[], bool],
        new_nonce: Callable[[], str],
        changed: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._view = view
        self._new_nonce = new_nonce
        self._changed = changed
        self.give_back: Callable[[ChatState, str], bool] = lambda chat, line: False
        self._letters: dict[str, _Letter] = {}
        self._outbox = SendQueue(ask, is_up, self)
        self.resume = self._outbox.resume

    def send(self, request: requests.Send, line: str, origin: ChatState) -> ChatState:
        """Send a message typed as ``line`` in ``origin``. Return its destination."""
        nonce = self._new_nonce()
        chat = self._view.chat_typed(request.chat)
        request = msgspec.structs.replace(request, chat=chat.name, nonce=nonce)
        ends = None if request.expires_in is None else self._clock.seconds() + request.expires_in
        chat.add_pending(request.text, self._view.me, nonce, ends)
        if origin is not chat and origin is not self._view.own:
            origin.add_pending(f"to {chat.name}: {request.text}", self._view.me, nonce, ends)
        self._letters[nonce] = _Letter(line, origin, chat)
        self._outbox.send(request)
        return chat

    def unsent(self) -> str:
        """Return a text about unconfirmed messages, empty if there are none."""
        counts = Counter(request.chat for request in self._outbox.waiting)
        return ", ".join(f"{count:,} message{'s' * (count > 1)} to {chat}" for chat, count in counts.items())

    def expire(self) -> None:
        """Report the timed messages that expired before they could be sent."""
        self._outbox.sweep()

    # The methods that the send queue calls.

    def is_wanted(self, request: requests.Send) -> bool:
        """Return whether a message can still be sent: its chat exists, and a timed one has not expired."""
        chat = self._letters[str(request.nonce)].chat
        return not chat.gone and (request.expires_in is None or chat.is_pending(str(request.nonce)))

    def on_reply(self, request: requests.Send, reply: events.Event) -> None:
        """Show the server's answer to a message."""
        letter = self._forget(request)
        if isinstance(reply, events.Sent):
            self._sent(request, reply, letter)
        else:
            self._take_pending(request, letter)
            self._view.refused(letter.chat, reply)
            self._return(request, letter)
        self._changed()

    def on_dropped(self, request: requests.Send, *, tried: bool) -> None:
        """Show that a message will not be sent."""
        letter = self._forget(request)
        self._take_pending(request, letter)
        if letter.chat.gone:
            self._say(letter, f"A message to {letter.chat.name} was not sent: {letter.chat.gone}")
            self._return(request, letter)
        elif tried:
            self._say(letter, f"A timed message to {letter.chat.name} may not have been sent: "
                              "the connection was lost, and the message expired before it was back.")  # fmt: skip
        else:
            self._say(letter, f"A timed message to {letter.chat.name} was not sent: "
                              "it expired before the connection was back.")  # fmt: skip
        self._changed()

    def _forget(self, request: requests.Send) -> _Letter:
        return self._letters.pop(str(request.nonce))

    def _take_pending(self, request: requests.Send, letter: _Letter) -> None:
        for chat in letter.chat, letter.origin:
            chat.take_pending(str(request.nonce))

    def _sent(self, request: requests.Send, sent: events.Sent, letter: _Letter) -> None:
        nonce, now = str(request.nonce), self._clock.seconds()
        ends = None if sent.id is None else now + (sent.left_ms or 0) / 1_000
        self._view.chats.spell(letter.chat, sent.chat)
        self._view.sent(letter.chat, nonce, sent, now)
        about = sent.chat, sent.id if sent.seq is None else sent.seq
        if sent.seq is not None:
            letter.chat.keep_typed(sent.seq, letter.line)
        if sent.id is not None and (timed := letter.chat.timed(sent.id)) is not None:
            ends = timed.ends
        noted = letter.origin.take_pending(nonce)
        if noted is not None:
            note = letter.origin.add_note(noted.text)
            note.about = about
            note.ends = ends if noted.ends is None or ends is None else min(ends, noted.ends)
        if sent.id is not None and sent.reached is not None:
            reached = letter.chat.add_note(f"{sent.reached} of {sent.of} have it now")
            reached.ends, reached.about = ends, about

    def _return(self, request: requests.Send, letter: _Letter) -> None:
        if not self.give_back(letter.origin, letter.line):
            what = "a timed message" if request.expires_in is not None else letter.line
            (self._view.here if letter.origin is self._view.own else letter.origin).add_note(
                f"not sent: {what}", error=True
            )

    def _say(self, letter: _Letter, text: str) -> None:
        for chat in dict.fromkeys((letter.chat, self._view.here)):
            chat.add_note(text, error=True)
