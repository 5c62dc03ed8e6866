"""The work between the commits."""

import time

from irchat.interfaces.stored import GLOBAL
from irchat.interfaces.writes import GroupCreated, GroupRemoved, MarkSet, MessageAdded, MessageDeleted, SessionsEnded
from irchat.store.postgres import cleaning
from irchat.store.postgres.cleaning import prune, sweep, work
from tests.helpers.postgres_nodes import NodesCase
from tests.helpers.stores import NOW, message


class CleaningTests(NodesCase):
    """Work on the database of two nodes."""

    def setUp(self) -> None:
        """Let the nodes do none of it themselves."""
        super().setUp()
        for store in self.a, self.b:
            self.patch(store, "work", lambda: None)
        self.connection = self.connect()

    def ended_group(self, count: int) -> int:
        """End a group with so many messages."""
        (team,) = self.commit(self.a, GroupCreated("team", "team", (1, 2), NOW)).results
        assert isinstance(team, int)
        said = [MessageAdded(team, 1, f"vanishing {number}", NOW, None, 0, (2,)) for number in range(count)]
        self.commit(self.a, *said, MessageDeleted(team, 1, 1, NOW))
        self.commit(self.a, MarkSet(team, 2, 1, "ok", "ok", True, NOW), GroupRemoved(team))
        return team

    def rows(self, team: int) -> int:
        """Count what is left of a group."""
        tables = ("messages", "marks", "mentions", "amended", "places")
        counts = [self.sql(f"SELECT count(*) FROM {table} WHERE chat = %s", team)[0][0] for table in tables]
        return sum(counts) + len(self.sql("SELECT 1 FROM chats WHERE id = %s", team))

    def test_swept(self) -> None:
        """An ended group goes a part at a time, with all about it, and nothing else does."""
        self.patch(cleaning, "_SWEPT_TOGETHER", 5)
        self.commit(self.a, message(GLOBAL, 1))
        first, second = self.ended_group(7), self.ended_group(2)
        left = self.rows(first)
        steps = 0
        while sweep(self.connection):
            steps += 1
            self.assertTrue(self.rows(first) < left or not left)
            left = self.rows(first)
        self.assertEqual((self.rows(first), self.rows(second)), (0, 0))
        self.assertTrue(steps > 6)
        self.assertEqual(self.sql("SELECT count(*) FROM messages"), [(1,)])

    def test_one_at_a_time(self) -> None:
        """While another node does the work, this one leaves it."""
        team = self.ended_group(1)
        with self.connect() as other, other.transaction():
            other.execute("SELECT pg_advisory_xact_lock(7668, 6)")
            self.assertFalse(sweep(self.connection) or prune(self.connection))
        self.assertTrue(self.rows(team))

    def test_work(self) -> None:
        """Work that is due: a full batch for the index, and ended groups."""
        self.patch(cleaning, "INDEXED_TOGETHER", 3)
        self.commit(self.a, message(GLOBAL, 1), message(GLOBAL, 1))
        self.assertFalse(work(self.connection))
        self.commit(self.a, message(GLOBAL, 1))
        self.assertTrue(work(self.connection))
        self.assertEqual(self.sql("SELECT count(*) FROM places"), [(3,)])
        self.ended_group(1)
        while work(self.connection):
            pass
        self.assertEqual(self.sql("SELECT count(*) FROM chats"), [(1,)])

    def test_log_pruned(self) -> None:
        """Rows older than ten minutes leave the log, with their changes, but never the last one."""
        for _ in range(4):
            self.commit(self.a, SessionsEnded(1, "bye"))
        self.assertFalse(prune(self.connection))
        head = self.a.log.position
        self.sql("UPDATE log SET at = at - 601000 WHERE pos < %s", head - 1)
        self.assertFalse(prune(self.connection))
        self.assertEqual(self.sql("SELECT pos FROM log ORDER BY pos"), [(head - 1,), (head,)])
        self.assertEqual(self.sql("SELECT id FROM changes ORDER BY id"), [(head - 1,), (head,)])
        self.sql("UPDATE log SET at = 0")
        prune(self.connection)
        self.assertEqual(self.sql("SELECT pos FROM log"), [(head,)])
        self.commit(self.a, SessionsEnded(1, "bye"))

    def test_nonces_pruned(self) -> None:
        """Old nonces go. After a full batch there may be more of them."""
        self.patch(cleaning, "_ROWS_TOGETHER", 3)
        now = int(time.time() * 1000)
        old = now - 901_000
        self.commit(self.a, *(message(GLOBAL, 1, nonce=str(at), at=at) for at in (old, now, old - 1, old - 2)))
        self.assertEqual([prune(self.connection) for _ in range(2)], [True, False])
        self.assertEqual(self.sql("SELECT at FROM nonces"), [(now,)])
