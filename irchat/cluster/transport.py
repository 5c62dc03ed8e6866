"""The contract of a transport between the nodes."""

from collections.abc import Callable
from typing import Protocol

from twisted.internet.defer import Deferred


class Transport(Protocol):
    """Carries bytes from each node to all nodes, its sender included, in the order in which one node publishes them.

    It may lose any of them, and be away. It stores nothing. The callbacks are set by its user and called in the
    reactor's thread.
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
        """Give up the connection, which does not work, and make a new one."""
