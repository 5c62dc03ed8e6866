"""One read of the database, which can be interrupted."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from traceback import clear_frames
from typing import Generic, TypeVar

from irchat.protocol.errors import unavailable
from irchat.store.sqlite.journal import Gate

Given = TypeVar("Given")


@dataclass(eq=False, repr=False, slots=True)
class Query(Generic[Given]):
    """A query for a reader's thread. `interrupt` ends it early, from any other thread.

    The connection is the thread's: the lock makes sure that an interrupt meets this query and never the next one.
    """

    connect: Callable[[], sqlite3.Connection]
    gate: Gate
    ask: Callable[..., Given]
    args: tuple[object, ...]
    _connection: sqlite3.Connection | None = None
    _interrupted: bool = False
    _lock: Lock = field(default_factory=Lock)

    def __call__(self) -> Given:
        connection = self.connect()
        with self.gate:
            connection.execute("BEGIN")
            try:
                with self._lock:
                    if self._interrupted:
                        raise unavailable()
                    self._connection = connection
                return self.ask(connection, *self.args)
            except BaseException as error:
                # An open cursor in a frame of the traceback would pass the interrupt on to the next statement.
                clear_frames(error.__traceback__)
                raise
            finally:
                with self._lock:
                    self._connection = None
                connection.execute("ROLLBACK")

    def interrupt(self) -> None:
        """End the query soon, by an error that nobody waits for. Do nothing if it is over."""
        with self._lock:
            self._interrupted = True
            if self._connection is not None:
                self._connection.interrupt()
