"""The checks of a server, on real databases and on one that a test pretends."""

from typing import Any

import psycopg

from irchat.store.postgres import server_checks
from irchat.store.postgres.connecting import Connection, Database, StoreUnusable
from irchat.store.postgres.server_checks import check_durable, check_server, has_synchronous_standby
from tests.helpers.postgres_nodes import DatabaseCase


class _Pooled:
    """A connection whose statements another session runs, as behind a pooler."""

    def __init__(self, connection: Connection, pid: int = 1) -> None:
        self._connection = connection
        self.info = self
        self.backend_pid = pid

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class _Beside:
    """A connection beside another one whose session makes the same checks at the same time."""

    def __init__(self, connection: Connection, other: Connection) -> None:
        self._connection = connection
        self._other = other

    def execute(self, statement: str, *values: Any) -> Any:
        """Execute a statement. Before a notification, the other session sends its own."""
        if statement.startswith("NOTIFY"):
            self._other.execute(statement)
        return self._connection.execute(statement, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class _Failing:
    """A connection on which one kind of statement fails, as behind a pooler without it."""

    def __init__(self, connection: Connection, failing: str) -> None:
        self._connection = connection
        self._failing = failing

    def execute(self, statement: str, *values: Any) -> Any:
        """Execute a statement, unless it is of that kind."""
        if statement.startswith(self._failing):
            raise psycopg.errors.InvalidSqlStatementName("no such statement")
        return self._connection.execute(statement, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class StartupChecksTests(DatabaseCase):
    """Servers that do not serve."""

    def refused(self, text: str, connection: Any = None) -> None:
        """Check that the database is refused in one line."""
        error = self.assertRaises(StoreUnusable, check_server, connection or self.connect())
        self.assertIn(text, str(error))
        self.assertNotIn("\n", str(error))

    def test_good(self) -> None:
        """The server of the tests serves."""
        check_server(self.connect())

    def test_two_at_once(self) -> None:
        """The checks of two nodes that start at the same time do not disturb each other."""
        connection: Any = _Beside(self.connect(), self.connect())
        check_server(connection)

    def test_encoding(self) -> None:
        """A database that is not in UTF-8 is refused."""
        self.server.drop_database(self.url)
        name = self.url.rpartition("/")[2]
        self.server.run(f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
        self.refused("UTF8")

    def test_synchronous_commit(self) -> None:
        """Commits that do not wait for the disk or the standbys are refused, and a stricter setting is not."""
        name = self.url.rpartition("/")[2]
        for value in "off", "local", "remote_write":
            self.server.run(f"ALTER DATABASE {name} SET synchronous_commit = {value}")
            self.refused("synchronous_commit")
        self.server.run(f"ALTER DATABASE {name} SET synchronous_commit = remote_apply")
        check_server(self.connect())

    def test_fsync(self) -> None:
        """A server that does not write to the disk is refused, and one that hides which sessions hang."""
        for name in "fsync", "full_page_writes", "track_activities":
            self.patch(
                server_checks,
                "_settings",
                lambda at, *asked, name=name: ["off" if one == name else "on" for one in asked],
            )
            error = self.assertRaises(StoreUnusable, check_durable, self.connect())
            self.assertIn(name, str(error))

    def test_synchronous_standby(self) -> None:
        """It is known whether commits wait for a standby."""
        self.assertFalse(has_synchronous_standby(self.connect()))
        self.patch(server_checks, "_SETTINGS", "SELECT 'FIRST 1 (b)' FROM unnest(%s::text[])")
        self.assertTrue(has_synchronous_standby(self.connect()))

    def test_pooler(self) -> None:
        """A pooler in between is noticed: by another process, and by a notification that does not arrive."""
        connection = self.connect()
        self.refused("pooler", _Pooled(connection))
        silent = _Pooled(connection, connection.info.backend_pid)
        silent.add_notify_handler = silent.remove_notify_handler = lambda handler: None  # type: ignore[attr-defined]
        self.refused("pooler", silent)
        connection.execute("PREPARE irchat_probe AS SELECT 1")
        self.refused("pooler", connection)

    def test_pooler_without_statements(self) -> None:
        """A pooler that refuses prepared statements or notifications is noticed."""
        for failing in "PREPARE", "EXECUTE", "DEALLOCATE", "LISTEN", "NOTIFY", "UNLISTEN":
            self.refused("pooler", _Failing(self.connect(), failing))

    def test_nothing_is_left(self) -> None:
        """The checks leave no statement, no channel and no handler in the session."""
        connection = self.connect()
        handlers: list[object] = []
        for name, note in (("add_notify_handler", handlers.append), ("remove_notify_handler", handlers.remove)):
            real = getattr(connection, name)
            self.patch(connection, name, lambda handler, real=real, note=note: (note(handler), real(handler)))
        check_server(connection)
        self.assertEqual(handlers, [])
        for sql in "SELECT name FROM pg_prepared_statements WHERE from_sql", "SELECT pg_listening_channels()":
            self.assertEqual(connection.execute(sql).fetchall(), [])

    def test_standby(self) -> None:
        """A database that cannot be written is not connected to."""
        name = self.url.rpartition("/")[2]
        self.server.run(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        self.assertRaises(psycopg.OperationalError, Database(self.url).connect)
