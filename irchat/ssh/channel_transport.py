"""An SSH channel as a transport of Twisted, for a terminal or for lines."""

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from irchat.ssh.session_channel import SessionChannel

# Bytes that may wait for a client that does not read. A frame has 40 kB at most, a reply a few times 256 KiB.
WAITING_BYTES = 2 * 2**20


class ChannelTransport:
    """Writes to a channel, and resumes its producer when both the channel and the socket below it have taken all.

    A client has a large SSH window, and the library keeps all that the socket does not take. So only an empty socket
    means that the client reads. ``is_writable`` returns whether that is so. ``status`` is the exit status that
    `loseConnection` sends.
    """

    def __init__(self, clock: IReactorTime, channel: SessionChannel, is_writable: Callable[[], bool]) -> None:
        self.status = 0
        self.disconnecting = False
        self._clock = clock
        self._channel = channel
        self._is_writable = is_writable
        self._is_window_full = False
        self._producer: Any = None
        self._is_streaming = False
        self._is_paused = False
        self._soon: IDelayedCall | None = None
        self._waiting = 0

    @property
    def is_drained(self) -> bool:
        """Whether everything was written."""
        return not self._is_window_full and self._is_writable()

    def write(self, data: bytes) -> None:
        """Write to the standard output of the client. If it has not read very much, close the channel."""
        if self._channel.is_closing():
            return
        self._channel.write(data)
        self._waiting = 0 if self.is_drained else self._waiting + len(data)
        if self._waiting > WAITING_BYTES:
            self._channel.abort()
        elif self._producer is None:
            return
        elif not self._is_streaming:
            self._resume_soon()
        elif not self.is_drained and not self._is_paused:
            self._is_paused = True
            self._producer.pauseProducing()

    def write_error(self, data: bytes) -> None:
        """Write to the standard error of the client."""
        if not self._channel.is_closing():
            self._channel.write_stderr(data)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Pace a producer: pause and resume it, or, if not ``streaming``, resume it after each write."""
        self._producer, self._is_streaming = producer, streaming

    def unregisterProducer(self) -> None:
        """Stop pacing."""
        self._producer = None

    def pauseProducing(self) -> None:
        """Pause the input."""
        self._channel.pause_reading()

    def resumeProducing(self) -> None:
        """Resume the input."""
        self._channel.resume_reading()

    def loseConnection(self) -> None:
        """Send the exit status after all output, and close."""
        self.disconnecting = True
        self._producer = None
        self._channel.exit(self.status)

    # Called by the session and the connection.

    def window_full(self, is_full: bool) -> None:
        """Note whether the window of the client is full."""
        self._is_window_full = is_full
        self.drained()

    def drained(self) -> None:
        """Resume the producer if everything was written."""
        if self._producer is not None and self.is_drained and (self._is_paused or not self._is_streaming):
            self._resume_soon()

    def input_comes(self) -> None:
        """Resume a producer that is due, so that input which answers what was written finds it written."""
        if self._soon is not None:
            self._soon.cancel()
            self._resume()

    def _resume_soon(self) -> None:
        if self._soon is None:
            self._soon = self._clock.callLater(0, self._resume)

    def _resume(self) -> None:
        self._soon = None
        if self._producer is not None and self.is_drained:
            self._is_paused = False
            self._producer.resumeProducing()
