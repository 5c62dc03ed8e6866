"""The log of several nodes: commits in turns, and what each node reads of those of the others."""

from typing import Any
from unittest import mock

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from irchat.interfaces.entry_codec import VERSION
from irchat.interfaces.log import LogBatch, TurnLost
from irchat.interfaces.stored import GLOBAL, Marker, Stored
from irchat.interfaces.writes import (
    BlockSet,
    Entry,
    GroupCreated,
    KeyRemoved,
    MarkerMoved,
    MessageAdded,
    NonceSought,
    SignInEnded,
    TokenAdded,
    UserCreated,
)
from irchat.protocol.errors import Refusal
from irchat.store.postgres.connecting import Database
from irchat.store.postgres.engine import PostgresStore
from irchat.store.postgres.log import node_log
from irchat.store.postgres.log.node_rows import Look
from irchat.store.postgres.log.positions import Head
from irchat.store.threads import StoreThreads
from tests.helpers.postgres_nodes import NodesCase
from tests.helpers.stores import NOW, message

_PAIR = (1, 2)


def _as_read(write: MessageAdded, stored: Stored) -> Entry:
    """A message as another node reads it."""
    return Entry(MessageAdded(write.chat, write.sender, write.text, stored.at, None, 0, stored.to), stored)


class FollowingTests(NodesCase):
    """The commits of another node, as a node reads them."""

    def test_followed(self) -> None:
        """A node reads what another committed, in order, once: messages with their mentions, and all other entries."""
        say = MessageAdded(GLOBAL, 1, "hi @bob", NOW, "n", 0, (2,))
        private = message(_PAIR, 2)
        first = self.commit(self.a, say, BlockSet(3, 1, True), private)
        second = self.commit(self.a, GroupCreated("team", "team", (1, 2), NOW))
        self.assertEqual(
            self.follow(self.b),
            [
                LogBatch(
                    first.position,
                    (
                        _as_read(say, first.results[0]),
                        Entry(BlockSet(3, 1, True)),
                        _as_read(private, first.results[2]),
                    ),
                ),
                LogBatch(second.position, (Entry(GroupCreated("team", "team", (1, 2), NOW), second.results[0]),)),
            ],
        )
        self.assertEqual(self.follow(self.b), [])
        self.assertEqual(self.follow(self.a), [])

    def test_turn_brings_the_rest(self) -> None:
        """A turn brings what others have committed since, so that a change is checked against it."""
        first = self.commit(self.a, message(GLOBAL, 1))
        batches = self.follow(self.b, self.b.log.begin())
        self.assertEqual([batch.position for batch in batches], [first.position])
        self.b.log.cancel()
        self.assertEqual(self.backends(), [])
        second = self.commit(self.b, message(GLOBAL, 2))
        self.assertEqual((second.results[0].seq, second.position), (2, first.position + 1))

    def test_turn_is_noted(self) -> None:
        """The turn is noted in the writer's thread, until the core knows of it; also if it could not be taken."""
        take, noted = self.a.log._take, []

        def taken(*where: Any) -> Any:
            try:
                return take(*where)
            finally:
                noted.append(self.a.log.has_turn)

        self.a.log._take = taken  # type: ignore[method-assign]
        self.follow(self.a, self.a.log.begin())
        self.a.log.cancel()
        with mock.patch.object(self.a.turns, "take", side_effect=ZeroDivisionError):
            self.failureResultOf(self.a.log.begin())
        self.assertEqual((noted, self.a.log.has_turn), ([True, False], False))

    def test_stops_at_an_own_commit(self) -> None:
        """Commits after an own one that is not applied yet are read only when it is."""
        before = self.commit(self.b, message(GLOBAL, 2))
        self.follow(self.a, self.a.log.begin())
        own = self.successResultOf(self.a.log.commit([message(GLOBAL, 1)]))
        after = self.commit(self.b, message(GLOBAL, 2))
        self.assertEqual(self.follow(self.a), [])
        self.assertTrue(before.position < own.position < after.position)
        self.a.log.note_applied(own.position)
        self.assertEqual([batch.position for batch in self.follow(self.a)], [after.position])

    def test_numbers_of_commits(self) -> None:
        """Each commit of a node has a number of its own, also after a fault: by it, its outcome is looked up."""
        self.commit(self.a, message(GLOBAL, 1))
        self.follow(self.a, self.a.log.begin())
        self.failureResultOf(self.a.log.commit([UserCreated("alice", "alice", None, NOW, None)]))
        self.commit(self.a, message(GLOBAL, 1))
        self.commit(self.b, message(GLOBAL, 1))
        numbers = [tuple(row) for row in self.sql("SELECT node, batch FROM log ORDER BY pos")]
        self.assertEqual(len(numbers), len(set(numbers)), numbers)

    def test_nothing_written(self) -> None:
        """A commit that changes nothing leaves no trace in the log."""
        head = self.commit(self.a, message(GLOBAL, 1, nonce="n")).position
        found = self.commit(self.a, NonceSought(1, "n", 0), MarkerMoved(1, GLOBAL, 1))
        self.assertEqual((found.position, found.results[1]), (head, Marker(1, 1, False)))
        self.assertEqual(self.sql("SELECT max(pos) FROM log"), [(head,)])
        self.assertEqual(self.backends(), [])  # the turn is over

    def test_not_announced(self) -> None:
        """A commit that cannot be announced is stored, and answered. The error is logged."""
        self.a.log.on_commit = lambda position, writes: 1 / 0  # type: ignore[assignment,return-value]
        committed = self.commit(self.a, message(GLOBAL, 1))
        self.assertEqual(committed.results, [Stored(GLOBAL, 1, NOW, repeated=False)])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(len(self.follow(self.b)), 1)

    def test_unlogged(self) -> None:
        """A token is committed, and other nodes learn only that there was a commit."""
        committed = self.commit(self.a, TokenAdded(b"t", 1, NOW))
        self.assertEqual(self.follow(self.b), [LogBatch(committed.position, ())])

    def test_markers_with_messages(self) -> None:
        """Markers that move together with messages are logged each, and those that stay are not."""
        committed = self.commit(
            self.a, message(GLOBAL, 1), MarkerMoved(2, GLOBAL, 9), MarkerMoved(2, GLOBAL, 1), message(GLOBAL, 2),
            MarkerMoved(3, _PAIR, 1), MarkerMoved(3, GLOBAL, 2),
        )  # fmt: skip
        moved = [committed.results[index] for index in (1, 2, 4, 5)]
        self.assertEqual(moved, [Marker(1, 1, True), Marker(1, 1, False), Marker(0, 0, False), Marker(2, 2, True)])
        ((_, entries),) = self.follow(self.b)
        self.assertEqual([entry.write.user for entry in entries if isinstance(entry.write, MarkerMoved)], [2, 3])

    def test_nonce_of_another_node(self) -> None:
        """A message that is repeated on another node is stored once, and answered with its first place."""
        first = self.commit(self.a, message(GLOBAL, 1, nonce="n\0\ud800"))
        again = self.commit(self.b, message(_PAIR, 1, nonce="n\0\ud800", at=NOW + 5))
        self.assertEqual(again.results, [first.results[0]._replace(repeated=True)])

    def test_earlier_run(self) -> None:
        """A commit of an earlier run of a node is one of another node."""
        self.node(1)
        late = self.commit(self.a, message(GLOBAL, 1))
        again = self.node(1)
        again.log.begin_at(0)
        self.assertEqual([batch.position for batch in self.follow(again)][-1], late.position)

    def test_caught_up(self) -> None:
        """It is waited for the head of the log as it was when it was asked."""
        asked: list[int] = []
        self.b.log.on_news = lambda: asked.append(1)
        self.successResultOf(self.b.log.caught_up())
        self.assertEqual(asked, [])
        self.commit(self.a, message(GLOBAL, 1))
        waiting = self.b.log.caught_up()
        self.assertNoResult(waiting)
        self.assertEqual(asked, [1])
        self.follow(self.b)
        self.successResultOf(waiting)

    def test_asked_twice(self) -> None:
        """Who asks while the end of the log is read waits for the next read, which sees what came meanwhile."""
        threads = self.b.log._threads
        head = self.successResultOf(threads.follow(self.b.log._follower.read, node_log._head))
        reads: list[Deferred[Any]] = []
        self.patch(threads, "follow", lambda *_: reads.append(Deferred()) or reads[-1])
        first, second = self.b.log.caught_up(), self.b.log.caught_up()
        self.assertEqual(len(reads), 1)
        reads[0].callback(head)
        self.successResultOf(first)
        self.assertNoResult(second)
        reads[1].callback(head)
        self.successResultOf(second)

    def test_cut_reads(self) -> None:
        """A long catch-up is read in parts, and the next part is announced when the first one is applied."""
        self.patch(self.b.log, "_read", lambda *args: self.b.log._reader.read(self.connect(), *args, 1))
        for _ in range(3):
            self.commit(self.a, message(GLOBAL, 1))
        asked: list[int] = []
        self.b.log.on_news = lambda: asked.append(1)
        parts = [(len(self.follow(self.b)), len(asked)) for _ in range(4)]
        self.assertEqual(parts, [(1, 1), (1, 2), (1, 3), (0, 3)])

    def test_pruned(self) -> None:
        """A node that is behind the oldest row loads everything again, once."""
        resets: list[int] = []
        self.b.log.on_reset = lambda: resets.append(1)
        for _ in range(2):
            self.commit(self.a, message(GLOBAL, 1))
        self.sql("DELETE FROM log WHERE pos < (SELECT max(pos) FROM log)")
        for _ in range(2):
            self.failureResultOf(self.b.log.read(), Refusal)
            self.failureResultOf(self.b.log.begin(), Refusal)
        self.assertEqual((resets, self.backends()), ([1], []))
        self.b.snapshot()
        self.assertEqual(self.follow(self.b), [])
        self.commit(self.a, message(GLOBAL, 1))
        self.assertEqual(len(self.follow(self.b)), 1)

    def test_database_went_back(self) -> None:
        """A node that has applied more than the database holds loads it again, under another epoch."""
        for continued in True, False:
            self.commit(self.a, message(GLOBAL, 1))
            self.follow(self.b)
            resets: list[int] = []
            epoch = self.b.epoch
            self.b.log.on_reset = lambda resets=resets: resets.append(1)
            position = self.b.log.position
            if continued:
                self.sql("UPDATE log SET batch = batch + 1 WHERE pos = %s", position)
            else:
                self.sql("DELETE FROM log WHERE pos = %s", position)
            self.failureResultOf(self.b.log.read(), Refusal)
            self.assertEqual(resets, [1])
            self.b.snapshot()
            self.assertNotEqual(self.b.epoch, epoch)
            self.a.snapshot()
            self.assertEqual(self.a.epoch, self.b.epoch)

    def test_database_went_back_and_on(self) -> None:
        """That another commit has our position is noticed before this node commits, reads, or looks again."""
        self.commit(self.a, message(GLOBAL, 1))
        position = self.commit(self.b, message(GLOBAL, 1)).position
        self.sql("UPDATE log SET batch = batch + 1 WHERE pos = %s", position)
        ((node, batch),) = self.sql("SELECT node, batch FROM log WHERE pos = %s", position)
        resets: list[int] = []
        news: list[int] = []
        self.b.log.on_reset, self.b.log.on_news = lambda: resets.append(1), lambda: news.append(1)
        self.b._looked(Look(Head(position, (node, batch)), NOW, False, self.b.epoch, VERSION))
        self.successResultOf(self.b.log.caught_up())
        self.assertEqual(news, [1, 1])
        self.failureResultOf(self.b.log.begin(), Refusal)
        self.assertEqual((resets, self.backends()), ([1], []))

    def test_another_node_noticed(self) -> None:
        """A new epoch of the database makes each node load everything again, once."""
        resets: list[int] = []
        self.b.log.on_reset = lambda: (resets.append(1), self.b.snapshot())  # type: ignore[assignment,return-value]
        old = self.b.epoch
        self.sql("UPDATE properties SET value = 'new' WHERE name = 'epoch'")
        head = Head(self.b.log.position, self.b.log.origin)
        for epoch in old, "new", old, "new":
            self.b._looked(Look(head, NOW, False, epoch, VERSION))
        self.assertEqual((resets, self.b.epoch), ([1], "new"))

    def test_older_node(self) -> None:
        """While an older node runs, what it cannot read is refused, and all else is not."""
        self.b._looked(Look(Head(0, None), NOW, False, self.b.epoch, 2))
        self.commit(self.b, message(GLOBAL, 1), BlockSet(1, 2, True), SignInEnded(1, b"", "id", "bye"))
        position = self.b.log.position
        self.follow(self.b, self.b.log.begin())
        refused = self.failureResultOf(self.b.log.commit([KeyRemoved(1, "SHA256:x", "id", "bye")]), Refusal)
        self.assertIn("upgraded", str(refused.value))
        self.assertEqual((self.sql("SELECT max(pos) FROM log"), self.backends()), ([(position,)], []))
        self.b._looked(Look(Head(0, None), NOW, False, self.b.epoch, VERSION))
        self.commit(self.b, KeyRemoved(1, "SHA256:x", "id", "bye"))

    def test_reset_that_fails(self) -> None:
        """If the data cannot be loaded again, the next reason to do so tries it again."""
        resets: list[int] = []

        def reset() -> None:
            resets.append(1)
            raise ZeroDivisionError

        self.b.log.on_reset = reset
        for _ in range(2):
            self.b.log.reset()
        self.assertEqual(len(resets), 2)
        self.b.log.on_reset = lambda: resets.append(1)
        for _ in range(2):
            self.b.log.reset()
        self.assertEqual(len(resets), 3)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)

    def test_newer_entry(self) -> None:
        """An entry of a newer version stops the node with the next step."""
        reasons: list[str] = []
        self.b.log.on_stop = reasons.append
        self.commit(self.a, BlockSet(1, 2, True))
        self.sql("UPDATE changes SET what = '\\xff' WHERE id = (SELECT max(id) FROM changes)")
        self.failureResultOf(self.b.log.read(), Refusal)
        self.assertIn("upgrade this node", reasons[0])


class TwoWritersTests(TestCase):
    """Two nodes with threads that write at the same time."""

    def setUp(self) -> None:
        """Make the database."""
        self.nodes = NodesCase("run")
        self.nodes.setUp()
        self.addCleanup(self.nodes.doCleanups)

    async def write(self, store: PostgresStore, name: str, count: int) -> list[Any]:
        """Send messages one by one, as a core would: in turns, with all others' applied first."""
        seqs = []
        while len(seqs) < count:
            for batch in await store.log.begin():
                store.log.note_applied(batch.position)
            writes = [message(GLOBAL, 1, f"{name} {len(seqs) + index}") for index in range(10)]
            try:
                committed = await store.log.commit(writes)
            except TurnLost:
                continue
            store.log.note_applied(committed.position)
            seqs += [stored.seq for stored in committed.results]
        return seqs

    async def test_in_turn(self) -> None:
        """Each message of two writers is stored once, at the place that was answered, without a gap."""
        stores = []
        for number in 7, 8:
            store = PostgresStore(Database(self.nodes.url), StoreThreads(reactor))  # type: ignore[arg-type]
            store.log.join(number, self.nodes.connect())
            self.addCleanup(store.close)
            stores.append(store)
        writing = [Deferred.fromCoroutine(self.write(store, f"w{index}", 500)) for index, store in enumerate(stores)]
        placed = {}
        for index, seqs in enumerate([await one for one in writing]):
            placed.update({seq: f"w{index} {number}" for number, seq in enumerate(seqs)})
        rows = self.nodes.sql("SELECT seq, text FROM messages WHERE chat = 1 ORDER BY seq")
        self.assertEqual([seq for seq, _ in rows], list(range(1, 1_001)))
        self.assertEqual(dict(rows), placed)
        ids = [number for (number,) in self.nodes.sql("SELECT id FROM messages ORDER BY seq")]
        self.assertEqual(ids, sorted(ids))
