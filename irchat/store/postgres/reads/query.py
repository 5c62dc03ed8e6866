"""One read of the database, which can be interrupted."""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, TypeVarTuple

import psycopg
from psycopg.errors import QueryCanceled

from irchat.protocol.errors import unavailable

READER_SETTINGS = (
    "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;"
    " SET jit = off; SET max_parallel_workers_per_gather = 0; SET synchronous_commit = off"
)
"""Settings of a reader's connection. All reads use indexes, row by row, so no plan depends on statistics, which may be
from a time when a table was small. A crash may lose the last indexing by a reader, which is then repeated."""

# In one packet. The position is that of the snapshot, which begins with the first SELECT.
_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT coalesce(max(pos), 0) FROM log"
_CANCEL_SECONDS = 2.0

Connection = psycopg.Connection[Any]

Given = TypeVar("Given")
Args = TypeVarTuple("Args")
Reader = TypeVar("Reader", bound=Connection)


@dataclass(eq=False, repr=False, slots=True)
class Query(Generic[Given]):
    """A query for a reader's thread. It returns its result and the position in the log of its snapshot.

    `interrupt` ends it early, from any other thread. The lock ensures that an interrupt is only sent while this query
    uses the connection. One that arrives late may interrupt the next query, which then runs again.
    """

    connect: Callable[[], Connection]
    ask: Callable[..., Given]
    args: tuple[object, ...]
    _connection: Connection | None = None
    _interrupted: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self) -> tuple[Given, int]:
        try:
            return self._run()
        except QueryCanceled:
            if self._interrupted:
                raise
            return self._run()

    def _run(self) -> tuple[Given, int]:
        connection, position = self._begin()
        try:
            with self._lock:
                if self._interrupted:
                    raise unavailable()
                self._connection = connection
            return self.ask(connection, *self.args), position
        finally:
            with self._lock:
                self._connection = None
            _end(connection)

    def _begin(self) -> tuple[Connection, int]:
        """Begin on the connection of the thread, or on a new one if it broke since it was last used."""
        connection = self.connect()
        try:
            return connection, _begin(connection)
        except psycopg.OperationalError:
            if not connection.closed:
                raise
        connection = self.connect()
        return connection, _begin(connection)

    def interrupt(self) -> None:
        """End the query soon. Nobody waits for its error. Do nothing if the query is over."""
        self._interrupted = True
        # A cancel opens a connection, which may take long.
        with suppress(RuntimeError, MemoryError):
            threading.Thread(target=self._cancel, name="irchat-store-cancel", daemon=True).start()

    def _cancel(self) -> None:
        with self._lock, suppress(psycopg.Error):
            if self._connection is not None:
                self._connection.cancel_safe(timeout=_CANCEL_SECONDS)


def read(connection: Reader, ask: Callable[[Reader, *Args], Given], *args: *Args) -> tuple[Given, int]:
    """Call ``ask`` with ``connection`` and ``args`` in one snapshot. Return its result and the snapshot's position.

    Raises psycopg.Error.
    """
    position = _begin(connection)
    try:
        return ask(connection, *args), position
    finally:
        _end(connection)


def _begin(connection: Connection) -> int:
    """Begin a transaction. Return the position of its snapshot."""
    try:
        cursor = connection.execute(_BEGIN)
        cursor.nextset()
        ((position,),) = cursor.fetchall()
    except BaseException:
        _end(connection)
        raise
    return int(position)


def _end(connection: Connection) -> None:
    """End a transaction. A commit keeps the prepared statements, which a rollback drops."""
    if connection.closed:
        return
    if connection.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS:
        connection.commit()
    else:
        connection.rollback()
