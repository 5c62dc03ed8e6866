"""Standard input as lines and standard output, through Twisted's StandardIO."""

from collections import deque
from typing import Any

from twisted.internet.defer import Deferred, DeferredQueue, fail, succeed
from twisted.internet.interfaces import IHalfCloseableProtocol, IPushProducer
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from irchat.client.exceptions import ClientError
from irchat.protocol.rules import CLIENT_LINE_BYTES

# Lines that may wait. Past that the input is not read from.
_WAITING_LINES = 100
# The rest of a longer line is thrown away: the server would refuse it.
_KEPT_BYTES = CLIENT_LINE_BYTES + 1


@implementer(IHalfCloseableProtocol)
class Console(Protocol):
    """Standard input line by line, and standard output, which stays open after the end of the input.

    ``unread`` fires when nobody reads the output any more.
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
        """Whether more has been typed than was read."""
        return bool(self._arrived or self._lines.pending or self._begun)

    def read_line(self) -> Deferred[bytes | None]:
        """Return the next line without its end, at most one byte more than a request may have. None after the last.

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
        """Fail the reader of a line, now or later, with ``stop``."""
        self._broken = stop
        self.interrupt(stop)

    def interrupt(self, stop: ClientError) -> None:
        """Fail the reader that waits now with ``stop``."""
        for reader in list(self._lines.waiting):
            self._lines.waiting.remove(reader)
            reader.errback(stop)

    def discard(self) -> None:
        """Drop what was typed and not read."""
        if not self._ended:
            self._arrived.clear()
            self._lines.pending.clear()
            self._begun = b""
            self.transport.resumeProducing()

    def write(self, data: bytes) -> None:
        """Write to standard output."""
        self.transport.write(data)

    def pace(self, producer: IPushProducer) -> None:
        """Pause ``producer`` while standard output takes no more."""
        self.transport.registerProducer(producer, True)
        self._rate_limiters = True

    def finish(self) -> Deferred[None]:
        """Stop reading. The Deferred fires when all output is written, or nobody reads it."""
        if not self.unread.called:
            if self._rate_limiters:
                self.transport.unregisterProducer()  # with a producer, the transport would wait for more to write
            self.transport.loseConnection()
        return self._closed

    # What Twisted calls.

    def dataReceived(self, data: bytes) -> None:
        """Bytes were typed."""
        *lines, begun = (self._begun + data).split(b"\n")
        self._begun = begun[:_KEPT_BYTES]
        self._arrived.extend(lines)
        while self._arrived:  # the reader of a line may discard those after it
            self._lines.put(self._arrived.popleft()[:_KEPT_BYTES].removesuffix(b"\r"))
        if len(self._lines.pending) >= _WAITING_LINES:
            self.transport.pauseProducing()

    def readConnectionLost(self) -> None:
        """The input has ended."""
        if self._begun:
            self._lines.put(self._begun)
        self._ended = True
        if self._lines.waiting:
            self._lines.put(None)

    def writeConnectionLost(self) -> None:
        """Nobody reads the output any more."""
        self._gone()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Both ways are closed."""
        self._gone()

    def _gone(self) -> None:
        if not self.unread.called:
            self.unread.callback(None)
            self._closed.callback(None)
