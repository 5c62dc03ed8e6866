"""Read lines from standard input and write bytes to standard output, through Twisted's StandardIO."""

from collections import deque
from typing import Any

from twisted.internet.defer import Deferred, DeferredQueue, fail, succeed
from twisted.internet.interfaces import IHalfCloseableProtocol, IPushProducer
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from irchat.client.exceptions import ClientError
from irchat.protocol.rules import CLIENT_LINE_BYTES

# Number of queued lines at which reading from the input pauses.
_WAITING_LINES = 100
# A longer line is truncated to this length: one byte over the limit, so that it is still refused.
_KEPT_BYTES = CLIENT_LINE_BYTES + 1


@implementer(IHalfCloseableProtocol)
class Console(Protocol):
    """Standard input, line by line, and standard output, which stays open after the end of the input.

    ``unread`` fires when nobody reads the output any longer: the reader of a pipe has closed it, or all output is
    written after `finish`.
    """

    transport: Any

    def __init__(self) -> None:
        self.unread: Deferred[None] = Deferred()
        self._lines: DeferredQueue[bytes | None] = DeferredQueue()
        self._arrived: deque[bytes] = deque()
        self._begun = b""
        self._ended = False
        self._has_producer = False
        self._broken: ClientError | None = None

    @property
    def has_more(self) -> bool:
        """Whether there is unread input."""
        return bool(self._arrived or self._lines.pending or self._begun)

    def read_line(self) -> Deferred[bytes | None]:
        """Return the next line without its line ending, or None at the end of the input.

        A line over `CLIENT_LINE_BYTES` is truncated to one byte more than that. Fails with the ClientError passed to
        `break_off` or `interrupt`. Only one call may wait at a time.
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
        """Fail the pending `read_line` and all later ones with ``stop``."""
        self._broken = stop
        self.interrupt(stop)

    def interrupt(self, stop: ClientError) -> None:
        """Fail the pending `read_line` with ``stop``."""
        if self._lines.waiting:
            self._lines.waiting.pop().errback(stop)

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
        """Pause ``producer`` while standard output is full. It replaces an earlier one."""
        if self._has_producer:
            self.transport.unregisterProducer()
        self.transport.registerProducer(producer, True)
        self._has_producer = True

    def finish(self) -> Deferred[None]:
        """Stop reading. Return a Deferred that fires when all output is written or has no reader any longer."""
        if not self.unread.called:
            if self._has_producer:
                self.transport.unregisterProducer()  # with a producer, the transport would wait for more output
            self.transport.loseConnection()
        return self.unread

    # Called by Twisted.

    def dataReceived(self, data: bytes) -> None:
        """Split the input into lines and queue them."""
        *lines, begun = (self._begun + data).split(b"\n")
        self._begun = begun[:_KEPT_BYTES]
        self._arrived.extend(lines)
        while self._arrived:  # the code that receives a line may discard the following ones
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
        """Handle the closing of the output by its reader."""
        if not self.unread.called:
            self.unread.callback(None)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Handle the end of both directions."""
        self.writeConnectionLost()
