"""The SQLite store: one writer thread and a few reader threads. A commit is on disk before it is reported."""

import sqlite3
import threading
from collections.abc import Callable, Collection, Hashable, Sequence
from pathlib import Path
from typing import TypeVar, TypeVarTuple

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from irchat.interfaces import stored
from irchat.interfaces.log import SharedLog
from irchat.interfaces.store import PageQuery, SearchQuery
from irchat.interfaces.stored import Page, StoredMessage
from irchat.interfaces.writes import Write
from irchat.protocol.errors import Code, Refusal, unavailable
from irchat.protocol.rules import TOKEN_SECONDS
from irchat.store.sqlite import properties, reading
from irchat.store.sqlite.journal import Gate, Journal
from irchat.store.sqlite.migrations import Tell, migrate
from irchat.store.sqlite.query import Query
from irchat.store.sqlite.search.indexing import SearchIndex
from irchat.store.sqlite.search.rebuilding import make_ready
from irchat.store.sqlite.search.searching import StoreSearch
from irchat.store.sqlite.writing import Writer
from irchat.store.threads import Threads
from irchat.system.seldom import SeldomLog
from irchat.system.workers import short_of_resources

Given = TypeVar("Given")
Args = TypeVarTuple("Args")

_BUSY_SECONDS = 2.0

_log = Logger()
_seldom = SeldomLog(_log)


class SQLiteStore:
    """A `irchat.interfaces.store.Store`. The database file ``path`` is created if it does not exist.

    ``tell`` is called with the progress of an upgrade. Raises sqlite3.Error if the file cannot be opened or is damaged,
    and the errors of `irchat.store.sqlite.migrations.migrate`.
    """

    log: SharedLog | None = None

    def __init__(
        self, path: Path, threads: Threads, wall_ms: Callable[[], int], tell: Tell = lambda text: None
    ) -> None:
        self._path = path
        self._threads = threads
        self._readers: list[sqlite3.Connection] = []
        self._unused: list[sqlite3.Connection] = []
        self._mine = threading.local()
        self._gate = Gate()
        self._connection = self._connect()
        try:
            journal = Journal(self._connection, path, self._gate)
            self._connection.execute("PRAGMA synchronous = FULL")
            migrate(self._connection, path, tell)
            self._forget_old_tokens(wall_ms())
            self._index = SearchIndex(self._connection)
            make_ready(self._connection, self._index, tell)
            self.epoch: str = properties.get(self._connection, "epoch") or ""
        except BaseException:
            self._connection.close()
            raise
        self._writer = Writer(self._connection, self._index, journal)
        self._working = self._closed = False
        self._work_soon()

    def _forget_old_tokens(self, now: int) -> None:
        """Delete old tokens. Their age is limited by the newest use, in case the clock is far in the future.

        Tokens with a label do not expire.
        """
        self._connection.execute(
            "DELETE FROM tokens WHERE used_at < min(?, (SELECT max(used_at) FROM tokens)) - ? AND label IS NULL",
            (now, TOKEN_SECONDS * 1000),
        )

    def open_readers(self, count: int) -> None:
        """Open connections for ``count`` reader threads now: later there may be no descriptors left.

        Raises sqlite3.Error.
        """
        for _ in range(count):
            connection = self._open_reader()
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # the first statement opens the files
            self._unused.append(connection)

    def snapshot(self) -> stored.Snapshot:
        """See `irchat.interfaces.store.Store` for this and the following methods."""
        return reading.snapshot(self._connection)

    def commit(self, writes: Sequence[Write[object]]) -> Deferred[list[object]]:
        return self._threads.write(self._writer.commit, writes).addCallback(self._committed).addErrback(_refuse)

    def page(self, query: PageQuery) -> Deferred[Page]:
        return self._read(query.user, reading.page, query)

    def place(self, user: int, chat: stored.ChatKey, at: int) -> Deferred[int]:
        return self._read(user, reading.place, user, chat, at)

    def chats(self, user: int, hidden: Collection[int]) -> Deferred[list[stored.StoredChat]]:
        return self._read(user, reading.chats, user, hidden)

    def search(self, query: SearchQuery) -> Deferred[tuple[list[StoredMessage], bool]]:
        return Deferred.fromCoroutine(self._search(StoreSearch(query)))

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
        self._threads.stop()
        for connection in [*self._readers, self._connection]:
            connection.close()

    async def _search(self, search: StoreSearch) -> tuple[list[StoredMessage], bool]:
        """Search in steps. Each step is a separate query, so that users take turns."""
        if search.needs_index and self._index.waits:
            await self._make_searchable()
        while not search.is_over:
            await self._scan(search.query.user, search.step)
        return search.found, search.more

    async def _make_searchable(self) -> None:
        """Index the messages waiting now, a few at a time, so that commits are not delayed."""
        try:
            last = await self._threads.write(self._writer.index).addErrback(_refuse)
            while not self._index.is_searchable(last):
                await self._threads.write(self._writer.index).addErrback(_refuse)
        except Refusal:  # the result could be wrong without the newest messages
            raise Refusal(
                Code.UNAVAILABLE,
                "The newest messages cannot be searched while the server cannot use its disk; ls shows them."
                " Try again soon.",
            ) from None

    def _committed(self, results: list[object]) -> list[object]:
        self._work_soon()
        return results

    def _work_soon(self) -> None:
        if self._writer.next_chore is not None and not self._working:
            self._working = True
            Deferred.fromCoroutine(self._work()).addErrback(self._not_done)

    async def _work(self) -> None:
        """Run the chores between commits, a little at a time, so that commits are not delayed."""
        try:
            while not self._closed and (chore := self._writer.next_chore) is not None:
                await self._threads.write(chore)
        finally:
            self._working = False

    def _not_done(self, failure: Failure) -> None:
        """Log the failure. The chore is retried after the next commit, and at the next start."""
        _log.error("a database chore failed: {error}", error=failure.value)

    def _read(self, key: Hashable, ask: Callable[[sqlite3.Connection, *Args], Given], *args: *Args) -> Deferred[Given]:
        return self._threads.read(key, Query(self._reader, self._gate, ask, args)).addErrback(_refuse)

    def _scan(self, key: Hashable, ask: Callable[[sqlite3.Connection, *Args], Given], *args: *Args) -> Deferred[Given]:
        return self._threads.scan(key, Query(self._reader, self._gate, ask, args)).addErrback(_refuse)

    def _reader(self) -> sqlite3.Connection:
        """Return the connection of this thread."""
        connection: sqlite3.Connection | None = getattr(self._mine, "connection", None)
        if connection is None:
            connection = self._unused.pop() if self._unused else self._open_reader()
            self._mine.connection = connection
        return connection

    def _open_reader(self) -> sqlite3.Connection:
        connection = self._connect()
        self._readers.append(connection)
        connection.execute("PRAGMA query_only = ON")
        return connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA foreign_keys = ON")
        return connection


def _refuse(failure: Failure) -> Failure:
    """Turn a database error into Refusal ``unavailable``. Log the reason, which contains no message text."""
    error = failure.value
    if isinstance(error, MemoryError):
        _seldom.error("out of memory for the database")
        raise short_of_resources()
    if isinstance(error, sqlite3.OperationalError | sqlite3.DatabaseError) and not isinstance(
        error, sqlite3.IntegrityError | sqlite3.ProgrammingError
    ):
        _seldom.error(f"the database cannot be used: {error}")
        raise unavailable()
    return failure
