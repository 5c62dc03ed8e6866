"""The open connections of all listeners. They are counted, and ended on a ban or a stop."""

from collections.abc import Callable, Iterator

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from irchat.chat.service import ChatService
from irchat.chat.state import bans
from irchat.net.socket_writer import nothing
from irchat.net.websocket_layer import GOING_AWAY, REFUSED
from irchat.server.listeners.connection import Connection

_STOP_SECONDS = 1.0


class ConnectionRegistry:
    """Keeps the open connections of a server. ``on_network_banned`` is called after a ban of a network."""

    def __init__(self, chat: ChatService, clock: IReactorTime) -> None:
        self._chat = chat
        self._clock = clock
        self._connections: set[Connection] = set()
        self._stopped: Deferred[None] | None = None
        self._late: IDelayedCall | None = None
        self.on_network_banned: Callable[[], None] = nothing
        chat.state.on_network_banned = self._end_banned

    def __len__(self) -> int:
        return len(self._connections)

    def __iter__(self) -> Iterator[Connection]:
        return iter(self._connections)

    def add(self, connection: Connection) -> None:
        """Add a new connection."""
        self._connections.add(connection)

    def remove(self, connection: Connection) -> None:
        """Remove a closed connection."""
        self._connections.discard(connection)
        self._look_stopped()

    def end_if_banned(self, connection: Connection) -> bool:
        """End a connection if its address is banned, with the reason. Return whether it is."""
        ban = self._chat.directory.network_bans.of(connection.address, self._chat.wall_ms())
        if ban is not None:
            connection.close_code = REFUSED
            connection.session.end(bans.notice(ban))
        return ban is not None

    def stop(self) -> Deferred[None]:
        """End all connections with a goodbye. The result fires when all are closed, or after a second."""
        stopped = self._stopped = Deferred()
        self._late = self._clock.callLater(_STOP_SECONDS, self._abort_all)
        for connection in list(self):
            connection.close_code = GOING_AWAY
            connection.session.end("the server stops")
        self._look_stopped()
        return stopped

    def _look_stopped(self) -> None:
        if self._stopped is not None and not self._connections:
            stopped, self._stopped = self._stopped, None
            if self._late is not None and self._late.active():
                self._late.cancel()
            stopped.callback(None)

    def _end_banned(self) -> None:
        for connection in list(self):
            self.end_if_banned(connection)
        self.on_network_banned()

    def _abort_all(self) -> None:
        for connection in list(self):
            connection.abort()
