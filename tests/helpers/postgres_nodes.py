"""Nodes of one PostgreSQL database, without a core: the test does what the core would do."""

from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.log import Committed, LogBatch
from irchat.interfaces.writes import UserCreated, Write
from irchat.store.postgres.connecting import Connection, Database
from irchat.store.postgres.engine import PostgresStore
from irchat.store.threads import NoThreads
from tests.helpers.services import PostgresServer, shared_postgres
from tests.helpers.stores import NOW


class DatabaseCase(SynchronousTestCase):
    """A test with a PostgreSQL database of its own."""

    server: PostgresServer

    def setUp(self) -> None:
        """Make the database."""
        self.server = shared_postgres()
        self.url = self.server.new_database()
        self.addCleanup(self.server.drop_database, self.url)

    def connect(self) -> Connection:
        """Open a connection, closed in the end."""
        connection = Database(self.url).connect()
        self.addCleanup(connection.close)
        return connection

    def sql(self, statement: str, *values: object) -> list[Any]:
        """Run a statement on a connection of its own. Return its rows."""
        connection = Database(self.url).connect()
        try:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description is not None else []
        finally:
            connection.close()


class NodesCase(DatabaseCase):
    """A test with two nodes, 1 and 2, that are at the head of a log with the users 1, 2 and 3."""

    def setUp(self) -> None:
        """Open them."""
        super().setUp()
        self.a = self.node(1)
        users = [UserCreated(name, name, None, NOW, None) for name in ("alice", "bob", "carol")]
        self.successResultOf(self.a.commit(users))
        self.b = self.node(2)

    def node(self, number: int, url: str | None = None) -> PostgresStore:
        """Open a node, closed in the end."""
        store = PostgresStore(Database(url or self.url), NoThreads())
        self.addCleanup(store.close)
        store.log.join(number, self.connect())
        return store

    def commit(self, store: PostgresStore, *writes: Write[object]) -> Committed:
        """Commit on a node in a turn, with all that the others have committed applied."""
        self.follow(store, store.log.begin())
        committed: Committed = self.successResultOf(store.log.commit(writes))
        store.log.note_applied(committed.position)
        return committed

    def follow(self, store: PostgresStore, reading: Deferred[Sequence[LogBatch]] | None = None) -> list[LogBatch]:
        """Apply what a node reads. Return it."""
        batches: Sequence[LogBatch] = self.successResultOf(store.log.read() if reading is None else reading)
        for batch in batches:
            store.log.note_applied(batch.position)
        return list(batches)

    def backends(self) -> list[int]:
        """Return the processes of the server that hold the turn."""
        return [pid for (pid,) in self.sql("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = 7667")]
