"""The writer: how it writes a commit, and the messages of an ended group, which go from the disk a few at a time."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.store import SearchQuery
from irchat.interfaces.stored import GLOBAL
from irchat.interfaces.writes import GroupCreated, GroupRemoved, MessageAdded, UserCreated, UserRemoved, Write
from irchat.store.sqlite import writing
from irchat.store.sqlite.checking import problems
from irchat.store.sqlite.engine import SQLiteStore
from tests.helpers.databases import DatabaseCase, HeldBack
from tests.helpers.stores import NOW, message

_COUNT = 330


class _Threads:
    """Runs what is asked when the test says so; what it ran is noted by name."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Deferred[Any], Callable[..., Any], tuple[Any, ...]]] = []
        self.ran: list[str] = []

    def write(self, call: Callable[..., Any], *args: Any) -> Deferred[Any]:
        self.waiting.append((Deferred(), call, args))
        return self.waiting[-1][0]

    def read(self, key: object, call: Callable[..., Any], *args: Any) -> Deferred[Any]:
        return maybeDeferred(call, *args)

    scan = read

    def stop(self) -> None:
        pass

    def run(self, count: int = 1_000_000) -> None:
        """Run so many of what waits, in order."""
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
        """The store, closed in the end."""
        self.threads = _Threads()
        store = SQLiteStore(self.path, self.threads, lambda: NOW)
        self.addCleanup(store.close)
        return store

    def write(self, *writes: Write) -> list[Any]:
        """Commit, and do no more than that."""
        committing = self.store.commit(writes)
        self.threads.run(len(self.threads.waiting))
        return self.successResultOf(committing)

    def left(self) -> int:
        """The messages on the disk; all that is there fits together."""
        connection = sqlite3.connect(self.path, isolation_level=None)
        try:
            self.assertEqual(list(problems(connection)), [])
            return int(connection.execute("SELECT count(*) FROM messages").fetchone()[0])
        finally:
            connection.close()

    def found(self) -> list[str]:
        """Return the texts that alice finds by a word of all messages."""
        searching = self.store.search(SearchQuery(1, ["vanishing"], None, (), 500))
        if self.store._index.waits:
            self.threads.run()
        messages, _ = self.successResultOf(searching)
        return [one.text for one in messages]

    def test_commits_in_between(self) -> None:
        """Nobody sees anything of it after the commit; another commit waits for no more than a part of the rest."""
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
        """The name can be taken again at once, by a group that has nothing to do with the old one."""
        self.write(GroupRemoved(self.group))
        (new,) = self.write(GroupCreated("team", "team", (1,), NOW))
        self.write(message(new, 1, "vanishing anew"))
        self.threads.run()
        self.assertEqual((self.found(), self.left()), (["vanishing anew", "vanishing not"], 2))

    def test_notices_are_marked_once(self) -> None:
        """The next commit has nothing left to do for the notices of the last one."""
        statements: list[str] = []
        self.write(message(GLOBAL, 1, "a notice", notice=True))
        self.store._writer._connection.set_trace_callback(statements.append)
        self.write(message(GLOBAL, 1, "no notice"))
        self.assertEqual([sql for sql in statements if "notice = 1" in sql], [])
        self.write(message(GLOBAL, 1, "another", notice=True))
        self.assertEqual(len([sql for sql in statements if "notice = 1" in sql]), 1)

    def test_known_chats(self) -> None:
        """Of very many chats, not all are kept in memory."""
        self.patch(writing, "_KNOWN_MOST", 1)
        writer = self.store._writer
        for text in "one", "two":
            self.write(message(GLOBAL, 1, text), message(self.group, 1, text))
            self.assertLessEqual(len(writer._chats), 1)

    def test_restart(self) -> None:
        """Messages left when the server died are deleted after its next start."""
        self.write(GroupRemoved(self.group))
        self.threads.run(1)
        self.store.close()
        self.store = self.open()
        self.threads.run()
        self.assertEqual((self.left(), self.threads.ran), (1, ["sweep"] * 6))

    def test_removed_user(self) -> None:
        """So goes a group with the account of its last member."""
        self.write(UserRemoved(1, "alice#1", "alice#1", NOW, ((self.group, None),)))
        self.threads.run()
        self.assertEqual((self.left(), self.threads.ran.count("sweep")), (1, 7))

    def test_not_removed(self) -> None:
        """Where the commit fails the group is there still, with all that was said in it."""
        committing = self.store.commit([GroupRemoved(self.group), message(GLOBAL, 99, "of nobody")])
        self.threads.run()
        self.failureResultOf(committing, sqlite3.IntegrityError)
        self.assertEqual((len(self.found()), self.left()), (_COUNT + 1,) * 2)

    def test_disk_fails(self) -> None:
        """Messages that a failing disk did not delete are deleted after the next commit."""
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
        """After the end nothing more is asked of the disk."""
        self.write(GroupRemoved(self.group))
        self.store._closed = True
        self.threads.run()
        self.assertEqual(self.threads.ran.count("sweep"), 1)


class WriterTests(DatabaseCase):
    """How the writer goes about it."""

    def test_messages_together(self) -> None:
        """The messages of a commit are written by the same few statements, however many they are."""
        store = self.open_store()
        counts = []
        writer = store._writer
        plain = writer._connection
        for count in (1, 2, 200):
            noting = HeldBack(plain)
            writer._connection = noting
            self.successResultOf(store.commit([message(GLOBAL, 1 + number % 2) for number in range(count)]))
            counts.append(len(noting.statements))
        writer._connection = plain
        self.assertEqual(counts[1], counts[2])

    def test_many_chats(self) -> None:
        """Past a number of known chats all are forgotten and looked up again, without a change of their numbers."""
        self.patch(writing, "_KNOWN_MOST", 2)
        store = self.open_store()
        self.successResultOf(store.commit([UserCreated("carol", "carol", None, NOW, None)]))
        chats = [GLOBAL, (1, 2), (1, 3), (2, 3)]
        for seq in (1, 2, 3):
            stored = self.successResultOf(store.commit([message(chat, 2) for chat in chats]))
            self.assertEqual([one.seq for one in stored], [seq] * 4)

    def test_old_nonces(self) -> None:
        """A commit deletes twice as many old nonces as it adds, and a fixed number more, the oldest first."""
        self.patch(writing, "_NONCES_PRUNED", 1)
        store = self.open_store()
        old = [MessageAdded(GLOBAL, 1, "old", NOW + age, f"old {age}", 0) for age in range(10)]
        self.successResultOf(store.commit(old))
        left = "SELECT nonce FROM nonces ORDER BY at"
        self.assertEqual(len(self.look(left)), 10)
        new = [MessageAdded(GLOBAL, 1, "new", NOW + 20 + age, f"new {age}", NOW + 10) for age in range(3)]
        self.successResultOf(store.commit(new))
        self.assertEqual(
            [nonce for (nonce,) in self.look(left)], ["old 7", "old 8", "old 9", "new 0", "new 1", "new 2"]
        )
        self.successResultOf(store.commit([MessageAdded(GLOBAL, 1, "without", NOW + 30, None, NOW + 30)]))
        self.assertEqual(len(self.look(left)), 6)

    def test_nothing_left(self) -> None:
        """A group that goes leaves no row of its messages, members, words or places."""
        store = self.open_store()
        (group,) = self.successResultOf(store.commit([GroupCreated("team", "team", (1, 2), NOW)]))
        self.successResultOf(store.commit([message(group, 1, "vanishing", nonce="n")]))
        self.successResultOf(store.commit([GroupRemoved(group)]))
        for table in ("messages", "message_places"):
            self.assertEqual(self.look(f"SELECT count(*) FROM {table}"), [(0,)], table)
        self.assertEqual(self.look("SELECT count(*) FROM members WHERE chat != 1"), [(0,)])
        self.assertEqual(self.look("SELECT rowid FROM message_words WHERE message_words MATCH 'vanishing'"), [])
        self.look("INSERT INTO message_words (message_words) VALUES ('integrity-check')")
