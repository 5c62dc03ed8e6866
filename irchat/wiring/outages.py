"""Send users to other nodes while PostgreSQL or the bus is away for this node."""

from collections.abc import Callable
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import LoopingCall

from irchat.server.listeners.registry import ConnectionRegistry

# Seconds that users stay on a node that cannot store anything, or that cannot reach the other nodes.
PATIENCE_SECONDS = 10.0
_LOOK_SECONDS = 1.0
_STORE = "PostgreSQL is away"
_BUS = "the bus works for other nodes and not for this one"
_GOODBYE = "the server cannot reach its database: reconnect"


class SharedStore(Protocol):
    """The store, as `Outages` uses it. ``others_hear_bus``: whether the bus works for another node."""

    on_away: Callable[[], None]
    on_back: Callable[[], None]
    others_hear_bus: bool


class Closable(Protocol):
    """The ports of the node, as `Outages` uses them."""

    def set_closed(self, reason: str, is_closed: bool, /) -> None:
        """Add or remove a ``reason`` to close them."""


class Outages:
    """Watches the ``store``, and the bus if ``hears_bus`` is given, which returns whether it works for this node."""

    def __init__(
        self,
        store: SharedStore,
        port: Closable,
        connections: ConnectionRegistry,
        clock: IReactorTime,
        hears_bus: Callable[[], bool] | None,
    ) -> None:
        self._store = store
        self._port = port
        self._connections = connections
        self._clock = clock
        self._hears_bus = hears_bus
        self._away: IDelayedCall | None = None
        self._alone_since: float | None = None
        self._looks = LoopingCall(self._look_at_bus)
        self._looks.clock = clock
        store.on_away, store.on_back = self._lost, self._found
        if hears_bus is not None:
            self._looks.start(_LOOK_SECONDS)

    def stop(self) -> None:
        """Stop watching."""
        self._cancel()
        if self._looks.running:
            self._looks.stop()

    def _lost(self) -> None:
        self._cancel()
        self._away = self._clock.callLater(PATIENCE_SECONDS, self._leave)

    def _found(self) -> None:
        self._cancel()
        self._port.set_closed(_STORE, False)

    def _leave(self) -> None:
        """Close the port, then end all sessions, so that no client reconnects to this node."""
        self._port.set_closed(_STORE, True)
        for connection in list(self._connections):
            connection.session.end(_GOODBYE)

    def _cancel(self) -> None:
        if self._away is not None and self._away.active():
            self._away.cancel()
        self._away = None

    def _look_at_bus(self) -> None:
        """Close the port if the bus works for other nodes only. While it works for no node, all ports stay open."""
        assert self._hears_bus is not None
        if self._hears_bus() or not self._store.others_hear_bus:
            self._alone_since = None
            self._port.set_closed(_BUS, False)
            return
        now = self._clock.seconds()
        if self._alone_since is None:
            self._alone_since = now
        if now >= self._alone_since + PATIENCE_SECONDS:
            self._port.set_closed(_BUS, True)
