"""Reads of PostgreSQL: one snapshot with its position, and their interruption."""

import contextlib
import threading
from typing import Any

import psycopg
from psycopg.errors import QueryCanceled
from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.stored import GLOBAL
from irchat.protocol.errors import Refusal
from irchat.store.postgres.connecting import Database
from irchat.store.postgres.reads import query as query_module
from irchat.store.postgres.reads.query import READER_SETTINGS, Query, read
from tests.helpers.stores import PostgresHands, message

_COUNT = "SELECT count(*) FROM messages"


class QueryTests(PostgresHands, SynchronousTestCase):
    """A reader's connection, beside a store that writes."""

    def setUp(self) -> None:
        """Open it."""
        super().setUp()
        self.connection = Database(self.url).connect()
        self.addCleanup(self.connection.close)
        self.connection.execute(READER_SETTINGS)

    def one(self, connection: Any, sql: str) -> Any:
        """Return the first value that a statement returns."""
        return connection.execute(sql).fetchone()[0]

    def test_snapshot(self) -> None:
        """All statements of a read see one state, that of its position."""
        self.write(message(GLOBAL, self.alice))

        def ask(connection: Any) -> list[int]:
            before = self.one(connection, _COUNT)
            self.write(message(GLOBAL, self.alice))
            return [before, self.one(connection, _COUNT)]

        last = "SELECT max(pos) FROM log"
        position = self.one(self.connection, last)
        self.assertEqual(read(self.connection, ask), ([1, 1], position))
        self.assertEqual(read(self.connection, self.one, _COUNT), (2, self.one(self.connection, last)))

    def test_writes_nothing(self) -> None:
        """A read cannot write, and a failed one leaves no transaction open."""
        for sql in "DELETE FROM messages", "SELECT nothing":
            self.assertRaises(psycopg.Error, read, self.connection, self.one, sql)
            self.assertEqual(self.connection.info.transaction_status, psycopg.pq.TransactionStatus.IDLE)
        self.assertEqual(read(self.connection, self.one, _COUNT)[0], 0)

    def test_fails_at_its_beginning(self) -> None:
        """A read whose first statement fails leaves no transaction open either."""
        self.patch(query_module, "_BEGIN", "BEGIN; SELECT 1 / 0")
        self.assertRaises(psycopg.Error, read, self.connection, self.one, _COUNT)
        self.assertEqual(self.connection.info.transaction_status, psycopg.pq.TransactionStatus.IDLE)

    def test_interrupt(self) -> None:
        """A running query ends soon after its interrupt, and the connection can be used by others."""
        began, ended = threading.Event(), threading.Event()

        def ask(connection: Any) -> None:
            began.set()
            connection.execute("SELECT pg_sleep(60)")

        def interrupt() -> None:
            """Interrupt again and again, as the pool does: the first one may come before the query is at the server."""
            began.wait(30)
            while not ended.wait(0.1):
                query.interrupt()

        query = Query(lambda: self.connection, ask, ())
        interrupting = threading.Thread(target=interrupt)
        interrupting.start()
        self.assertRaises(QueryCanceled, query)
        ended.set()
        interrupting.join()
        self.assertEqual(Query(lambda: self.connection, self.one, (_COUNT,))()[0], 0)

    def test_interrupt_before(self) -> None:
        """A query that was interrupted before it began asks nothing."""
        query = Query(lambda: self.connection, self.fail, ())
        query.interrupt()
        self.assertRaises(Refusal, query)

    def test_interrupt_afterwards(self) -> None:
        """The interrupt of a query that is over, or that failed, does not reach the connection."""
        cancelled: list[object] = []
        self.connection.cancel_safe = lambda **how: cancelled.append(how)  # type: ignore[method-assign]
        for sql in _COUNT, "SELECT nothing":
            query = Query(lambda: self.connection, self.one, (sql,))
            with contextlib.suppress(psycopg.Error):
                query()
            query._cancel()
        self.assertEqual(cancelled, [])

    def test_interrupt_of_another(self) -> None:
        """A query that meets the late interrupt of the one before it runs again, once."""
        calls: list[int] = []

        def ask(connection: Any) -> str:
            calls.append(1)
            if len(calls) < 2:
                connection.execute("SET LOCAL statement_timeout = 1; SELECT pg_sleep(60)")
            return "done"

        self.assertEqual(Query(lambda: self.connection, ask, ())()[0], "done")
        self.assertEqual(len(calls), 2)

    def test_broken_meanwhile(self) -> None:
        """A connection that broke while it was not used is opened again, without an error."""
        self.assertEqual(self.page(self.alice, GLOBAL).messages, [])
        kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database()"
        self.one(self.connection, f"{kill} AND pid <> pg_backend_pid()")
        self.assertEqual(self.page(self.alice, GLOBAL).messages, [])
        self.assertEqual(self.found(self.alice, "word"), ([], False))
