"""Messages on their way to the server: one after another, each until it is answered, also over a new line."""

from collections import deque
from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from irchat import events, requests
from irchat.client.session import Reply
from irchat.client.stop import Stop
from irchat.errors import Code

# Seconds after which a message that came too fast is sent again.
_PAUSE = 0.5

Ask = Callable[[requests.Request], Deferred[Reply]]


class Outbox:
    """Sends messages by ``ask`` in the order given; ``on_reply`` is told how each was answered.

    A message whose reply was not seen is sent again by `resume`; its nonce lets the server know it. One that is not
    ``wanted`` any more is left out.
    """

    def __init__(
        self,
        clock: IReactorTime,
        ask: Ask,
        on_reply: Callable[[requests.Send, events.Event], None],
        wanted: Callable[[requests.Send], bool],
    ) -> None:
        self._clock = clock
        self._ask = ask
        self._on_reply = on_reply
        self._wanted = wanted
        self._waiting: deque[requests.Send] = deque()
        self._busy = False

    def send(self, request: requests.Send) -> None:
        """Send a message, which has a nonce, after those before it."""
        self._waiting.append(request)
        self._go_on()

    def resume(self) -> None:
        """There is a line again."""
        self._busy = False
        self._go_on()

    def _go_on(self) -> None:
        if self._busy:
            return
        while self._waiting and not self._wanted(self._waiting[0]):
            self._waiting.popleft()
        if not self._waiting:
            return
        self._busy = True
        request = self._waiting[0]
        self._ask(request).addCallbacks(self._answered, _lost, callbackArgs=(request,))

    def _answered(self, reply: Reply, request: requests.Send) -> None:
        if isinstance(reply, events.Error) and reply.code == Code.TOO_FAST:
            self._clock.callLater(_PAUSE, self.resume)
            return
        self._busy = False
        if self._waiting and self._waiting[0] is request:
            self._waiting.popleft()
        if reply is not None:
            self._on_reply(request, reply)
        self._go_on()


def _lost(failure: Failure) -> None:
    failure.trap(Stop)  # it is sent again when there is a line
