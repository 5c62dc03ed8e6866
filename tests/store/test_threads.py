"""The threads of the store, with the real reactor."""

import os
import sqlite3
import threading
from pathlib import Path

from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from irchat.interfaces.store import PageQuery, SearchQuery
from irchat.interfaces.stored import GLOBAL
from irchat.interfaces.writes import UserCreated
from irchat.protocol.errors import Code, Refusal
from irchat.store.sqlite.engine import SQLiteStore
from irchat.store.sqlite.search.searching import StoreSearch
from irchat.store.threads import StoreThreads
from tests.helpers.stores import NOW, message


class ThreadsTests(TestCase):
    """The threads of the store, with the real reactor."""

    def setUp(self) -> None:
        """Open a store with threads and a user."""
        self.store = SQLiteStore(Path(self.mktemp()), StoreThreads(reactor), lambda: NOW)  # type: ignore[arg-type]
        self.addCleanup(self.store.close)

    def test_start(self) -> None:
        """All threads start at once, so that a server that may not have them says so at its start."""
        threads = StoreThreads(reactor)  # type: ignore[arg-type]
        self.addCleanup(threads.stop)
        before = threading.active_count()
        threads.start()
        self.assertGreaterEqual(threading.active_count() - before, 1 + 3 + 1)

    async def test_commits_and_pages(self) -> None:
        """Commits run in order without waiting for each other's callers, and readers see the published state."""
        await self.store.commit([UserCreated("alice", "alice", None, NOW, None)])
        commits = [self.store.commit([message(GLOBAL, 1, str(number))]) for number in range(20)]
        for number, commit in enumerate(commits):
            (stored,) = await commit
            self.assertEqual(stored.seq, number + 1)
            pages = [self.store.page(PageQuery(1, GLOBAL, 50, before=number + 2)) for _ in range(5)]
            for page in pages:
                self.assertEqual(len((await page).messages), number + 1)

    async def test_searches_hold_up_nobody(self) -> None:
        """Many slow searches do not delay other reads, such as sign-ins."""
        over, done = threading.Event(), []

        def step(search: StoreSearch, connection: sqlite3.Connection) -> None:
            done.append(over.wait(30))
            search.is_over = True

        self.patch(StoreSearch, "step", step)
        searches = [self.store.search(SearchQuery(1, ["x"], None, (), 50)) for _ in range(10)]
        self.assertEqual(await self.store.password(1), None)
        self.assertEqual(done, [])
        over.set()
        for search in searches:
            await search

    async def test_close_waits(self) -> None:
        """Calls made before the end are completed and on the disk."""
        store = SQLiteStore(Path(self.mktemp()), StoreThreads(reactor), lambda: NOW)  # type: ignore[arg-type]
        made = store.commit([UserCreated("alice", "alice", None, NOW, None)])
        store.close()
        self.assertEqual(await made, [1])

    async def test_refusal(self) -> None:
        """An error in a thread is returned as a refusal."""
        os.truncate(self.store._path, 100)
        self.store._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        os.truncate(self.store._path, 100)
        try:
            await self.store.token(b"x")
        except Refusal as refusal:
            self.assertEqual(refusal.code, Code.UNAVAILABLE)
        else:
            self.fail("a damaged file gave an answer")
