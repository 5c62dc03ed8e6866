"""The store of a node: its threads, its listener, and what waits for its position."""

import itertools
from collections.abc import Callable
from typing import Any
from unittest import mock

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.trial.unittest import SynchronousTestCase, TestCase

from irchat.interfaces.entry_codec import VERSION
from irchat.interfaces.store import PageQuery, SearchQuery
from irchat.interfaces.stored import GLOBAL
from irchat.interfaces.writes import GroupCreated, GroupRemoved, TokenAdded
from irchat.protocol.errors import Refusal
from irchat.store.postgres import engine
from irchat.store.postgres.connecting import Database, StoreUnusable
from irchat.store.postgres.engine import PostgresStore
from irchat.store.postgres.log.node_rows import Look, NodeIdentity
from irchat.store.postgres.log.positions import Head
from irchat.store.threads import StoreThreads
from tests.helpers.postgres_nodes import NodesCase
from tests.helpers.services import PostgresServer, free_port
from tests.helpers.stores import NOW, message


class ReadingTests(NodesCase):
    """Reads of two nodes."""

    def test_waits_for_position(self) -> None:
        """A read is answered when the node has applied all that it has read."""
        self.commit(self.a, message(GLOBAL, 1, "word"))
        page = self.b.page(PageQuery(1, GLOBAL, 9))
        search = self.b.search(SearchQuery(1, ("word",), None, (), 9))
        self.assertNoResult(page)
        self.follow(self.b)
        self.assertEqual([one.text for one in self.successResultOf(page).messages], ["word"])
        self.assertEqual(len(self.successResultOf(search)[0]), 1)

    def test_broken_connection(self) -> None:
        """A read is asked again on a new connection if the old one has broken."""
        self.successResultOf(self.a.password(1))
        self.sql(
            "SELECT pg_terminate_backend(pid, 9000) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid != pg_backend_pid()"
        )
        self.assertIsNone(self.successResultOf(self.a.password(1)))

    def test_epoch(self) -> None:
        """All nodes have one epoch, also after a restart."""
        self.assertEqual((self.a.epoch, len(self.a.epoch)), (self.b.epoch, 32))

    def test_old_tokens(self) -> None:
        """Tokens that were not used for long are forgotten at the start, except those with a label."""
        self.commit(self.a, TokenAdded(b"old", 1, 0), TokenAdded(b"new", 1, self.a.wall_ms()))
        self.commit(self.a, TokenAdded(b"bot", 1, 0, label="backups"))
        again = self.node(3)
        self.assertIsNone(self.successResultOf(again.token(b"old")))
        self.assertIsNotNone(self.successResultOf(again.token(b"new")))
        self.assertIsNotNone(self.successResultOf(again.token(b"bot")))

    def test_work_after_commits(self) -> None:
        """After a commit the work that is due is done: ended groups go, and full batches are indexed."""
        (team,) = self.successResultOf(self.a.commit([GroupCreated("team", "team", (1,), NOW)]))
        self.successResultOf(self.a.commit([message(team, 1), GroupRemoved(team)]))
        self.assertEqual(self.sql("SELECT count(*) FROM chats"), [(1,)])
        self.patch(engine, "INDEXED_TOGETHER", 1)
        self.patch(engine.cleaning, "INDEXED_TOGETHER", 1)
        self.successResultOf(self.a.commit([message(GLOBAL, 1)]))
        self.assertEqual(self.sql("SELECT count(*) FROM places WHERE chat = 1"), [(1,)])

    def test_unreachable(self) -> None:
        """A server that cannot be reached at the start gives one line with the next step."""
        error = self.assertRaises(StoreUnusable, self.node, 3, f"postgresql://irchat@127.0.0.1:{free_port()}/x")
        self.assertIn("URL of the store", str(error))
        self.assertNotIn("\n", str(error))


class CallbackTests(SynchronousTestCase):
    """What the listener says, in the reactor's thread, and the warning of what a failover can lose."""

    def test_news(self) -> None:
        """The reactor is notified once of any number of news, until it has read them."""
        store = mock.Mock(_news=False)
        self.assertEqual([PostgresStore._note_news(store) for _ in range(2)], [True, False])
        PostgresStore._say_news(store)
        store.log.on_news.assert_called_once_with()
        self.assertTrue(PostgresStore._note_news(store))

    def test_head(self) -> None:
        """The end of the log is known from each look."""
        store = mock.Mock(_closed=False, _looks=0, _epochs={"e"}, head=0)
        PostgresStore._looked(store, mock.Mock(epoch="e", head=mock.Mock(position=7)))
        self.assertEqual(store.head, 7)

    def test_back(self) -> None:
        """It is logged when PostgreSQL goes away, and when it is back."""
        self.patch(engine, "_log", log := mock.Mock())
        store = mock.Mock()
        for is_away in True, False:
            PostgresStore._is_away(store, is_away)
        self.assertEqual((log.error.call_count, log.info.call_args.args), (1, ("PostgreSQL is back",)))

    def test_warning(self) -> None:
        """It comes for several servers without a synchronous standby."""
        found: dict[tuple[bool, bool], bool] = {}
        for has_several_hosts, has_standby in itertools.product((False, True), repeat=2):
            self.patch(engine, "has_synchronous_standby", mock.Mock(return_value=has_standby))
            self.patch(engine, "_log", log := mock.Mock())
            store = mock.Mock(_database=mock.Mock(has_several_hosts=has_several_hosts))
            PostgresStore._warn_of_failover(store, mock.Mock())
            found[has_several_hosts, has_standby] = log.warn.called
        self.assertEqual([case for case, is_warned in found.items() if is_warned], [(True, False)])


class JoinedTests(TestCase):
    """Nodes with threads, which listen."""

    timeout = 300

    def setUp(self) -> None:
        """Start two nodes with a bus on a server of their own, which can be stopped."""
        self.server = PostgresServer()
        self.addCleanup(self.server.remove)
        self.server.start()
        self.url = self.server.new_database()
        self.patch(engine, "_WORK_LOOKS", 1)
        self.a, self.b = self.node("a"), self.node("b")

    def node(self, name: str) -> PostgresStore:
        """Start a node."""
        store = PostgresStore(Database(self.url), StoreThreads(reactor))  # type: ignore[arg-type]
        self.addCleanup(store.close)
        store.join(reactor, NodeIdentity(name, has_bus=True), lambda: 3, lambda: True)  # type: ignore[arg-type]
        return store

    async def until(self, holds: Callable[[], Any]) -> None:
        """Wait until something holds."""
        while not holds():
            await deferLater(reactor, 0.01)  # type: ignore[arg-type]

    async def commit(self, store: PostgresStore) -> int:
        """Commit a message in a turn."""
        for batch in await store.log.begin():
            store.log.note_applied(batch.position)
        committed = await store.log.commit([message(GLOBAL, 1)])
        store.log.note_applied(committed.position)
        return committed.position

    async def test_news(self) -> None:
        """A node hears of a commit of another one, and has it then."""
        heard: Deferred[None] = Deferred()
        await self.b.log.read()
        self.b.log.on_news = lambda: None if heard.called else heard.callback(None)
        position = await self.commit(self.a)
        await heard
        self.assertEqual([batch.position for batch in await self.b.log.read()], [position])

    async def test_rows(self) -> None:
        """The nodes are listed, with their state, and each knows whether the bus works for another."""
        await self.commit(self.a)
        await self.until(lambda: self.a.others_hear_bus and self.b.others_hear_bus)
        rows: list[Any] = []
        while not rows or rows[0].lag or rows[0].sessions != 3:
            listing = self.a.nodes()
            for batch in await self.a.log.read():
                self.a.log.note_applied(batch.position)
            rows = await listing
        self.assertEqual([row.name for row in rows], ["a", "b"])

    async def test_time(self) -> None:
        """A node follows the clock of the database, also while nobody writes."""
        await self.commit(self.a)
        later = self.a.wall_ms() + 50_000
        self.a._looked(Look(Head(0, None), later, False, self.a.epoch, VERSION))
        self.assertGreaterEqual(self.a.wall_ms(), later)

    async def test_work_now_and_then(self) -> None:
        """The work between commits is done at every tenth look at the database, not at each."""
        await self.commit(self.a)
        self.patch(engine, "_WORK_LOOKS", 10)
        worked: list[int] = []
        self.patch(self.a, "work", lambda: worked.append(1))
        looks = self.a._looks
        while self.a._looks < looks + 20:
            self.a._looked(Look(Head(0, None), self.a.wall_ms(), False, self.a.epoch, VERSION))
        self.assertEqual(len(worked), 2)

    async def test_must_stop(self) -> None:
        """A node learns in the reactor that it must stop, and why."""
        reasons: list[str] = []
        self.a.log.on_stop = reasons.append
        assert self.a._listener is not None
        self.a._listener.on_stop("the name has another node")
        self.assertEqual(reasons, [])
        await self.until(lambda: reasons)
        self.assertEqual(reasons, ["the name has another node"])

    async def test_away(self) -> None:
        """While the server is away nothing is stored, and it is said; when it is back, all goes on.

        Meanwhile, nothing is known of the bus of the other nodes: it may be away for all.
        """
        await self.commit(self.a)
        await self.until(lambda: self.a.others_hear_bus)
        said: list[str] = []
        self.a.on_away = lambda: said.append("away")
        self.a.on_back = lambda: said.append("back")
        self.server.stop()
        await self.until(lambda: said)
        self.assertEqual((self.a.is_away, self.a.others_hear_bus), (True, False))
        for asking in self.a.log.begin(), self.a.log.read(), self.a.log.caught_up(), self.a.password(1):
            await self.assertFailure(asking, Refusal)
        self.server.start()
        await self.until(lambda: len(said) == 2)
        self.assertEqual((said, self.a.is_away), (["away", "back"], False))
        position = await self.commit(self.a)
        batches = await self.b.log.read()
        self.assertEqual(batches[-1].position, position)

    async def test_commit_while_away(self) -> None:
        """A commit in a turn that broke with the server is no commit, and differs from a refusal."""
        await self.a.log.begin()
        self.server.stop()
        failure = await self.a.log.commit([message(GLOBAL, 1)]).addErrback(lambda failure: failure.type.__name__)
        self.assertEqual(failure, "TurnLost")
