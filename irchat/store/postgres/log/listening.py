"""The thread that listens to PostgreSQL: for new commits, and each second for its pulse, even if nothing happens."""

import selectors
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import psycopg
from twisted.logger import Logger

from irchat.store.postgres.connecting import Connection, StoreUnusable, one_line
from irchat.store.postgres.log.node_rows import Look, NodeIdentity, Report, join, renew

_LOOK_SECONDS = 1.0
_ANSWER_SECONDS = 5.0
# Seconds between attempts to connect again.
_FIRST_PAUSE, _LAST_PAUSE = 0.1, 2.0
# Seconds for the session that broke to end, before another node is thought to have taken the name.
_REJOIN_SECONDS = 20.0

_log = Logger()


class Listener:
    """Listens with a connection of its own, which also holds the name of the node.

    The callbacks are called in this thread: ``on_commit`` when another node has committed something, ``on_look`` each
    second, ``on_away`` and ``on_back`` when the server is lost and found, ``on_stop`` with the reason when the node
    must end. ``own_pid`` returns the process that commits for this node.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        node: NodeIdentity,
        report: Callable[[], Report],
        own_pid: Callable[[], int],
    ) -> None:
        self._connect = connect
        self._node = node
        self._report = report
        self._own_pid = own_pid
        self._stopping = threading.Event()
        self._ours, self._theirs = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="irchat-store-listener")
        self.on_commit: Callable[[], None] = lambda: None
        self.on_look: Callable[[Look], None] = lambda look: None
        self.on_away: Callable[[], None] = lambda: None
        self.on_back: Callable[[], None] = lambda: None
        self.on_stop: Callable[[str], None] = lambda why: None

    def join(self) -> tuple[int, Connection]:
        """Enter the node. Return its number, and the connection. Raises StoreUnusable or psycopg.Error."""
        self._connection: Connection | None = self._connect()
        try:
            self._number = join(self._connection, self._node)
            self._listen(self._connection)
        except BaseException:
            self._connection.close()
            raise
        return self._number, self._connection

    def start(self) -> None:
        """Start the thread, after `join`."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread, and free the name of the node."""
        self._stopping.set()
        with suppress(OSError):
            self._ours.send(b"\0")
        if self._thread.ident is not None:
            self._thread.join()
        if self._connection is not None:
            self._connection.close()
        self._ours.close()
        self._theirs.close()

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        is_away = False
        while not self._stopping.is_set():
            try:
                if self._connection is None:
                    self._join_again()
                    pause = _FIRST_PAUSE
                if is_away:
                    is_away = False
                    self.on_back()
                assert self._connection is not None
                self._follow(self._connection)
            except StoreUnusable as error:
                self.on_stop(str(error))
                return
            except (psycopg.Error, OSError) as error:
                _log.warn("the database is away: {error}", error=one_line(error))
                connection, self._connection = self._connection, None
                if connection is not None:
                    connection.close()
                if not is_away:
                    is_away = True
                    self.on_away()
                self._stopping.wait(pause)
                pause = min(2 * pause, _LAST_PAUSE)

    def _join_again(self) -> None:
        connection = self._connect()
        try:
            number = join(connection, self._node, _REJOIN_SECONDS)
            if number != self._number:
                raise StoreUnusable("the database no longer knows this node; start it again")
            self._listen(connection)
        except BaseException:
            connection.close()
            raise
        self._connection = connection

    def _listen(self, connection: Connection) -> None:
        connection.limit = _ANSWER_SECONDS
        connection.execute("SET synchronous_commit = off")  # the rows of the nodes may be lost
        connection.execute("LISTEN irchat")

    def _follow(self, connection: Connection) -> None:
        heard: list[int] = []
        connection.add_notify_handler(lambda notify: heard.append(notify.pid))
        with selectors.DefaultSelector() as selector:
            selector.register(connection.fileno(), selectors.EVENT_READ)
            selector.register(self._theirs, selectors.EVENT_READ)
            next_look = time.monotonic()
            while not self._stopping.is_set():
                if time.monotonic() >= next_look:
                    next_look = time.monotonic() + _LOOK_SECONDS
                    self.on_look(renew(connection, self._number, self._report()))
                if self._has_foreign(heard):
                    self.on_commit()
                if selector.select(max(0.0, next_look - time.monotonic())):
                    connection.pgconn.consume_input()
                    while notify := connection.pgconn.notifies():
                        heard.append(notify.be_pid)

    def _has_foreign(self, heard: list[int]) -> bool:
        own = self._own_pid()
        is_foreign = any(pid != own for pid in heard)
        heard.clear()
        return is_foreign
