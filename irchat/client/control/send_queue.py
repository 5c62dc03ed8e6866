"""Messages on their way to the server: one after another, each until it is answered, also over a new connection."""

from collections import deque
from collections.abc import Callable
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from irchat.client.connect.request_channel import Reply
from irchat.client.exceptions import ClientError
from irchat.protocol import events, requests

Ask = Callable[[requests.Request], Deferred[Reply]]


class Sender(Protocol):
    """Whoever hands messages to the outbox."""

    def is_wanted(self, request: requests.Send) -> bool:
        """Whether a message that waits is still to be sent."""

    def on_reply(self, request: requests.Send, reply: events.Event) -> None:
        """The server has answered a message."""

    def on_dropped(self, request: requests.Send, *, tried: bool) -> None:
        """A message is not wanted any more. ``tried``: it was sent before, over a connection that was lost."""


class SendQueue:
    """Sends messages by ``ask`` in the order given, while ``is_up``, and tells ``sender`` what became of each.

    A message whose reply was not seen is sent again by `resume`; its nonce lets the server know it.
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
        """The messages that the server has not confirmed."""
        return list(self._waiting)

    def send(self, request: requests.Send) -> None:
        """Send a message, which has a nonce, after those before it."""
        self._waiting.append(request)
        self._go_on()

    def resume(self) -> None:
        """There is a connection again."""
        self._busy = False
        self._go_on()

    def sweep(self) -> None:
        """Drop what is not wanted any more, but not the message that is to be answered next."""
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
        failure.trap(ClientError)  # it is sent again when there is a connection
        self._busy = False
