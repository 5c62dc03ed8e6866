"""Interrupted queries."""

import contextlib
import sqlite3
from collections.abc import Callable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from irchat.protocol.errors import Code, Refusal
from irchat.store.sqlite.journal import Gate
from irchat.store.sqlite.query import Query


class QueryTests(SynchronousTestCase):
    """A query that is interrupted."""

    def setUp(self) -> None:
        """Open a connection, as a thread has for all its queries."""
        self.connection = sqlite3.connect(self.mktemp(), isolation_level=None)
        self.addCleanup(self.connection.close)

    def query(self, ask: Callable[[sqlite3.Connection], Any]) -> Query:
        """Return a query on the connection."""
        return Query(lambda: self.connection, Gate(), ask, ())

    def numbers(self, meanwhile: Callable[[], None]) -> Callable[[sqlite3.Connection], int]:
        """Return a function that reads three rows and calls ``meanwhile`` after the first."""

        def ask(connection: sqlite3.Connection) -> int:
            rows = connection.execute("SELECT value FROM json_each('[1,2,3]')")
            rows.fetchone()
            meanwhile()
            return len(rows.fetchall())

        return ask

    def test_while_it_runs(self) -> None:
        """It ends with an error, and the connection serves the next query."""
        queries: list[Query] = []
        query = self.query(self.numbers(lambda: queries.pop().interrupt()))
        queries.append(query)
        self.assertRaises(sqlite3.OperationalError, query)
        self.assertEqual(self.query(self.numbers(lambda: None))(), 2)

    def test_while_two_statements_run(self) -> None:
        """The interrupted statement leaves another one open. The connection still serves the next query."""
        queries: list[Query] = []

        def ask(connection: sqlite3.Connection) -> None:
            rows = connection.execute("SELECT value FROM json_each('[1,2,3]')")
            rows.fetchone()
            queries.pop().interrupt()
            connection.execute("SELECT value FROM json_each('[1,2,3]')").fetchone()
            self.fail("the statement was not interrupted")

        query = self.query(ask)
        queries.append(query)
        error = self.assertRaises(sqlite3.OperationalError, query)
        self.assertEqual(str(error), "interrupted")
        self.assertEqual(self.query(self.numbers(lambda: None))(), 2)

    def test_before_it_runs(self) -> None:
        """Interrupted before it runs, it executes nothing."""
        query = self.query(self.numbers(lambda: self.fail("it was asked")))
        query.interrupt()
        self.assertEqual(self.assertRaises(Refusal, query).code, Code.UNAVAILABLE)

    def test_when_it_is_over(self) -> None:
        """A query of another user that the thread runs by then is not interrupted."""
        for ask in self.numbers(lambda: None), lambda connection: 1 / 0:
            over = self.query(ask)
            with contextlib.suppress(ZeroDivisionError):
                over()
            self.assertEqual(self.query(self.numbers(over.interrupt))(), 2)
