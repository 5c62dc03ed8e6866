"""The search index at the start of a node, and after an upgrade of Python."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.stored import GLOBAL
from irchat.store.postgres.connecting import Database
from irchat.store.postgres.search import indexing, refolding
from irchat.store.postgres.search.indexing import index_all, waiting
from irchat.store.postgres.search.refolding import make_ready
from irchat.text.folding import FOLDING
from tests.helpers.stores import PostgresHands, message


class RefoldingTests(PostgresHands, SynchronousTestCase):
    """A store with ten messages, whose words are indexed by its searches."""

    def setUp(self) -> None:
        """Write them."""
        self.patch(indexing, "INDEXED_TOGETHER", 4)
        super().setUp()
        self.write(*(message(GLOBAL, self.alice, f"word {number}") for number in range(10)))
        self.connection = Database(self.url).connect()
        self.addCleanup(self.connection.close)
        self.told: list[str] = []

    def one(self, sql: str) -> Any:
        """Return the first value of a statement."""
        return (self.connection.execute(sql).fetchone() or (None,))[0]

    def test_waiting(self) -> None:
        """All waiting messages are indexed, with progress. A second start has nothing to do."""
        make_ready(self.connection, self.told.append)
        indexed, last = waiting(self.connection)
        self.assertEqual((indexed, len(self.told)), (last, 3))
        self.assertEqual(self.told[-1], f"making the search index: {last:,} of {last:,}")
        make_ready(self.connection, self.told.append)
        self.assertEqual(len(self.told), 3)
        self.assertEqual(self.one("SELECT value FROM properties WHERE name = 'folding'"), FOLDING)

    def test_start_of_a_node(self) -> None:
        """A node does this before it joins the others."""
        index_all(self.connection)
        self.connection.execute("UPDATE properties SET value = '0 1.0.0' WHERE name = 'folding'")
        self.connection.execute("UPDATE places SET words = ''")
        self.reopen()
        self.assertEqual(self.one("SELECT count(*) FROM places WHERE words <> ''"), 10)
        self.assertEqual(self.one("SELECT value FROM properties WHERE name = 'folding'"), FOLDING)

    def test_newer_folding(self) -> None:
        """An index with an older folding is built again. One with a newer folding, of another node, stays."""
        index_all(self.connection)
        for other, count in (("9 99.0.0", 0), ("3 1.0.0", 10)):
            self.connection.execute("UPDATE properties SET value = %s WHERE name = 'folding'", (other,))
            self.connection.execute("UPDATE places SET words = ''")
            make_ready(self.connection, self.told.append)
            self.assertEqual(self.one("SELECT count(*) FROM places WHERE words <> ''"), count)
        self.assertEqual(len(self.found_texts(self.bob, "word")), 10)

    def test_versions(self) -> None:
        """Versions are compared as numbers."""
        self.assertLess(refolding._version("3 9.0.0"), refolding._version("3 15.0.0"))
        self.assertLess(refolding._version("3 15.1.0"), refolding._version("4 1.0"))
