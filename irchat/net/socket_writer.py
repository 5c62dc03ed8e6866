"""Write bytes to a socket, at once if no bytes wait. Bytes that the kernel does not accept go through the transport."""

from collections.abc import Callable
from typing import Protocol, cast

from twisted.internet.interfaces import IPullProducer
from zope.interface import implementer

TryNow = Callable[[bytes], int | BaseException]


class Outgoing(Protocol):
    """The destination of the bytes of a session: a `SocketWriter`, or TLS over one."""

    on_drained: Callable[[], None]
    """Called when all waiting bytes have reached the kernel, but not after a send that did not wait."""

    @property
    def idle(self) -> bool:
        """Whether all sent bytes have reached the kernel."""

    @property
    def try_now(self) -> "TryNow | None":
        """A function that sends bytes at once while ``idle``, or None. It returns the number of bytes sent. If
        that is less than all, call `send_rest` with that number, or with 0 after an OSError."""

    def send(self, data: bytes) -> None:
        """Send ``data`` after all earlier bytes."""

    def send_rest(self, data: bytes, given: int | BaseException) -> None:
        """Send the bytes that ``try_now`` did not. ``given`` is its result."""

    def close(self) -> None:
        """Close the connection after all bytes are sent."""

    def abort(self) -> None:
        """Close the connection now. Waiting bytes are lost."""


def nothing() -> None:
    """Replace ``on_drained`` before there is a session, and after its end."""


@implementer(IPullProducer)
class SocketWriter:
    """Sends bytes over a transport. While a TCP peer keeps up, a send is one system call without the reactor.

    It registers as a pull producer of the transport, so Twisted calls `resumeProducing` each time all bytes are
    written: a slow reader has caught up (``on_drained``).
    """

    __slots__ = ("_transport", "idle", "on_drained", "try_now")

    def __init__(self, transport: object) -> None:
        self.on_drained: Callable[[], None] = nothing
        self.idle = True
        self._transport: object = transport
        # A direct send takes half as long as Twisted's writeSomeData. Transports without a socket have neither.
        self.try_now: TryNow | None = getattr(
            getattr(transport, "socket", None), "send", getattr(transport, "writeSomeData", None)
        )
        transport.registerProducer(self, False)  # type: ignore[attr-defined]

    def send(self, data: bytes) -> None:
        """Send ``data`` after all earlier bytes."""
        if not self.idle:
            self._transport.write(data)  # type: ignore[attr-defined]
            return
        given: int | BaseException = 0
        if self.try_now is not None:
            try:
                given = self.try_now(data)
            except OSError:
                given = 0
        if given != len(data):
            self.send_rest(data, given)

    def send_rest(self, data: bytes, given: int | BaseException) -> None:
        """Send the bytes that ``try_now`` did not. On a lost connection, this write makes the transport detect it."""
        self.idle = False
        self._transport.write(data[given:] if isinstance(given, int) else data)  # type: ignore[attr-defined]

    def close(self) -> None:
        """Close the connection after all bytes are sent."""
        self.try_now = None
        self._transport.unregisterProducer()  # type: ignore[attr-defined]
        self._transport.loseConnection()  # type: ignore[attr-defined]

    def abort(self) -> None:
        """Close the connection now. Waiting bytes are lost."""
        self.try_now = None
        self._transport.abortConnection()  # type: ignore[attr-defined]

    def resumeProducing(self) -> None:
        """Note that all bytes were written."""
        self.idle = True
        self.on_drained()

    def stopProducing(self) -> None:
        """Stop using the socket after the connection is lost. The transport notifies the protocol."""
        self.try_now = None


def outgoing_of(transport: object) -> Outgoing:
    """Return what sends bytes over ``transport``: itself if it is a layer such as TLS, else a new `SocketWriter`."""
    return cast(Outgoing, transport) if hasattr(transport, "send_rest") else SocketWriter(transport)
