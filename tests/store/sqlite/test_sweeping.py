"""Messages of a dissolved group disappear for everybody at once, and from the disk in batches."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.stored import GLOBAL
from irchat.interfaces.writes import GroupCreated, GroupRemoved, UserCreated, UserRemoved, Write
from irchat.store.sqlite.checking import problems
from irchat.store.sqlite.engine import SQLiteStore
from irchat.store.sqlite.search.indexing import DELETED_CHARACTERS
from irchat.store.sqlite.writing import _few
from tests.helpers.stores import NOW, message

_COUNT = 330


class _Threads:
    """Runs calls on request, and records their names."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Deferred[Any], Callable[..., Any], tuple[Any, ...]]] = []
        self.ran: list[str] = []

    def write(self, call: Callable[..., Any], *args: Any) -> Deferred[Any]:
        self.waiting.append((Deferred(), call, args))
        return self.waiting[-1][0]

    def read(self, key: object, call: Callable[..., Any], *args: Any) -> Deferred[Any]:
        return maybeDeferred(call, *args)

    scan = read

    def local(self) -> Any:
        return SimpleNamespace()

    def stop(self) -> None:
        pass

    def run(self, count: int = 1_000_000) -> None:
        """Run a number of the waiting calls, in order."""
        while self.waiting and count:
            done, call, args = self.waiting.pop(0)
            self.ran.append(call.__name__)
            maybeDeferred(call, *args).chainDeferred(done)
            count -= 1


class SweepingTests(SynchronousTestCase):
    """A store with a group of alice's that holds some hundred messages."""

    def setUp(self) -> None:
        """Fill the group."""
        self.path = Path(self.mktemp())
        self.store = self.open()
        self.write(UserCreated("alice", "alice", None, NOW, None))
        (self.group,) = self.write(GroupCreated("team", "team", (1,), NOW))
        self.write(*(message(self.group, 1, f"vanishing {number}") for number in range(_COUNT)))
        self.write(message(GLOBAL, 1, "vanishing not"))
        self.assertEqual(len(self.found()), _COUNT + 1)
        self.threads.ran.clear()

    def open(self) -> SQLiteStore:
        """Open the store, closed at the end of the test."""
        self.threads = _Threads()
        store = SQLiteStore(self.path, self.threads, lambda: NOW)
        self.addCleanup(store.close)
        return store

    def write(self, *writes: Write) -> list[Any]:
        """Commit, without any later calls."""
        committing = self.store.commit(writes)
        self.threads.run(len(self.threads.waiting))
        return self.successResultOf(committing)

    def left(self) -> int:
        """Return the number of messages on the disk, which must be consistent."""
        connection = sqlite3.connect(self.path, isolation_level=None)
        try:
            self.assertEqual(list(problems(connection)), [])
            return int(connection.execute("SELECT count(*) FROM messages").fetchone()[0])
        finally:
            connection.close()

    def found(self) -> list[str]:
        """Return alice's results for a word in all messages."""
        searching = self.store.search(1, ["vanishing"], None, (), 500)
        if self.store._writer.index_waits:
            self.threads.run()
        messages, _ = self.successResultOf(searching)
        return [one.text for one in messages]

    def test_commits_in_between(self) -> None:
        """Nobody sees the group after the commit. Another commit waits for one batch at most."""
        self.write(GroupRemoved(self.group))
        self.assertEqual((self.found(), self.store.snapshot().groups), (["vanishing not"], []))
        self.assertGreater(self.left(), _COUNT)
        committing = self.store.commit([message(GLOBAL, 1, "in between")])
        self.threads.run(2)
        self.successResultOf(committing)
        self.assertEqual(self.threads.ran, ["commit", "sweep", "commit"])
        self.assertGreater(self.left(), _COUNT // 2)
        self.threads.run()
        self.assertEqual((self.left(), self.threads.ran.count("sweep")), (2, 7))

    def test_name_is_free(self) -> None:
        """The name can be reused at once, by an unrelated group."""
        self.write(GroupRemoved(self.group))
        (new,) = self.write(GroupCreated("team", "team", (1,), NOW))
        self.write(message(new, 1, "vanishing anew"))
        self.threads.run()
        self.assertEqual((self.found(), self.left()), (["vanishing anew", "vanishing not"], 2))

    def test_restart(self) -> None:
        """Messages left when the server died are deleted after its next start."""
        self.write(GroupRemoved(self.group))
        self.threads.run(1)
        self.store.close()
        self.store = self.open()
        self.threads.run()
        self.assertEqual((self.left(), self.threads.ran), (1, ["sweep"] * 6))

    def test_removed_user(self) -> None:
        """The same holds for a group that ends with the account of its last member."""
        self.write(UserRemoved(1, "alice#1", "alice#1", NOW, ((self.group, None),)))
        self.threads.run()
        self.assertEqual((self.left(), self.threads.ran.count("sweep")), (1, 7))

    def test_not_removed(self) -> None:
        """If the commit fails, the group stays, with all messages."""
        committing = self.store.commit([GroupRemoved(self.group), message(GLOBAL, 99, "of nobody")])
        self.threads.run()
        self.failureResultOf(committing, sqlite3.IntegrityError)
        self.assertEqual((len(self.found()), self.left()), (_COUNT + 1,) * 2)

    def test_disk_fails(self) -> None:
        """Batches refused by a failing disk are deleted after the next commit."""
        self.write(GroupRemoved(self.group))
        plain = self.store._writer._connection
        self.store._writer._connection = sqlite3.connect(":memory:")
        self.threads.run()
        self.store._writer._connection = plain
        self.assertEqual((self.left(), self.threads.ran), (_COUNT + 1, ["commit", "sweep"]))
        self.write(message(GLOBAL, 1, "and on"))
        self.threads.run()
        self.assertEqual(self.left(), 2)

    def test_closed_meanwhile(self) -> None:
        """After the end the disk is no longer used."""
        self.write(GroupRemoved(self.group))
        self.store._closed = True
        self.threads.run()
        self.assertEqual(self.threads.ran.count("sweep"), 1)


class TogetherTests(SynchronousTestCase):
    """The size of a batch."""

    def test_few(self) -> None:
        """A batch has a maximum number of characters, and at least one message."""
        half = DELETED_CHARACTERS // 2
        cases = (([], 0), ([half, half, 0], 3), ([half, half, 1], 2), ([half, half + 1], 1), ([3 * half, 1], 1))
        self.assertEqual([_few(lengths) for lengths, _ in cases], [count for _, count in cases])
