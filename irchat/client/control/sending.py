"""Follow a message from Enter to the server's confirmation, or back to the input after a refusal."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from irchat.client.connect.request_channel import Reply
from irchat.client.control.reconnecting import Link
from irchat.client.exceptions import ClientError
from irchat.client.view.chat_state import ChatState
from irchat.client.view.screen_state import ScreenState
from irchat.protocol import events, requests
from irchat.protocol.rules import GLOBAL_NAME


@dataclass(eq=False)
class _Outgoing:
    """An unconfirmed message: the typed line, the chat in which it was typed, and its destination.

    ``tried``: it was sent at least once.
    """

    nonce: str
    request: requests.Send
    line: str
    origin: ChatState
    chat: ChatState
    tried: bool = False

    @property
    def is_hopeless(self) -> bool:
        """Whether it can no longer be sent: its chat is gone, or it is a timed one and has expired."""
        is_timed = self.request.expires_in is not None
        return bool(self.chat.gone) or (is_timed and not self.chat.is_pending(self.nonce))


class Sending:
    """Send messages over ``link`` one at a time, and show the outcome of each.

    After a reconnect, a message whose reply was lost is sent again. The server recognises the repetition by the nonce.

    ``on_outcome`` is called after the outcome of messages is noted in ``view``. ``give_back`` returns a refused line to
    the input of the chat in which it was typed. It returns False if other text is typed there. The line is then shown
    in the chat, so that it is not lost.
    """

    def __init__(self, clock: IReactorTime, view: ScreenState, link: Link, new_nonce: Callable[[], str]) -> None:
        self._clock = clock
        self._view = view
        self._link = link
        self._new_nonce = new_nonce
        self.on_outcome: Callable[[], None] = lambda: None
        self.give_back: Callable[[ChatState, str], bool] = lambda chat, line: False
        self._outgoing: dict[str, _Outgoing] = {}  # by nonce, in order
        self._is_waiting = False

    def send(self, request: requests.Send, line: str, origin: ChatState) -> ChatState:
        """Send a message typed as ``line`` in ``origin``. Return its destination."""
        nonce = self._new_nonce()
        chat = self._view.chat_typed(request.chat)
        # A draft for a removed account must not reach a new one of the same name.
        chat_id = chat.id if chat.id and chat.name != GLOBAL_NAME else None
        request = msgspec.structs.replace(request, chat=chat.name, nonce=nonce, id=chat_id)
        ends = None if request.expires_in is None else self._clock.seconds() + request.expires_in
        chat.add_pending(request.text, self._view.me, nonce, ends)
        if origin is not chat and origin is not self._view.own:
            origin.add_pending(f"to {chat.name}: {request.text}", self._view.me, nonce, ends)
        self._outgoing[nonce] = _Outgoing(nonce, request, line, origin, chat)
        self.go_on()
        return chat

    def unsent(self) -> str:
        """Return a text about unconfirmed messages, empty if there are none."""
        counts = Counter(message.request.chat for message in self._outgoing.values())
        return ", ".join(f"{count:,} message{'s' * (count > 1)} to {chat}" for chat, count in counts.items())

    def go_on(self) -> None:
        """Send the next message, unless a reply is pending or there is no connection. Call this after a reconnect."""
        if self._is_waiting or not self._link.is_up:
            return
        self.sweep()
        message = next(iter(self._outgoing.values()), None)
        if message is not None:
            self._is_waiting = message.tried = True
            self._link.ask(message.request).addCallbacks(self._answered, self._lost, callbackArgs=(message,))

    def sweep(self) -> None:
        """Report the messages that can no longer be sent, except the one whose reply is pending."""
        messages = list(self._outgoing.values())
        dropped = [message for message in messages[1 if self._is_waiting else 0 :] if message.is_hopeless]
        for message in dropped:
            self._drop(message)
        if dropped:
            self.on_outcome()

    def _answered(self, reply: Reply, message: _Outgoing) -> None:
        self._is_waiting = False
        del self._outgoing[message.nonce]
        if isinstance(reply, events.Sent):
            self._sent(reply, message)
        elif reply is not None:
            self._take_pending(message)
            self._view.refused(message.chat, reply)
            self._return(message)
        self.on_outcome()
        self.go_on()

    def _lost(self, failure: Failure) -> None:
        failure.trap(ClientError)  # `go_on` sends the message again
        self._is_waiting = False

    def _drop(self, message: _Outgoing) -> None:
        """Show that a message will not be sent."""
        del self._outgoing[message.nonce]
        self._take_pending(message)
        chat = message.chat
        if chat.gone:
            self._say(message, f"A message to {chat.name} was not sent: {chat.gone}")
            self._return(message)
        elif message.tried:
            self._say(message, f"A timed message to {chat.name} may not have been sent: "
                              "the connection was lost, and the message expired before it was back.")  # fmt: skip
        else:
            self._say(message, f"A timed message to {chat.name} was not sent: "
                              "it expired before the connection was back.")  # fmt: skip

    def _take_pending(self, message: _Outgoing) -> None:
        for chat in message.chat, message.origin:
            chat.take_pending(message.nonce)

    def _sent(self, sent: events.Sent, message: _Outgoing) -> None:
        now = self._clock.seconds()
        ends = None if sent.id is None else now + (sent.left_ms or 0) / 1_000
        self._view.chats.spell(message.chat, sent.chat)
        self._view.sent(message.chat, message.nonce, sent, now)
        about = sent.chat, sent.id if sent.seq is None else sent.seq
        if sent.seq is not None:
            message.chat.keep_typed(sent.seq, message.line)
        if sent.id is not None and (timed := message.chat.timed(sent.id)) is not None:
            ends = timed.ends
        noted = message.origin.take_pending(message.nonce)
        if noted is not None:
            note = message.origin.add_note(noted.text)
            note.about = about
            note.ends = ends if noted.ends is None or ends is None else min(ends, noted.ends)
        if sent.id is not None and sent.reached is not None:
            reached = message.chat.add_note(f"{sent.reached} of {sent.of} have it now")
            reached.ends, reached.about = ends, about

    def _return(self, message: _Outgoing) -> None:
        if not self.give_back(message.origin, message.line):
            what = "a timed message" if message.request.expires_in is not None else message.line
            chat = self._view.here if message.origin is self._view.own else message.origin
            chat.add_note(f"not sent: {what}", error=True)

    def _say(self, message: _Outgoing, text: str) -> None:
        for chat in dict.fromkeys((message.chat, self._view.here)):
            chat.add_note(text, error=True)
