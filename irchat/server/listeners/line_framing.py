"""Lines out of the bytes of a connection: bounded in length, and a few in each turn of the reactor."""

from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.protocols.basic import LineReceiver

from irchat.protocol.rules import CLIENT_LINE_BYTES

# One read from a socket may bring thousands of lines. After this many, other connections get their turn.
_LINES_A_TURN = 32


class LineFraming(LineReceiver):
    """Calls `line_received` with each line, without its line feed and a carriage return before that.

    A line over `CLIENT_LINE_BYTES` is discarded up to its end, and `line_too_long` is called once for it. Subclasses
    override both.
    """

    transport: Any  # Twisted's TCP connection, TLS over it, or a fake
    delimiter = b"\n"
    # Room for the carriage return that may come before the end.
    MAX_LENGTH = CLIENT_LINE_BYTES + 1

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._rest = b""
        self._is_held = False
        self._lines_taken = 0
        self._resting: IDelayedCall | None = None

    def line_received(self, line: bytes) -> None:
        """Take a line."""

    def line_too_long(self) -> None:
        """Answer a line that was discarded."""

    def hold(self, is_held: bool) -> None:
        """Read nothing more while ``is_held``."""
        self._is_held = is_held
        self._read_on()

    def stop_reading(self) -> None:
        """Let go of what is scheduled: the connection is gone."""
        if self._resting is not None:
            self._resting.cancel()
            self._resting = None

    def dataReceived(self, data: bytes) -> None:
        """Cut bytes into lines. What follows an overlong line is handed in again: LineReceiver lets go of it."""
        if self._resting is None:
            self._lines_taken = 0
        data, self._rest = self._rest + data, b""
        LineReceiver.dataReceived(self, data)
        while self._rest and not self.paused:
            rest, self._rest = self._rest, b""
            LineReceiver.dataReceived(self, rest)

    def lineReceived(self, line: bytes) -> None:
        """Check the length of a line, and hand it on."""
        self._lines_taken += 1
        if self._lines_taken >= _LINES_A_TURN:
            self._rest_a_turn()
        line = line.removesuffix(b"\r")
        if len(line) > CLIENT_LINE_BYTES:
            self.line_too_long()
        else:
            self.line_received(line)

    def lineLengthExceeded(self, line: bytes) -> None:
        """Discard a line that is too long, whether its end has come or not."""
        self._lines_taken += 1
        if self._lines_taken >= _LINES_A_TURN:
            self._rest_a_turn()
        self.line_too_long()
        _, end, self._rest = line.partition(self.delimiter)
        if not end:
            self.setRawMode()

    def rawDataReceived(self, data: bytes) -> None:
        """Discard more of a line that is too long, up to its end."""
        _, end, rest = data.partition(self.delimiter)
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
