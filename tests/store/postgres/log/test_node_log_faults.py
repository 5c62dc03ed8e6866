"""The log of several nodes when a commit breaks: sessions that end, lost answers, nodes that hang, collisions."""

import contextlib
import threading
import time

from psycopg.errors import QueryCanceled

from irchat.interfaces.log import TurnLost
from irchat.interfaces.stored import GLOBAL
from irchat.interfaces.writes import BlockSet, GroupCreated
from irchat.protocol.errors import Refusal
from irchat.store.postgres.engine import PostgresStore
from irchat.store.postgres.log import node_log
from tests.helpers.postgres_nodes import NodesCase
from tests.helpers.stores import NOW, message
from tests.helpers.tcp_proxy import TcpProxy


class FaultTests(NodesCase):
    """Everything that can break in a commit."""

    def terminate(self, store: PostgresStore) -> None:
        """End the session of a node's writer."""
        self.sql("SELECT pg_terminate_backend(%s::int)", store._writer.pid)

    def texts(self) -> list[str]:
        """The stored texts, in order, without gaps in their numbers."""
        rows = self.sql("SELECT seq, text FROM messages WHERE chat = 1 ORDER BY seq")
        self.assertEqual([seq for seq, _ in rows], list(range(1, len(rows) + 1)))
        return [text for _, text in rows]

    def test_ended_before_the_turn(self) -> None:
        """A session that ended between turns is opened again."""
        self.commit(self.a, message(GLOBAL, 1, "one"))
        self.terminate(self.a)
        self.commit(self.a, message(GLOBAL, 1, "two"))
        self.assertEqual(self.texts(), ["one", "two"])

    def test_ended_in_the_turn(self) -> None:
        """A session that ended in its turn has written nothing, of messages and of rare changes."""
        for writes in ([message(GLOBAL, 1)], [message(GLOBAL, 1), GroupCreated("x", "x", (1,), NOW)]):
            self.follow(self.a, self.a.log.begin())
            self.terminate(self.a)
            self.failureResultOf(self.a.log.commit(writes), TurnLost)
            self.assertEqual((self.texts(), self.backends()), ([], []))
        self.commit(self.a, message(GLOBAL, 1, "then"))
        self.assertEqual(self.texts(), ["then"])

    def test_ended_in_the_append(self) -> None:
        """A session that ends while it appends has written nothing, or all."""
        self.sql("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS"
                 " 'BEGIN PERFORM pg_sleep(10); RETURN NEW; END'")  # fmt: skip
        self.sql("CREATE TRIGGER slow BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION slow()")
        self.follow(self.a, self.a.log.begin())
        ending = threading.Timer(0.3, self.terminate, [self.a])
        ending.start()
        self.failureResultOf(self.a.log.commit([message(GLOBAL, 1)]), TurnLost)
        ending.join()
        self.sql("DROP TRIGGER slow ON messages")
        self.assertEqual(self.texts(), [])
        self.commit(self.a, message(GLOBAL, 1, "then"))
        self.assertEqual(self.texts(), ["then"])

    def test_answer_lost(self) -> None:
        """When the answer to a commit is lost, it is looked up: it was stored, once, and its results hold."""
        proxy = TcpProxy(self.server.port)
        self.addCleanup(proxy.close)
        store = self.node(3, self.url.replace(f":{self.server.port}/", f":{proxy.port}/"))
        for writes in ([message(GLOBAL, 1, "one")], [message(GLOBAL, 1, "two"), BlockSet(1, 2, True)]):
            self.follow(store, store.log.begin())
            proxy.cut_after = b"COMMIT"
            committed = self.successResultOf(store.log.commit(writes))
            store.log.note_applied(committed.position)
            self.assertEqual(self.sql("SELECT max(pos) FROM log"), [(committed.position,)])
        self.assertEqual((self.texts(), self.backends()), (["one", "two"], []))
        self.commit(self.a, message(GLOBAL, 1, "three"))
        self.assertEqual(self.texts()[-1], "three")

    def test_commit_lost(self) -> None:
        """When the connection breaks before the commit arrives, nothing is stored."""
        proxy = TcpProxy(self.server.port)
        self.addCleanup(proxy.close)
        store = self.node(3, self.url.replace(f":{self.server.port}/", f":{proxy.port}/"))
        self.follow(store, store.log.begin())
        proxy.cut()
        self.failureResultOf(store.log.commit([message(GLOBAL, 1)]), TurnLost)
        self.assertEqual(self.texts(), [])

    def test_holder_hangs(self) -> None:
        """A node that hangs in its turn loses it after about a second, and can write nothing then."""
        self.follow(self.a, self.a.log.begin())
        began = time.monotonic()
        committed = self.commit(self.b, message(GLOBAL, 2, "other"))
        took = time.monotonic() - began
        self.assertGreater(took, 0.9)
        self.failureResultOf(self.a.log.commit([message(GLOBAL, 1, "late")]), TurnLost)
        self.assertEqual(self.texts(), ["other"])
        self.assertEqual([batch.position for batch in self.follow(self.a)], [committed.position])

    def test_busy_holder(self) -> None:
        """A holder that is at work keeps its turn: who waits is refused after two seconds."""
        holder = self.connect()
        holder.execute("BEGIN")
        holder.execute("SELECT pg_advisory_xact_lock(7667)")

        def work() -> None:
            with contextlib.suppress(QueryCanceled):
                holder.execute("SELECT pg_sleep(600)")

        working = threading.Thread(target=work)
        working.start()
        began = time.monotonic()
        self.failureResultOf(self.a.log.begin(), Refusal)
        self.assertGreater(time.monotonic() - began, 1.9)
        self.assertTrue(working.is_alive())
        holder.cancel()
        working.join()
        holder.execute("ROLLBACK")

    def test_collision(self) -> None:
        """A number that is taken counts as a lost turn once, and as a fault if it is taken again."""
        self.commit(self.a, message(GLOBAL, 1))
        self.sql("UPDATE chats SET last_seq = 0 WHERE id = 1")
        for expected in TurnLost, Exception:
            self.follow(self.a, self.a.log.begin())
            failure = self.failureResultOf(self.a.log.commit([message(GLOBAL, 1)]))
            self.assertTrue(failure.check(expected))
        self.assertFalse(failure.check(TurnLost))

    def test_position_compared(self) -> None:
        """A commit behind another one is not appended, even with the lock."""
        for writes in ([message(GLOBAL, 1)], [BlockSet(1, 2, True)]):
            self.follow(self.a, self.a.log.begin())
            self.sql("INSERT INTO log SELECT max(pos) + 1, max(pos), 9, 9, 0 FROM log")
            self.failureResultOf(self.a.log.commit(writes), TurnLost)
            self.follow(self.a)
            self.assertEqual((self.texts(), self.backends()), ([], []))

    def test_error(self) -> None:
        """An error of one write undoes the commit, ends the turn, and is no lost turn."""
        self.follow(self.a, self.a.log.begin())
        failure = self.failureResultOf(self.a.log.commit([message(GLOBAL, 1), BlockSet(1, 99, True)]))
        self.assertFalse(failure.check(TurnLost, Refusal))
        self.assertEqual((self.texts(), self.backends()), ([], []))

    def test_too_far_behind(self) -> None:
        """A node that is far behind does not catch up in its turn, where all others would wait for it."""
        self.patch(node_log, "_BEHIND_MOST", 1)
        for _ in range(4):
            self.commit(self.a, message(GLOBAL, 1))
            self.commit(self.b, message(GLOBAL, 1))
        for _ in range(2):
            self.commit(self.a, message(GLOBAL, 1))
        self.failureResultOf(self.b.log.begin(), Refusal)
        self.assertEqual(self.backends(), [])
        self.follow(self.b)
        self.commit(self.b, message(GLOBAL, 1))
