"""Lines from standard input, bytes to standard output, through Twisted's StandardIO."""

from collections import deque
from typing import Any

from twisted.internet.defer import Deferred, DeferredQueue, fail, succeed
from twisted.internet.interfaces import IHalfCloseableProtocol, IPushProducer
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from irchat.client.exceptions import ClientError
from irchat.protocol.rules import CLIENT_LINE_BYTES

# Maximum unread lines. Above it, reading from the input pauses.
_WAITING_LINES = 100
# The rest of a longer line is discarded: the server would refuse it.
_KEPT_BYTES = CLIENT_LINE_BYTES + 1


@implementer(IHalfCloseableProtocol)
class Console(Protocol):
    """Standard input line by line, and standard output, which stays open after the end of the input.

    ``unread`` fires when the reader of the output is gone.
    """

    transport: Any

    def __init__(self) -> None:
        self.unread: Deferred[None] = Deferred()
        self._lines: DeferredQueue[bytes | None] = DeferredQueue()
        self._arrived: deque[bytes] = deque()
        self._begun = b""
        self._ended = False
        self._rate_limiters = False
        self._broken: ClientError | None = None
        self._closed: Deferred[None] = Deferred()

    @property
    def has_more(self) -> bool:
        """Whether there is unread input."""
        return bool(self._arrived or self._lines.pending or self._begun)

    def read_line(self) -> Deferred[bytes | None]:
        """Return the next line without its end, truncated one byte above the limit of a request. None at the end.

        Fails with the ClientError of `break_off` or `interrupt`. Only one reader may wait.
        """
        if self._broken is not None:
            return fail(self._broken)
        if self._ended and not self._lines.pending:
            return succeed(None)
        line = self._lines.get()
        if len(self._lines.pending) < _WAITING_LINES:
            self.transport.resumeProducing()
        return line

    def break_off(self, stop: ClientError) -> None:
        """Fail the current reader, or the next one, with ``stop``."""
        self._broken = stop
        self.interrupt(stop)

    def interrupt(self, stop: ClientError) -> None:
        """Fail the current reader with ``stop``."""
        for reader in list(self._lines.waiting):
            self._lines.waiting.remove(reader)
            reader.errback(stop)

    def discard(self) -> None:
        """Discard unread input."""
        if not self._ended:
            self._arrived.clear()
            self._lines.pending.clear()
            self._begun = b""
            self.transport.resumeProducing()

    def write(self, data: bytes) -> None:
        """Write to standard output."""
        self.transport.write(data)

    def pace(self, producer: IPushProducer) -> None:
        """Pause ``producer`` while standard output is full."""
        self.transport.registerProducer(producer, True)
        self._rate_limiters = True

    def finish(self) -> Deferred[None]:
        """Stop reading. Return a Deferred that fires when all output is written, or its reader is gone."""
        if not self.unread.called:
            if self._rate_limiters:
                self.transport.unregisterProducer()  # with a producer, the transport would wait for more output
            self.transport.loseConnection()
        return self._closed

    # What Twisted calls.

    def dataReceived(self, data: bytes) -> None:
        """Receive typed bytes."""
        *lines, begun = (self._begun + data).split(b"\n")
        self._begun = begun[:_KEPT_BYTES]
        self._arrived.extend(lines)
        while self._arrived:  # the reader of a line may discard the next ones
            self._lines.put(self._arrived.popleft()[:_KEPT_BYTES].removesuffix(b"\r"))
        if len(self._lines.pending) >= _WAITING_LINES:
            self.transport.pauseProducing()

    def readConnectionLost(self) -> None:
        """Handle the end of the input."""
        if self._begun:
            self._lines.put(self._begun)
        self._ended = True
        if self._lines.waiting:
            self._lines.put(None)

    def writeConnectionLost(self) -> None:
        """Handle the loss of the output's reader."""
        self._gone()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Handle the end of both directions."""
        self._gone()

    def _gone(self) -> None:
        if not self.unread.called:
            self.unread.callback(None)
            self._closed.callback(None)
