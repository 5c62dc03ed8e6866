"""The contract of a transport between the nodes."""

from collections.abc import Callable
from typing import Protocol

from twisted.internet.defer import Deferred


class Transport(Protocol):
    """Carries bytes from each node to all nodes, its sender included. Those of one node stay in order.

    It may lose messages, and the connection may be down. It stores nothing. The callbacks are set by its user, and
    called in the reactor's thread.
    """

    received: Callable[[bytes], None]
    connected: Callable[[], None]
    lost: Callable[[], None]

    def start(self) -> None:
        """Connect, and connect again whenever the connection is lost."""

    def stop(self) -> Deferred[None]:
        """Disconnect for good."""

    def publish(self, data: bytes) -> None:
        """Send ``data``. Without a connection, it is lost."""

    def reset(self) -> None:
        """Drop the connection, which no longer works, and connect again."""
