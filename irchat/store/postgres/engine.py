"""The PostgreSQL store of one node: its connections and threads, and its part of the log that all nodes share."""

from collections.abc import Callable, Collection, Hashable, Sequence
from contextlib import closing
from typing import TypeVar, TypeVarTuple

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.logger import Logger

from irchat.interfaces import stored
from irchat.interfaces.nodes import NodeRow
from irchat.interfaces.store import PageQuery, SearchQuery
from irchat.interfaces.stored import Page, StoredMessage
from irchat.interfaces.writes import GroupRemoved, UserRemoved, Write
from irchat.protocol.rules import TOKEN_SECONDS
from irchat.store.postgres import cleaning
from irchat.store.postgres.connecting import Connection, Database, KeptConnection, KeptConnections, explained, refuse
from irchat.store.postgres.log.database_clock import DatabaseClock
from irchat.store.postgres.log.listening import Listener
from irchat.store.postgres.log.node_log import NodeLog
from irchat.store.postgres.log.node_rows import Look, NodeIdentity, Report, all_nodes
from irchat.store.postgres.log.positions import Origin
from irchat.store.postgres.log.turns import Turns
from irchat.store.postgres.migrations import migrate
from irchat.store.postgres.reads import reading
from irchat.store.postgres.reads.query import READER_SETTINGS, Query, read
from irchat.store.postgres.search.indexing import INDEXED_TOGETHER, index_all
from irchat.store.postgres.search.refolding import make_ready
from irchat.store.postgres.search.searching import PostgresSearch
from irchat.store.postgres.server_checks import check_durable, check_server, has_synchronous_standby
from irchat.store.threads import FollowingThreads
from irchat.system.clock import forward_seconds

Given = TypeVar("Given")
Args = TypeVarTuple("Args")

# Plans must not depend on statistics, which may be from a time when a table was small: rows are found by indexes, and
# tables are joined in the written order.
_WRITER_SETTINGS = (
    "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off;"
    " SET max_parallel_workers_per_gather = 0; SET join_collapse_limit = 1"
)
_FORGET_TOKENS = (
    "DELETE FROM tokens WHERE used_at < (extract(epoch FROM clock_timestamp()) * 1000)::bigint - %s AND label IS NULL"
)
_EPOCH = "SELECT value FROM properties WHERE name = 'epoch'"
_CHANGE_EPOCH = (
    "UPDATE properties SET value = md5(random()::text || clock_timestamp()::text) WHERE name = 'epoch' AND value = %s"
)
_ORIGIN = "SELECT node, batch FROM log ORDER BY pos DESC LIMIT 1"
# Looks (one a second) between two searches for work that another node may have left.
_WORK_LOOKS = 10
_NOW = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"

_log = Logger()


class PostgresStore:
    """A `irchat.interfaces.store.Store` in ``database``, whose schema is created if it is empty.

    ``wall_ms`` returns the time of the database; ``seconds`` never goes back. ``on_away`` and ``on_back`` are called
    when the database is lost and found again, and ``log.on_stop`` when the node must end. ``others_hear_bus``: whether
    the bus is known to work for another node. ``head``: the end of the log at the last look. ``tell`` receives the
    progress of making the search index. Raises `irchat.store.postgres.connecting.StoreUnusable`.
    """

    def __init__(
        self,
        database: Database,
        threads: FollowingThreads,
        seconds: Callable[[], float] = forward_seconds,
        tell: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._database = database
        self._epochs: set[str] = set()
        self._threads = threads
        self._clock = DatabaseClock(seconds)
        self.wall_ms = self._clock.wall_ms
        with explained(), closing(database.connect()) as connection:
            check_server(connection)
            migrate(connection)
            make_ready(connection, tell)
            connection.execute(_FORGET_TOKENS, (TOKEN_SECONDS * 1000,))
            self._look_at(connection)
        self._writer = KeptConnection(self._connect_writer)
        self._follower = KeptConnection(self._connect_writer)
        self._readers = KeptConnections(self._connect_reader)
        self.turns = Turns(self._writer)
        self.log = NodeLog(threads, self.turns, self._follower)
        self.log.on_time = self._clock.note
        self.log.on_commit = self._note_commit
        self._listener: Listener | None = None
        self._indexed = 0
        self._groups_ended = True
        self._working = self._closed = False
        self.head = 0
        self._looks = 0
        self._news = False
        self.is_away = False
        self.others_hear_bus = False
        self.on_away: Callable[[], None] = lambda: None
        self.on_back: Callable[[], None] = lambda: None
        self.snapshot()

    def join(
        self,
        reactor: IReactorFromThreads,
        node: NodeIdentity,
        sessions: Callable[[], int] = lambda: 0,
        hears_bus: Callable[[], bool] = lambda: False,
    ) -> None:
        """Enter ``node``, and follow the log from now on. Call `close` in the end.

        ``sessions`` and ``hears_bus`` are called in a thread. Raises
        `irchat.store.postgres.connecting.StoreUnusable`.
        """
        listener = Listener(
            self._connect_listener,
            node,
            lambda: Report(self.log.position, sessions(), hears_bus()),
            lambda: self._writer.pid,
        )
        call = reactor.callFromThread
        listener.on_commit = lambda: call(self._say_news) if self._note_news() else None
        listener.on_look = lambda look: call(self._looked, look)
        listener.on_away = lambda: call(self._is_away, True)
        listener.on_back = lambda: call(self._is_away, False)
        listener.on_stop = lambda why: call(self.log.on_stop, why)
        with explained():
            number, connection = listener.join()
            self._listener = listener
            self.log.join(number, connection)
        listener.start()

    def snapshot(self) -> stored.Snapshot:
        """See `irchat.interfaces.store.Store` for this and the following methods."""
        with closing(self._connect_reader()) as connection:
            if self.log.went_back:
                connection.execute(_CHANGE_EPOCH, (self.epoch,))
            self._look_at(connection)
            found, position = read(connection, _snapshot)
        snapshot, origin = found
        self.log.begin_at(position, origin)
        return snapshot

    def commit(self, writes: Sequence[Write[object]]) -> Deferred[list[object]]:
        """Commit in a turn of its own. For a process that does not follow the log; others use ``log``."""
        return self.log.commit_alone(writes)

    def page(self, query: PageQuery) -> Deferred[Page]:
        return self._read(query.user, reading.page, query)

    def place(self, user: int, chat: stored.ChatKey, at: int) -> Deferred[int]:
        return self._read(user, reading.place, user, chat, at)

    def chats(self, user: int, hidden: Collection[int]) -> Deferred[list[stored.StoredChat]]:
        return self._read(user, reading.chats, user, hidden)

    def search(self, query: SearchQuery) -> Deferred[tuple[list[StoredMessage], bool]]:
        return Deferred.fromCoroutine(self._search(PostgresSearch(query)))

    def alert(self, user: int, chat: stored.ChatKey) -> Deferred[str | None]:
        return self._read(user, reading.alert, user, chat)

    def password(self, user: int) -> Deferred[str | None]:
        return self._read(user, reading.password, user)

    def token(self, token: bytes) -> Deferred[stored.StoredToken | None]:
        return self._read(token, reading.token, token)

    def keys(self, user: int) -> Deferred[list[stored.StoredKey]]:
        return self._read(user, reading.keys, user)

    def sign_ins(self, user: int, limit: int) -> Deferred[list[stored.StoredSignIn]]:
        return self._read(user, reading.sign_ins, user, limit)

    def accounts(self, after: str, limit: int) -> Deferred[list[stored.StoredAccount]]:
        return self._read(None, reading.accounts, after, limit)

    def messages_of(self, user: int, after: tuple[int, int] | None, limit: int) -> Deferred[stored.Places]:
        return self._scan(None, reading.messages_of, user, after, limit)

    def marks_of(self, users: Collection[int], limit: int) -> Deferred[list[stored.PlacedMark]]:
        return self._read(None, reading.marks_of, users, limit)

    def figures(self) -> Deferred[stored.Figures]:
        return self._scan(None, reading.figures)

    def close(self) -> None:
        self._closed = True
        if self._listener is not None:
            self._listener.stop()
        self.turns.close()
        self._threads.stop()
        for kept in self._writer, self._follower, self._readers:
            kept.drop()

    def nodes(self) -> Deferred[list[NodeRow]]:
        """Return all nodes."""
        return self._scan(None, all_nodes)

    def _note_news(self) -> bool:
        """Note news, in the listener's thread. Return whether the reactor must be notified."""
        is_new, self._news = not self._news, True
        return is_new

    def _say_news(self) -> None:
        self._news = False
        self.log.on_news()

    def _looked(self, look: Look) -> None:
        if self._closed:
            return
        self._clock.note(look.now)
        self.others_hear_bus = look.others_hear_bus
        self.head = look.head.position
        self.log.known_version = look.known_version
        if look.epoch not in self._epochs:
            _log.error("the database went back to an older state; the data is loaded again")
            self.log.reset()
        elif not self.log.is_at(look.head):
            self.log.on_news()
        self._looks += 1
        if self._looks % _WORK_LOOKS == 0:
            self.work()
            pruning = Deferred.fromCoroutine(self._repeat("prune", cleaning.prune))
            pruning.addErrback(lambda failure: _log.error("the log is not pruned: {why}", why=failure.value))

    def _is_away(self, is_away: bool) -> None:
        self.is_away = is_away
        if is_away:
            self.others_hear_bus = False  # not known now: the bus may be away for all
            _log.error("PostgreSQL is away: nothing can be stored until it is back")
            self.on_away()
        else:
            _log.info("PostgreSQL is back")
            self.on_back()

    async def _search(self, search: PostgresSearch) -> tuple[list[StoredMessage], bool]:
        """Search in steps. Each step is a separate query, so that users take turns."""
        if search.needs_index:
            await self._threads.scan("index", self._maintain, index_all).addErrback(refuse)
        while not search.is_over:
            await self._scan(search.query.user, search.step)
        return search.found, search.more

    def _note_commit(self, position: int, writes: Sequence[Write[object]]) -> None:
        """Begin the work that a commit of this node makes due."""
        self._groups_ended |= any(isinstance(write, GroupRemoved | UserRemoved) for write in writes)
        if self._groups_ended or position - self._indexed >= INDEXED_TOGETHER:
            self.work()

    def work(self) -> None:
        """Index and clean between the commits, a little at a time."""
        if not self._working and not self._closed:
            self._working = True
            self._groups_ended = False
            self._indexed = self.log.position
            working = Deferred.fromCoroutine(self._work())
            working.addErrback(lambda failure: _log.error("work on the database failed: {why}", why=failure.value))

    async def _work(self) -> None:
        try:
            await self._repeat("work", cleaning.work)
        finally:
            self._working = False

    async def _repeat(self, key: str, work: Callable[[Connection], bool]) -> None:
        """Call ``work`` until it returns that nothing is left."""
        while not self._closed and await self._threads.scan(key, self._maintain, work):
            pass

    def _read(self, key: Hashable, ask: Callable[[Connection, *Args], Given], *args: *Args) -> Deferred[Given]:
        return self._when_applied(self._threads.read(key, Query(self._reader, ask, args)))

    def _scan(self, key: Hashable, ask: Callable[[Connection, *Args], Given], *args: *Args) -> Deferred[Given]:
        return self._when_applied(self._threads.scan(key, Query(self._reader, ask, args)))

    def _when_applied(self, reading: Deferred[tuple[Given, int]]) -> Deferred[Given]:
        """Return the result of a read after this node has applied the log up to its snapshot."""

        def wait(found: tuple[Given, int]) -> Given | Deferred[Given]:
            result, position = found
            if position <= self.log.position:
                return result
            return self.log.reached(position).addCallback(lambda _: result)

        applied: Deferred[Given] = reading.addCallback(wait)
        return applied.addErrback(refuse)

    def _maintain(self, work: Callable[[Connection], Given]) -> Given:
        return self._readers.mine().read(work)

    def _reader(self) -> Connection:
        """Return the connection of this thread."""
        return self._readers.mine().get()

    def _connect_reader(self) -> Connection:
        connection = self._database.connect()
        connection.execute(READER_SETTINGS)
        return connection

    def _connect_writer(self) -> Connection:
        return self._checked(check_durable, lambda connection: connection.execute(_WRITER_SETTINGS))

    def _connect_listener(self) -> Connection:
        return self._checked(check_server, self._warn_of_failover)

    def _checked(self, *checks: Callable[[Connection], object]) -> Connection:
        """Open a connection. Raises psycopg.Error, or StoreUnusable if a check fails."""
        connection = self._database.connect()
        try:
            for check in checks:
                check(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _warn_of_failover(self, connection: Connection) -> None:
        if self._database.has_several_hosts and not has_synchronous_standby(connection):
            _log.warn(
                "the store has several servers and synchronous_standby_names is empty:"
                " if another server takes over, acknowledged messages can be lost; see docs/cluster.rst"
            )

    def _look_at(self, connection: Connection) -> None:
        """Read the epoch and the time."""
        ((self.epoch,),) = connection.execute(_EPOCH).fetchall()
        self._epochs.add(self.epoch)
        ((now,),) = connection.execute(_NOW).fetchall()
        self._clock.note(now)


def _snapshot(connection: Connection) -> tuple[stored.Snapshot, Origin | None]:
    return reading.snapshot(connection), connection.execute(_ORIGIN).fetchone()
