"""TLS around another protocol, with `ssl.MemoryBIO`. A record costs a third of what it costs with pyOpenSSL."""

import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IProtocol, IReactorTime, ITransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from irchat.net.socket_writer import SocketWriter

_READ_BYTES = 65_536
# The first byte of ``GET`` and ``HEAD``, which begins no TLS record.
_PLAIN = (b"G", b"H")
# Maximum bytes of records read at once: a key update that a peer requests in 27 bytes makes TLS send an answer.
_TAKEN_BYTES = 512
# A record of one byte costs as much as one of hundreds. After this many, other connections get their turn.
_RECORDS_A_TURN = 32
# Maximum bytes that TLS sends by itself after the handshake, in this many seconds: two tickets, an alert, and a hundred
# key updates. A peer that requests more is disconnected, or the answers would accumulate without bound.
_OWN_BYTES = 1_024
_OWN_SECONDS = 10.0


@implementer(ITransport)
class TLSLayer(Protocol):
    """Speaks TLS with the peer and plain bytes with an inner protocol, whose transport it is after the handshake.

    ``make_inner`` returns that protocol for the name that both sides agreed on (ALPN), or None if they agreed on none.
    A client checks the certificate against ``server_hostname`` if its context requires that. ``on_failure`` is called
    with the `ssl.SSLError` of a failed handshake, after which there is no inner protocol. ``on_plain`` is called with
    the bytes of a peer that speaks HTTP without TLS. It returns the answer, after which the connection is closed, b""
    to close it at once, or None to wait for more. With a ``clock``, a handshake that takes longer than
    ``handshake_seconds`` is aborted. Without one, the bytes that TLS sends by itself are counted for the whole
    connection. ``in_turn`` is called with each step of the handshake and runs it later. Nothing is read until then.
    """

    disconnecting = False
    transport: Any  # Twisted's TCP connection, or a fake

    def __init__(
        self,
        context: ssl.SSLContext,
        make_inner: Callable[[str | None], IProtocol],
        *,
        server_side: bool,
        server_hostname: str | None = None,
        on_failure: Callable[[ssl.SSLError], None] | None = None,
        on_plain: Callable[[bytes], bytes | None] | None = None,
        clock: IReactorTime | None = None,
        handshake_seconds: float = 0,
        in_turn: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        self._make_inner = make_inner
        self._inner: IProtocol
        self._clock = clock
        self._handshake_seconds = handshake_seconds
        self._late: IDelayedCall | None = None
        self._in_turn = in_turn
        self._on_failure = on_failure
        self._on_plain = on_plain
        self._plain = b""
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side, server_hostname)
        self._ready = False
        self._closed = False
        self._own_bytes = 0
        self._own_since = 0.0
        self._rest = b""
        self._resting: IDelayedCall | None = None
        self._is_paused = False

    # The socket side.

    def connectionMade(self) -> None:
        """Start the handshake."""
        self.writer = SocketWriter(self.transport)
        if self._clock is not None:
            self._late = self._clock.callLater(self._handshake_seconds, self.abort)
        self._advance()

    def dataReceived(self, data: bytes) -> None:
        """Process bytes from the socket."""
        if self._closed:
            return
        if self._on_plain is not None:
            if self._plain or data[:1] in _PLAIN:
                self._take_plain(data)
                return
            self._on_plain = None
        if self._in_turn is not None and not self._ready:
            self.transport.pauseProducing()
            self._in_turn(lambda: self._take_in_turn(data))
        else:
            self._take(data)

    def _take_plain(self, data: bytes) -> None:
        assert self._on_plain is not None
        self._plain += data
        answer = self._on_plain(self._plain)
        if answer is not None:
            self._closed = self.disconnecting = True
            self.writer.send(answer)
            self.writer.close()
            self._failed(ssl.SSLError(ssl.SSL_ERROR_SSL, "the peer speaks no TLS"))

    def _take_in_turn(self, data: bytes) -> None:
        if not self._closed:
            self.transport.resumeProducing()
            self._take(data)

    def _take(self, data: bytes) -> None:
        records = 0
        for begin in range(0, len(data), _TAKEN_BYTES):
            self._incoming.write(data[begin : begin + _TAKEN_BYTES])
            records += self._advance()
            if self._closed:
                return
            if records >= _RECORDS_A_TURN and self._clock is not None:
                self._rest = data[begin + _TAKEN_BYTES :]
                self.transport.pauseProducing()
                self._resting = self._clock.callLater(0, self._rested)
                return

    def _rested(self) -> None:
        self._resting = None
        rest, self._rest = self._rest, b""
        self._take(rest)
        if self._resting is None and not self._is_paused and not self._closed:
            self.transport.resumeProducing()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Drop all references after the TCP connection is lost."""
        self._closed = True
        if self._resting is not None:
            self._resting.cancel()
            self._resting = None
        self._in_turn = None
        self._in_time()
        del self._make_inner
        if self._ready:
            self._inner.connectionLost(reason)
            del self._inner  # it refers to this layer, and only the collector frees a cycle
        else:
            self._failed(ssl.SSLEOFError("the connection ended during the handshake"))

    def _advance(self) -> int:
        """Go on with the bytes that have arrived. Return the number of records of data among them."""
        parts: list[bytes] = []
        try:
            if not self._ready:
                self._tls.do_handshake()
                self._ready = True
                self._in_time()
                self._inner = self._make_inner(self._tls.selected_alpn_protocol())
                self._inner.makeConnection(self)
            while data := self._tls.read(_READ_BYTES):
                parts.append(data)
            self._pass_on(parts)
            if not self._closed:
                self.close()
        except ssl.SSLWantReadError:
            self._pass_on(parts)
            self._flush()
        except ssl.SSLError as error:
            self._pass_on(parts)
            self._closed = self.disconnecting = True
            self._flush()
            self.writer.close()
            if not self._ready:
                self._failed(error)
        return len(parts)

    def _pass_on(self, parts: list[bytes]) -> None:
        if parts and not self._closed:
            self._inner.dataReceived(parts[0] if len(parts) == 1 else b"".join(parts))

    def _in_time(self) -> None:
        if self._late is not None and self._late.active():
            self._late.cancel()
        self._late = None

    def _failed(self, error: ssl.SSLError) -> None:
        if self._on_failure is not None:
            on_failure, self._on_failure = self._on_failure, None
            on_failure(error)

    def _flush(self) -> None:
        if data := self._outgoing.read():
            if self._ready and not self._closed:
                self._count_own(len(data))
            self.writer.send(data)

    def _count_own(self, size: int) -> None:
        """Count the bytes that TLS sent by itself. Close the connection if there are too many.

        The count is reset after a while, but not while bytes wait for a peer that does not read.
        """
        now = 0.0 if self._clock is None else self._clock.seconds()
        if self.writer.idle and now - self._own_since > _OWN_SECONDS:
            self._own_since = now
            self._own_bytes = 0
        self._own_bytes += size
        if self._own_bytes > _OWN_BYTES:
            self.abort()

    # The inner side: the interface `irchat.net.socket_writer.Outgoing`.

    @property
    def idle(self) -> bool:
        """Whether all sent bytes have reached the kernel."""
        return self.writer.idle

    @property
    def on_drained(self) -> Callable[[], None]:
        """The function to call when all waiting bytes have reached the kernel."""
        return self.writer.on_drained

    @on_drained.setter
    def on_drained(self, call: Callable[[], None]) -> None:
        self.writer.on_drained = call

    def send(self, data: bytes) -> None:
        """Encrypt ``data`` and send it after all earlier bytes."""
        if self._closed:
            return
        try:
            self._tls.write(data)
        except ssl.SSLError:  # the peer has broken the connection, and reading has not reported it yet
            self.abort()
            return
        self.writer.send(self._outgoing.read())

    def try_now(self, data: bytes) -> int:
        """Encrypt ``data`` and send it at once. Return its length, or -1 if a part of it waits."""
        self.send(data)
        return len(data) if self.writer.idle else -1

    def send_rest(self, data: bytes, given: int | BaseException) -> None:
        """Do nothing: the bytes that `try_now` could not send wait already."""

    def close(self) -> None:
        """Close TLS, and the connection after all bytes are sent."""
        if self._closed:
            return
        self._closed = self.disconnecting = True
        with suppress(ssl.SSLError):  # the close_notify of the peer is not required
            self._tls.unwrap()
        self._flush()
        self.writer.close()

    def abort(self) -> None:
        """Close the connection now. Drop waiting bytes."""
        self._closed = self.disconnecting = True
        self.writer.abort()

    @property
    def tcp(self) -> Any:
        """The transport of the socket, for those that have a layer as their transport."""
        return self.transport

    def peer_certificate(self) -> bytes | None:
        """Return the certificate of the peer in DER."""
        return self._tls.getpeercert(binary_form=True)

    # The inner side: Twisted's names.

    write = send
    loseConnection = close
    abortConnection = abort

    def writeSequence(self, data: Any) -> None:
        """Send all of ``data``."""
        self.send(b"".join(data))

    def getPeer(self) -> Any:
        """Return the address of the peer."""
        return self.transport.getPeer()

    def getHost(self) -> Any:
        """Return the address of this side."""
        return self.transport.getHost()

    def pauseProducing(self) -> None:
        """Stop reading from the socket."""
        self._is_paused = True
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Read from the socket again."""
        self._is_paused = False
        if self._resting is None:
            self.transport.resumeProducing()
