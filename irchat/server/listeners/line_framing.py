"""Split the bytes of a connection into lines of limited length, a few in each turn of the reactor."""

from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.protocols.basic import LineReceiver

from irchat.protocol.rules import CLIENT_LINE_BYTES

# One read from a socket can return thousands of lines. After this many, other connections get their turn.
_LINES_A_TURN = 32


class LineFraming(LineReceiver):
    """Calls `line_received` with each line, without its line feed or carriage return and line feed.

    A line over `CLIENT_LINE_BYTES` is discarded up to its end: `line_too_long` is called once, and `discarded` with the
    size of each part. Subclasses override these methods.
    """

    transport: Any  # Twisted's TCP connection, TLS over it, or a fake
    delimiter = b"\n"
    # Room for a carriage return before the line feed.
    MAX_LENGTH = CLIENT_LINE_BYTES + 1

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._rest = b""
        self._is_held = False
        self._lines_taken = 0
        self._resting: IDelayedCall | None = None

    def line_received(self, line: bytes) -> None:
        """Handle a line."""

    def line_too_long(self) -> None:
        """Handle a discarded line."""

    def discarded(self, size: int) -> None:
        """Handle ``size`` bytes of a discarded line."""

    def hold(self, is_held: bool) -> None:
        """Pause reading while ``is_held``."""
        self._is_held = is_held
        self._read_on()

    def stop_reading(self) -> None:
        """Cancel scheduled reads after the connection is lost."""
        if self._resting is not None:
            self._resting.cancel()
            self._resting = None

    def dataReceived(self, data: bytes) -> None:
        """Split bytes into lines. Pass in the bytes after an overlong line again, because LineReceiver drops them."""
        if self._resting is None:
            self._lines_taken = 0
        data, self._rest = self._rest + data, b""
        LineReceiver.dataReceived(self, data)
        while self._rest and not self.paused:
            rest, self._rest = self._rest, b""
            LineReceiver.dataReceived(self, rest)

    def lineReceived(self, line: bytes) -> None:
        """Check the length of a line and pass it on."""
        self._lines_taken += 1
        if self._lines_taken >= _LINES_A_TURN:
            self._rest_a_turn()
        line = line.removesuffix(b"\r")
        if len(line) > CLIENT_LINE_BYTES:
            self.line_too_long()
        else:
            self.line_received(line)

    def lineLengthExceeded(self, line: bytes) -> None:
        """Discard an overlong line, whether complete or not."""
        self._lines_taken += 1
        if self._lines_taken >= _LINES_A_TURN:
            self._rest_a_turn()
        self.line_too_long()
        discarded, end, self._rest = line.partition(self.delimiter)
        self.discarded(len(discarded))
        if not end:
            self.setRawMode()

    def rawDataReceived(self, data: bytes) -> None:
        """Discard the rest of an overlong line, up to its end."""
        discarded, end, rest = data.partition(self.delimiter)
        self.discarded(len(discarded))
        if end:
            self.setLineMode(rest)

    def _rest_a_turn(self) -> None:
        if self._resting is None:
            self._resting = self._clock.callLater(0, self._rested)
            self._read_on()

    def _rested(self) -> None:
        self._resting = None
        self._read_on()

    def _read_on(self) -> None:
        pauses = self._is_held or self._resting is not None
        if pauses and not self.paused:
            self.pauseProducing()
        elif self.paused and not pauses:
            self.resumeProducing()
