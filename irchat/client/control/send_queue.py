"""Send messages one at a time, and resend unanswered ones after a reconnect."""

from collections import deque
from collections.abc import Callable
from typing import Protocol

from twisted.python.failure import Failure

from irchat.client.connect.request_channel import Ask, Reply
from irchat.client.exceptions import ClientError
from irchat.protocol import events, requests


class Sender(Protocol):
    """The owner of a send queue. It decides which messages are still sent, and handles the outcome of each."""

    def is_wanted(self, request: requests.Send) -> bool:
        """Return whether a waiting message should still be sent."""

    def on_reply(self, request: requests.Send, reply: events.Event) -> None:
        """Handle the server's answer to a message."""

    def on_dropped(self, request: requests.Send, *, tried: bool) -> None:
        """Handle a message that will not be sent. ``tried``: it was sent once, but the connection was then lost."""


class SendQueue:
    """Send messages in order with ``ask`` while ``is_up``, and report each outcome to ``sender``.

    `resume` repeats a message whose reply was lost. The server recognises the repetition by the nonce.
    """

    def __init__(self, ask: Ask, is_up: Callable[[], bool], sender: Sender) -> None:
        self._ask = ask
        self._is_up = is_up
        self._sender = sender
        self._waiting: deque[requests.Send] = deque()
        self._tried: set[str] = set()
        self._busy = False

    @property
    def waiting(self) -> list[requests.Send]:
        """The unconfirmed messages."""
        return list(self._waiting)

    def send(self, request: requests.Send) -> None:
        """Add a message to the end of the queue. It must have a nonce."""
        self._waiting.append(request)
        self._go_on()

    def resume(self) -> None:
        """Continue after reconnecting."""
        self._busy = False
        self._go_on()

    def sweep(self) -> None:
        """Drop the messages that are no longer wanted, except the one whose answer is pending."""
        first = self._waiting[0] if self._busy and self._waiting else None
        for request in list(self._waiting):
            if request is not first and not self._sender.is_wanted(request):
                self._waiting.remove(request)
                self._sender.on_dropped(request, tried=str(request.nonce) in self._tried)

    def _go_on(self) -> None:
        if self._busy or not self._is_up():
            return
        self.sweep()
        if self._waiting:
            self._busy = True
            request = self._waiting[0]
            self._tried.add(str(request.nonce))
            self._ask(request).addCallbacks(self._answered, self._lost, callbackArgs=(request,))

    def _answered(self, reply: Reply, request: requests.Send) -> None:
        self._busy = False
        if self._waiting and self._waiting[0] is request:
            self._waiting.popleft()
        self._tried.discard(str(request.nonce))
        if reply is not None:
            self._sender.on_reply(request, reply)
        self._go_on()

    def _lost(self, failure: Failure) -> None:
        failure.trap(ClientError)  # `resume` sends the message again
        self._busy = False
