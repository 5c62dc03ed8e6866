"""Connections to PostgreSQL."""

import time
from unittest import mock

import psycopg
from twisted.python.failure import Failure

from irchat.protocol.errors import Refusal
from irchat.store.postgres import connecting
from irchat.store.postgres.connecting import (
    Connection,
    Database,
    KeptConnection,
    KeptConnections,
    StoreUnusable,
    explained,
    is_broken,
    one_line,
    refuse,
)
from tests.helpers.postgres_nodes import DatabaseCase
from tests.helpers.seldom_lines import seldom_lines
from tests.helpers.tcp_proxy import TcpProxy


class ConnectingTests(DatabaseCase):
    """Connections to a real server."""

    def test_wrong_url(self) -> None:
        """A URL that is none is refused in one line."""
        for url in "postgresql://[::1/", "no such setting":
            error = self.assertRaises(StoreUnusable, Database, url)
            self.assertIn("docs/cluster.rst", str(error))
            self.assertNotIn("\n", str(error))

    def test_old_version(self) -> None:
        """An old server is refused with the version that is needed, and its connection is closed."""
        made: list[connecting.Connection] = []
        connect = connecting.Connection.connect
        self.patch(connecting.Connection, "connect", lambda **how: made.append(connect(**how)) or made[-1])
        self.patch(connecting, "LEAST_VERSION", 999)
        self.assertIn("999 or newer", str(self.assertRaises(StoreUnusable, self.connect)))
        self.assertTrue(made[-1].closed)
        self.patch(connecting, "LEAST_VERSION", 1)
        self.patch(connecting, "LEAST_VERSION", self.connect().info.server_version // 10_000)
        self.connect()

    def test_settings(self) -> None:
        """The settings of the database that would end a slow commit do not hold here."""
        self.server.run(f"ALTER DATABASE {self.url.rpartition('/')[2]} SET statement_timeout = 50")
        connection = self.connect()
        connection.execute("SELECT pg_sleep(0.1)")
        self.assertEqual(connection.execute("SELECT %s", (1,)).description[0].type_code, 20)

    def test_no_answer(self) -> None:
        """A server that does not answer is given up after a time, and counts as broken."""
        proxy = TcpProxy(self.server.port)
        self.addCleanup(proxy.close)
        connection = Database(self.url.replace(f":{self.server.port}/", f":{proxy.port}/")).connect()
        connection.limit = 0.3
        proxy.swallows = True
        began = time.monotonic()
        error = self.assertRaises(psycopg.OperationalError, connection.execute, "SELECT 1")
        self.assertGreater(time.monotonic() - began, 0.2)
        self.assertTrue(connection.closed and is_broken(connection, error))

    def test_kept(self) -> None:
        """A connection is kept, and opened again after it broke; a read is asked again."""
        kept = KeptConnection(Database(self.url).connect)
        self.addCleanup(kept.drop)
        first = kept.get()
        self.assertIs(kept.get(), first)
        pid = kept.pid
        self.assertEqual(pid, first.info.backend_pid)
        self.sql("SELECT pg_terminate_backend(%s::int)", kept.pid)
        self.assertEqual(kept.read(lambda connection: connection.execute("SELECT 7").fetchone()), (7,))
        self.assertNotEqual(kept.pid, pid)
        asked = []

        def failing(connection: object) -> None:
            asked.append(connection)
            raise psycopg.errors.DiskFull

        self.assertRaises(psycopg.errors.DiskFull, kept.read, failing)
        self.assertEqual(len(asked), 1)
        kept.drop()
        self.assertEqual(kept.pid, 0)

    def test_last_words(self) -> None:
        """A session that the server ended is replaced also while its connection still looks open."""
        kept = KeptConnection(Database(self.url).connect)
        self.addCleanup(kept.drop)
        pids = []

        def ask(connection: Connection) -> int:
            pids.append(connection.info.backend_pid)
            if len(pids) == 1:
                raise psycopg.OperationalError("the connection is lost")
            return 7

        self.assertEqual(kept.read(ask), 7)
        self.assertEqual(len({*pids}), 2)

    def test_ended_while_idle(self) -> None:
        """A session that the server ended between two calls is replaced before it is used."""
        kept = KeptConnection(Database(self.url).connect)
        self.addCleanup(kept.drop)
        first = kept.get()
        self.sql("SELECT pg_terminate_backend(%s::int, 10000)", kept.pid)
        second = kept.get()
        self.assertEqual((second.execute("SELECT 7").fetchone(), first.closed), ((7,), True))
        self.assertEqual(kept.pid, second.info.backend_pid)

    def test_no_connection_at_first(self) -> None:
        """A read is asked again if the first connection could not be opened."""
        errors = [psycopg.OperationalError("refused")]

        def connect() -> Connection:
            if errors:
                raise errors.pop()
            return Database(self.url).connect()

        kept = KeptConnection(connect)
        self.addCleanup(kept.drop)
        self.assertEqual(kept.read(lambda connection: connection.execute("SELECT 7").fetchone()), (7,))
        self.assertEqual(errors, [])

    def test_broken(self) -> None:
        """A session is over if its connection is closed, or with an error of the connection, not of a statement."""
        connection = self.connect()
        statement, lost = psycopg.errors.DiskFull("full"), psycopg.OperationalError("lost")
        fatal = mock.Mock(spec=psycopg.errors.AdminShutdown, sqlstate="57P01")
        fatal.diag.severity_nonlocalized = "FATAL"
        errors = (statement, psycopg.ProgrammingError("wrong"), lost, fatal)
        self.assertEqual([is_broken(connection, error) for error in errors], [False, False, True, True])
        connection.close()
        self.assertTrue(is_broken(connection, statement))

    def test_explained(self) -> None:
        """At the start, an error of the server says what to check, and other errors stay as they are."""
        for error, expected in (
            (psycopg.OperationalError("refused"), StoreUnusable),
            (StoreUnusable("old"), StoreUnusable),
            (ValueError("wrong"), ValueError),
        ):
            with self.assertRaises(expected) as raised, explained():
                raise error
            self.assertEqual("check the URL" in str(raised.exception), isinstance(error, psycopg.Error))
        with explained():
            self.connect()

    def test_each_thread(self) -> None:
        """Each thread has a connection of its own, and all are closed together."""
        all_of_them = KeptConnections(Database(self.url).connect)
        mine = all_of_them.mine()
        self.assertIs(all_of_them.mine(), mine)
        connection = mine.get()
        all_of_them.drop()
        self.assertTrue(connection.closed)

    def test_refusals(self) -> None:
        """An error of the server is unavailable for now, without its text; an error of a statement is a fault.

        The reason is logged.
        """
        lines = seldom_lines(self, connecting)
        for error in psycopg.OperationalError("x"), StoreUnusable("x"), psycopg.InternalError("x"):
            self.assertRaises(Refusal, refuse, Failure(error))
        self.assertRaises(Refusal, refuse, Failure(MemoryError()))
        self.assertEqual(lines, ["the database cannot be used: x", "out of memory for the database"])
        fault = Failure(psycopg.ProgrammingError("x"))
        self.assertIs(refuse(fault), fault)
        self.assertEqual(len(self.flushLoggedErrors()), 0)

    def test_no_data_in_logs(self) -> None:
        """The log line of an error has no data of the statement."""
        self.sql("CREATE TABLE x (a text PRIMARY KEY); INSERT INTO x VALUES ('secret')")
        error = self.assertRaises(psycopg.IntegrityError, self.sql, "INSERT INTO x VALUES ('secret')")
        self.assertNotIn("secret", one_line(error))
        self.assertFalse(is_broken(self.connect(), error))
        self.assertEqual([one_line(OSError(*said)) for said in (["a\n b\nc"], [])], ["a b", "OSError"])

    def test_no_question(self) -> None:
        """The question that libpq adds is left out: what is logged or printed names the next step by itself."""
        error = psycopg.OperationalError(
            "refused\n\tIs the server running on that host and accepting TCP/IP connections?"
        )
        self.assertEqual(one_line(error), "refused")
