"""Write bytes to a socket: at once if nothing waits, and through the transport what does not fit."""

from collections.abc import Callable
from typing import Protocol

from twisted.internet.interfaces import IPullProducer
from zope.interface import implementer

TryNow = Callable[[bytes], int | BaseException]


class Outgoing(Protocol):
    """Where the bytes of a session go: a `SocketWriter`, or TLS over one."""

    on_drained: Callable[[], None]
    """Called when all that waited has reached the kernel, but not after a send that never waited."""

    @property
    def idle(self) -> bool:
        """Whether all that was sent has reached the kernel."""

    @property
    def try_now(self) -> "TryNow | None":
        """A function that sends bytes at once while ``idle``, None if there is none. Unless it returns their number,
        call `send_rest` with what it returned, or with 0 if it raised OSError."""

    def send(self, data: bytes) -> None:
        """Send ``data`` after all that was sent before."""

    def send_rest(self, data: bytes, given: int | BaseException) -> None:
        """Send what ``try_now`` did not, which returned ``given``."""

    def close(self) -> None:
        """Close the connection when all is sent."""

    def abort(self) -> None:
        """Close the connection now. What waits is lost."""


def _nothing() -> None:
    pass


@implementer(IPullProducer)
class SocketWriter:
    """Sends bytes over a transport; on TCP with one system call and without the reactor while the peer keeps up.

    It registers as the transport's pull producer: Twisted then calls `resumeProducing` each time all was written,
    which means that a slow reader has caught up (``on_drained``).
    """

    __slots__ = ("_transport", "idle", "on_drained", "try_now")

    def __init__(self, transport: object) -> None:
        self.on_drained: Callable[[], None] = _nothing
        self.idle = True
        self._transport: object = transport
        # The socket itself takes half as long as Twisted's writeSomeData. A transport that is no socket has neither.
        self.try_now: TryNow | None = getattr(
            getattr(transport, "socket", None), "send", getattr(transport, "writeSomeData", None)
        )
        transport.registerProducer(self, False)  # type: ignore[attr-defined]

    def send(self, data: bytes) -> None:
        """Send ``data`` after all that was sent before."""
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
        """Send what ``try_now`` did not. If the connection is lost, the transport finds out on this write."""
        self.idle = False
        self._transport.write(data[given:] if isinstance(given, int) else data)  # type: ignore[attr-defined]

    def close(self) -> None:
        """Close the connection when all is sent."""
        self.try_now = None
        self._transport.unregisterProducer()  # type: ignore[attr-defined]
        self._transport.loseConnection()  # type: ignore[attr-defined]

    def abort(self) -> None:
        """Close the connection now. What waits is lost."""
        self.try_now = None
        self._transport.abortConnection()  # type: ignore[attr-defined]

    def resumeProducing(self) -> None:
        """Go on: all was written."""
        self.idle = True
        self.on_drained()

    def stopProducing(self) -> None:
        """Stop trying the socket: the connection is lost. The protocol is told by the transport."""
        self.try_now = None
