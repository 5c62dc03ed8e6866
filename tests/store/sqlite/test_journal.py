"""The journal stays short, even under uninterrupted reads."""

import threading
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.trial.unittest import SynchronousTestCase, TestCase

from irchat.interfaces.store import PageQuery
from irchat.interfaces.stored import GLOBAL
from irchat.interfaces.writes import UserCreated
from irchat.store.sqlite import engine, journal
from irchat.store.sqlite.copying import opened
from irchat.store.sqlite.engine import SQLiteStore
from irchat.store.sqlite.journal import Gate
from irchat.store.threads import NoThreads, StoreThreads
from tests.helpers.stores import NOW, message


class GateTests(SynchronousTestCase):
    """A gate to pause threads."""

    def test_shut(self) -> None:
        """Report entry, and block until the gate is opened."""
        gate = Gate()
        with gate:
            self.assertFalse(gate.shut(0))
            entered = threading.Event()

            def enter() -> None:
                with gate:
                    entered.set()

            late = threading.Thread(target=enter)
            late.start()
            self.addCleanup(late.join)
            self.assertFalse(entered.wait(0.01))
        self.assertTrue(gate.shut(0))
        self.assertFalse(entered.is_set())
        gate.open()
        self.assertTrue(entered.wait(60))

    def test_waits(self) -> None:
        """Wait for a thread inside."""
        gate = Gate()
        inside, leave = threading.Event(), threading.Event()

        def stay() -> None:
            with gate:
                inside.set()
                leave.wait(60)

        reader = threading.Thread(target=stay)
        reader.start()
        self.addCleanup(reader.join)
        inside.wait(60)
        threading.Timer(0.01, leave.set).start()
        self.assertTrue(gate.shut(60))
        gate.open()


class _Case(SynchronousTestCase):
    def setUp(self) -> None:
        """Open a store whose journal restarts at 100 kB."""
        self.patch(journal, "JOURNAL_BYTES", 100_000)
        self.patch(journal, "_AGAIN_BYTES", 50_000)
        self.path = Path(self.mktemp())
        self.wal = self.path.with_name(f"{self.path.name}-wal")
        self.store = SQLiteStore(self.path, NoThreads(), lambda: NOW)
        self.addCleanup(self.store.close)
        self.successResultOf(self.store.commit([UserCreated("a", "a", None, NOW, None)]))

    def say(self, count: int) -> None:
        """Store long messages, one per commit."""
        for _ in range(count):
            self.successResultOf(self.store.commit([message(GLOBAL, 1, "x" * 4_000)]))


class JournalTests(_Case):
    """A journal under writes and reads."""

    def test_short(self) -> None:
        """It restarts when it is long, and is then empty. Commits wait for other processes as before."""
        longest = 0
        for _ in range(50):
            self.say(1)
            longest = max(longest, self.wal.stat().st_size)
        self.assertLess(longest, 150_000)
        waits = self.store._connection.execute("PRAGMA busy_timeout").fetchone()[0]
        self.assertEqual(waits, 1000 * engine._BUSY_SECONDS)

    def test_read_by_another_process(self) -> None:
        """While another process reads, it grows, with occasional cheap attempts to restart. Then it is short again."""
        tries: list[float] = []
        self.patch(Gate, "shut", lambda gate, seconds: tries.append(seconds))
        with opened(self.path) as backup:
            backup.execute("BEGIN")
            backup.execute("SELECT count(*) FROM users").fetchone()
            self.say(30)
            long = self.wal.stat().st_size
            self.assertGreater(long, 250_000)
            self.assertTrue(1 < len(tries) < 20, tries)
            self.patch(journal, "_MUCH_BYTES", 200_000)
            self.say(10)
            self.assertEqual(tries[-1], journal._WAIT_LONG_SECONDS)
        self.say(10)
        self.assertLess(self.wal.stat().st_size, 150_000)


class ReadersTests(TestCase):
    """Threads that read without pauses."""

    async def test_reads_without_a_gap(self) -> None:
        """The journal does not keep growing, however the reads of several threads overlap."""
        self.patch(journal, "JOURNAL_BYTES", 200_000)
        self.patch(journal, "_MUCH_BYTES", 250_000)
        self.patch(journal, "_WAIT_LONG_SECONDS", 60.0)
        self.patch(journal, "_AGAIN_BYTES", 20_000)
        path = Path(self.mktemp())
        store = SQLiteStore(path, StoreThreads(reactor), lambda: NOW)  # type: ignore[arg-type]
        self.addCleanup(store.close)
        await store.commit([UserCreated("a", "a", None, NOW, None)])
        reads = 0

        async def read_on() -> None:
            nonlocal reads
            while not over:
                reads += 1
                await store.page(PageQuery(1, GLOBAL, 50))

        over = False
        readers = [Deferred.fromCoroutine(read_on()) for _ in range(6)]
        longest = 0
        for _ in range(150):
            await store.commit([message(GLOBAL, 1, "x" * 4_000)])
            longest = max(longest, path.with_name(f"{path.name}-wal").stat().st_size)
        over = True
        await gatherResults(readers)
        self.assertGreater(reads, 20)
        self.assertLess(longest, 450_000)
