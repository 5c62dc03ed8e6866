"""WebSocket (RFC 6455) under a connection of lines: messages come in as lines, and lines go out as messages."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IProtocol, IReactorTime, ITransport
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN
from websockets.server import ServerProtocol
from zope.interface import implementer

from irchat.net.socket_writer import Outgoing, nothing

MESSAGE_BYTES = 131_072
"""Maximum bytes of a message, in all its fragments."""

NORMAL, GOING_AWAY, UNSUPPORTED, NOT_UTF8, REFUSED, TOO_BIG = 1000, 1001, 1003, 1007, 1008, 1009
"""Close codes (RFC 6455, section 7.4.1)."""

# Seconds to wait for the close frame of the peer.
_CLOSE_SECONDS = 2.0
_TEXT, _BINARY, _CONTINUATION, _FINAL = 0x01, 0x02, 0x00, 0x80
# Bytes that are read at once: the smallest frames take six, and cost far more than their bytes.
_TAKEN_BYTES = 512
# Frames that bring no line, such as pings: so many at once, and a second. Lines have their own limits.
_IDLE_AT_ONCE, _IDLE_A_SECOND = 100.0, 100.0


@implementer(ITransport)
class WebSocketLayer:
    """Speaks WebSocket over ``below`` and lines with ``inner``. It is the transport of ``inner``.

    ``tcp`` is the transport of the bytes, and ``below`` their writer: TLS, or a `irchat.net.socket_writer.SocketWriter`
    over ``tcp``. ``protocol`` has accepted the handshake. ``one_line``: each line goes out as a message of its own,
    without its end; the lines contain no other carriage return. ``is_binary``: messages go out as binary, and come in
    as either; they need not be UTF-8. Otherwise a binary message ends the connection. ``close_code`` is called when
    ``inner`` closes.

    While bytes wait for the peer, nothing is read from it, so that pings cannot fill the memory. A peer that sends many
    frames without lines is read more slowly.
    """

    disconnecting = False

    def __init__(
        self,
        protocol: ServerProtocol,
        below: Outgoing,
        tcp: Any,
        inner: IProtocol,
        clock: IReactorTime,
        *,
        one_line: bool = False,
        is_binary: bool = False,
        close_code: Callable[[], int] = lambda: NORMAL,
    ) -> None:
        self._protocol = protocol
        self._below = below
        self.tcp = tcp
        self._inner = inner
        self._clock = clock
        self._one_line = one_line
        self._is_binary = is_binary
        self._opcode = _BINARY if is_binary else _TEXT
        self._final = self._opcode | _FINAL
        self._close_code = close_code
        self.on_drained: Callable[[], None] = nothing
        self._unread = bytearray()
        self._is_paused = False
        self._idle_left = _IDLE_AT_ONCE
        self._idle_at = clock.seconds()
        self._resting: IDelayedCall | None = None
        self._is_reading = self._is_deaf = False
        self._is_cut = False  # the last frame sent ends inside a line
        self._fragments: list[bytes] = []
        self._is_closed = False
        self._late: IDelayedCall | None = None
        below.on_drained = self._drained

    # The socket side.

    def start(self) -> None:
        """Begin, after the answer to the handshake is sent."""
        self._inner.makeConnection(self)

    def received(self, data: bytes) -> None:
        """Process bytes of the peer."""
        if not self._is_deaf:
            self._unread += data
            self._read()

    def lost(self, reason: Failure = connectionDone) -> None:
        """Drop all references after the connection is lost."""
        self._is_closed = True
        for call in self._late, self._resting:
            if call is not None and call.active():
                call.cancel()
        self._inner.connectionLost(reason)
        del self._inner  # it refers to this layer, and only the collector frees a cycle

    def _read(self) -> None:
        if self._is_reading:
            return
        self._is_reading = True
        try:
            self._take_frames()
        finally:
            self._is_reading = False
        self._choose_reading()

    def _take_frames(self) -> None:
        while self._unread and self._below.idle and not self._is_paused and self._resting is None:
            data = bytes(self._unread[:_TAKEN_BYTES])
            del self._unread[:_TAKEN_BYTES]
            self._protocol.receive_data(data)
            if self._protocol.state is OPEN:
                self._answer()  # pongs, before the answers to messages that came after the pings
            for frame in self._protocol.events_received():
                if isinstance(frame, Frame):
                    self._take(frame)
            self._answer()

    def _count_idle(self) -> None:
        """Count a frame without a line. After too many, read nothing until the next one is due."""
        now = self._clock.seconds()
        gained = (now - self._idle_at) * _IDLE_A_SECOND
        self._idle_left, self._idle_at = min(self._idle_left + gained, _IDLE_AT_ONCE) - 1, now
        if self._idle_left >= 0:
            return
        if self._is_closed:  # it goes on instead of closing
            self._is_deaf = True
            self._unread.clear()
            self._below.close()
        elif self._resting is None:
            self._resting = self._clock.callLater(-self._idle_left / _IDLE_A_SECOND, self._rested)

    def _rested(self) -> None:
        self._resting = None
        self._read()

    def _take(self, frame: Frame) -> None:
        data = bytes(frame.data)
        if not frame.fin or not data.strip() or frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            self._count_idle()
        if self._is_closed or frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            return
        if frame.opcode is Opcode.BINARY and not self._is_binary:
            self._fail(UNSUPPORTED)
            return
        self._fragments.append(data)
        if not frame.fin:
            return
        message, self._fragments = b"".join(self._fragments), []
        if not self._is_binary and not _is_utf8(message):
            self._fail(NOT_UTF8)
            return
        self._inner.dataReceived(message + b"\n")

    def _answer(self) -> None:
        """Send what the protocol answers: pongs, and the end."""
        for data in self._protocol.data_to_send():
            if data:
                self._below.send(data)
            else:
                self._is_closed = self.disconnecting = True
                self._below.close()

    def _fail(self, code: int) -> None:
        if self._protocol.state is OPEN:
            self._protocol.fail(code)
            self._answer()

    def _drained(self) -> None:
        self.on_drained()
        self._read()

    def _choose_reading(self) -> None:
        if self._is_closed:
            return
        if self._is_paused or self._resting is not None or not self._below.idle:
            self.tcp.pauseProducing()
        else:
            self.tcp.resumeProducing()

    # The inner side: the interface `irchat.net.socket_writer.Outgoing`.

    @property
    def idle(self) -> bool:
        """Whether all sent bytes have reached the kernel."""
        return self._below.idle

    def send(self, data: bytes) -> None:
        """Send lines as one message, or each as one. A part of a line becomes a fragment of its message."""
        if self._is_closed or not data:
            return
        if not self._one_line:
            self._below.send(self._frame(data, ends=data.endswith(b"\n")))
            return
        *lines, rest = data.replace(b"\r", b"").split(b"\n")
        frames = [self._frame(line, ends=True) for line in lines]
        if rest:
            frames.append(self._frame(rest, ends=False))
        self._below.send(b"".join(frames))

    def _frame(self, data: bytes, *, ends: bool) -> bytes:
        opcode = _CONTINUATION if self._is_cut else self._opcode
        self._is_cut = not ends
        return _header(opcode | _FINAL if ends else opcode, len(data)) + data

    def try_now(self, data: bytes) -> int:
        """Send ``data`` at once. Return its length, or -1 if a part of it waits."""
        if self._is_cut or self._one_line or self._is_closed or data[-1:] != b"\n":
            self.send(data)
        else:
            self._below.send(_header(self._final, len(data)) + data)
        return len(data) if self._below.idle else -1

    def send_rest(self, data: bytes, given: int | BaseException) -> None:
        """Do nothing: the bytes that `try_now` could not send wait already."""

    def close(self) -> None:
        """Send a close frame, and close the connection when the peer has answered it, or soon."""
        if not self._is_closed and self._protocol.state is OPEN:
            self._is_closed = self.disconnecting = True
            self._protocol.send_close(self._close_code())
            self._answer()
            self._late = self._clock.callLater(_CLOSE_SECONDS, self._below.close)
            self.tcp.resumeProducing()

    def abort(self) -> None:
        """Close the connection now. Drop waiting bytes."""
        self._is_closed = self.disconnecting = True
        self._below.abort()

    # The inner side: Twisted's names.

    write = send
    loseConnection = close
    abortConnection = abort

    def writeSequence(self, data: Any) -> None:
        """Send all of ``data``."""
        self.send(b"".join(data))

    def getPeer(self) -> Any:
        """Return the address of the peer."""
        return self.tcp.getPeer()

    def getHost(self) -> Any:
        """Return the address of this side."""
        return self.tcp.getHost()

    def pauseProducing(self) -> None:
        """Stop reading."""
        self._is_paused = True
        self._choose_reading()

    def resumeProducing(self) -> None:
        """Read again."""
        self._is_paused = False
        self._read()


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


@lru_cache(maxsize=256)
def _header(first: int, size: int) -> bytes:
    """Return the header of an unmasked frame: one object for all readers of a message."""
    if size < 126:
        return bytes((first, size))
    if size < 65_536:
        return bytes((first, 126)) + size.to_bytes(2, "big")
    return bytes((first, 127)) + size.to_bytes(8, "big")
