"""A database of SQLite in PostgreSQL: the same for every reader, and ready for more."""

import random
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.store import PageQuery, SearchQuery, Store
from irchat.interfaces.stored import GLOBAL, ChatKey, StoredBan
from irchat.interfaces.writes import (
    AlertSet,
    BanSet,
    BlockSet,
    GroupCreated,
    GroupRemoved,
    KeyAdded,
    KeyUsed,
    MarkerMoved,
    MarkSet,
    MemberAdded,
    MessageAdded,
    MessageDeleted,
    MessageEdited,
    MessagesDeleted,
    NonceSought,
    UserCreated,
    UserRemoved,
    Write,
)
from irchat.store.postgres import moving
from irchat.store.postgres.connecting import Database
from irchat.store.postgres.engine import PostgresStore
from irchat.store.postgres.moving import NotMovable, move
from irchat.store.postgres.search import searching as postgres_searching
from irchat.store.sqlite.copying import opened
from irchat.store.sqlite.engine import SQLiteStore
from irchat.store.sqlite.search import searching as sqlite_searching
from irchat.store.threads import NoThreads
from tests.helpers.services import shared_postgres
from tests.helpers.stores import NOW

_WORDS = (
    "apple", "pear", "Straße", "字", "漢字", "a.b", "foo-bar", "déjà", "☃", "x" * 2_500, "ﬃ", "1", "字字字",
    "\n\t\u2400",
)  # fmt: skip
_TEAM, _OLD = 2, 3
_MEMBERS: dict[ChatKey, tuple[int, ...]] = {
    GLOBAL: (1, 2, 3, 4, 5, 6), _TEAM: (2, 1, 3), (1, 2): (1, 2), (2, 5): (2, 5), _OLD: (1, 2),
}  # fmt: skip
_HIDDEN = {1: {3}, 2: {5}, 3: {1}, 5: {2}}


def many_writes(seed: int = 1, count: int = 300) -> Iterator[Write[Any]]:
    """Yield writes of all kinds."""
    some = random.Random(seed)
    for user in range(1, 8):
        yield UserCreated(f"U{user}", f"u{user}", "hash" if user % 2 else None, NOW + user, b"token%d" % user)
    for user in 1, 1, 2:
        yield KeyAdded(user, "ssh-rsa", b"\0%d" % user, f"SHA256:{user}", "é" * user, NOW, 20)
    yield KeyUsed(1, "SHA256:1", NOW + 5)
    yield GroupCreated("Team", "team", _MEMBERS[_TEAM], NOW)
    yield GroupCreated("Old", "old", _MEMBERS[_OLD], NOW)
    yield UserRemoved(7, "u7#7", "u7#7", NOW, ())
    for number in range(count):
        chat = some.choice(list(_MEMBERS))
        user = some.choice(_MEMBERS[chat])
        at = NOW + 3 * number
        if number < 20 or some.random() < 0.7:
            text = " ".join(some.choices(_WORDS, k=some.choice([1, 2, 3, 8])))[:4_000]
            others = tuple(one for one in _MEMBERS[chat] if one != user)[: some.choice([0, 0, 2])]
            nonce = f"é{number}" if number % 3 else None
            yield MessageAdded(chat, user, text, at, nonce, 0, others, notice=number % 7 == 0)
            continue
        seq = some.randint(1, 1 + number // 6)
        mark = some.choice("ab")
        yield some.choice([
            MessageEdited(chat, seq, user, f"edited {some.choice(_WORDS)}", at, 0), MessageDeleted(chat, seq, user, at),
            MarkSet(chat, seq, user, mark.upper(), mark, None, at), MarkSet(chat, seq, user, "k", "k", None, at),
            MarkerMoved(user, chat, seq), AlertSet(chat, user, "none"),
        ])  # fmt: skip
    yield MemberAdded(_TEAM, 4, 1)
    yield MessageAdded(_TEAM, 1, "apple late", NOW + 9_000, None, 0, (4,))
    yield BlockSet(1, 3, True)
    yield BlockSet(5, 2, True)
    yield BanSet(StoredBan(6, None, None, "spam"), NOW)
    yield BanSet(StoredBan(None, "192.0.2.0/24", NOW + 5, "ü"), NOW)
    yield MessagesDeleted(((GLOBAL, 3), (GLOBAL, 5)))
    yield GroupRemoved(_OLD)


class MoveTests(SynchronousTestCase):
    """The two stores after a move."""

    def setUp(self) -> None:
        """Make an empty database in PostgreSQL, and a full one of SQLite."""
        self.told: list[str] = []
        server = shared_postgres()
        # No search ends early because the machine is slow.
        for limit in "_SEARCH_SECONDS", "_STATEMENT_SECONDS":
            self.patch(postgres_searching, limit, 60)
        self.patch(sqlite_searching, "_SEARCH_SECONDS", 60)
        self.url = server.new_database()
        self.addCleanup(server.drop_database, self.url)
        self.path = Path(self.mktemp())
        self.sqlite: Store = SQLiteStore(self.path, NoThreads(), lambda: NOW)
        self.addCleanup(self.sqlite.close)
        for write in many_writes():
            self.of(self.sqlite.commit([write]))

    def of(self, asked: Deferred[Any]) -> Any:
        """Return what was asked."""
        return self.successResultOf(asked)

    def moved(self) -> PostgresStore:
        """Return the store in PostgreSQL after the move."""
        with Database(self.url).connect() as connection, opened(self.path) as source:
            move(source, connection, self.told.append)
        store = PostgresStore(Database(self.url), NoThreads(), tell=self.told.append)
        self.addCleanup(store.close)
        return store

    def compare(self, store: PostgresStore, user: int) -> None:
        """Compare what a user sees."""
        hidden = _HIDDEN.get(user, set())

        def listed(chats: Any) -> list[Any]:
            return sorted(chats, key=str)

        self.assertEqual(listed(self.of(store.chats(user, ()))), listed(self.of(self.sqlite.chats(user, hidden))))
        for chat in _MEMBERS:
            hows: tuple[dict[str, Any], ...] = (
                {}, {"before": 9, "page_bytes": 200, "overhead": 15}, {"after": 3}, {"unread": True}, {"around": 12},
                {"since": NOW + 200}, {"after_rev": 0}, {"after_rev": 4},
            )  # fmt: skip
            for how in hows:
                for limit in 3, 500:
                    found = self.of(store.page(PageQuery(user, chat, limit, **how)))
                    expected = self.of(self.sqlite.page(PageQuery(user, chat, limit, hidden=hidden, **how)))
                    self.assertEqual(found, expected, (user, chat, how, limit))

    def compare_searches(self, store: PostgresStore, user: int) -> None:
        """Compare what a user finds."""
        asked: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
            (("apple",), {}), (("strasse", "PEAR"), {}), (("漢字",), {"page_bytes": 200, "overhead": 15}),
            (("字字",), {}),
            (("a.b", "foo-bar"), {}), (("x" * 2_500,), {}), (("☃",), {"mark": "k"}), (("deja",), {"mentions": True}),
            (("edited",), {}), ((), {"mark": "a"}), ((), {"mentions": True}), ((), {"mark": "k", "mentions": True}),
        )  # fmt: skip
        for words, how in asked:
            for chat in None, GLOBAL, _TEAM, (1, 2):
                for limit in 3, 500:
                    found = self.of(store.search(SearchQuery(user, words, chat, (), limit, **how)))
                    hidden = _HIDDEN.get(user, set())
                    expected = self.of(self.sqlite.search(SearchQuery(user, words, chat, hidden, limit, **how)))
                    self.assertEqual(found, expected, (user, words, chat, how, limit))

    def test_same(self) -> None:
        """Snapshot, accounts, tokens, chats, pages and searches are the same. Blocks are those of the database."""
        store = self.moved()
        self.assertEqual(store.snapshot(), self.sqlite.snapshot())
        self.assertEqual(self.of(store.accounts("", 99)), self.of(self.sqlite.accounts("", 99)))
        figures = self.of(store.figures())
        expected = self.of(self.sqlite.figures())
        self.assertEqual(figures._replace(database_bytes=0), expected._replace(database_bytes=0))
        for user in range(1, 7):
            token = b"token%d" % user
            self.assertEqual(self.of(store.token(token)), self.of(self.sqlite.token(token)))
            self.assertEqual(self.of(store.password(user)), self.of(self.sqlite.password(user)))
            self.assertEqual(self.of(store.keys(user)), self.of(self.sqlite.keys(user)))
            for chat in _MEMBERS:
                self.assertEqual(self.of(store.alert(user, chat)), self.of(self.sqlite.alert(user, chat)))
            self.compare(store, user)
        for user in 1, 2, 4:
            self.compare_searches(store, user)

    def test_goes_on(self) -> None:
        """Numbers, ids and nonces continue after a move, above all that were in use, and the epoch is a new one."""
        store = self.moved()
        writes = (
            NonceSought(1, "é4", 0), UserCreated("new", "new", None, NOW, None), GroupCreated("new", "new", (1,), NOW),
            MessageAdded(GLOBAL, 1, "apple", NOW + 10_000, None, 0), MessageAdded((1, 2), 1, "x", NOW + 10_000, "n", 0),
        )  # fmt: skip
        results = [self.of(one.commit(writes)) for one in (store, self.sqlite)]
        self.assertEqual(results[0], results[1])
        self.assertEqual(results[0][1], 8)
        found = [self.of(one.search(SearchQuery(4, ("apple",), None, (), 2)))[0] for one in (store, self.sqlite)]
        self.assertEqual(found[0], found[1])
        self.assertNotEqual(store.epoch, self.sqlite.epoch)
        with Database(self.url).connect() as connection:
            (last,) = connection.execute("SELECT max(pos) >= max(id) FROM log, messages").fetchone() or (None,)
        self.assertTrue(last)

    def test_progress(self) -> None:
        """The progress names the tables, and at the end the index."""
        self.patch(moving, "_TOLD_EACH", 100)
        self.moved()
        self.assertIn("copying messages: 100 of ", " ".join(self.told))
        self.assertIn("comparing messages: 100 of ", " ".join(self.told))
        self.assertRegex(self.told[-1], "^making the search index: ([0-9]+) of \\1$")
        for what in "copying", "comparing":
            told = [text.split()[2:] for text in self.told if text.startswith(f"{what} messages: ")]
            self.assertEqual([number for number, _, _ in told], [str(100 * step) for step in range(len(told))])
            self.assertEqual(len({of for _, _, of in told}), 1)

    def test_time_of_the_log(self) -> None:
        """The log of the new database begins now, in milliseconds."""
        self.patch(moving, "time", SimpleNamespace(time=lambda: 1234.5))
        with Database(self.url).connect() as connection, opened(self.path) as source:
            move(source, connection, self.told.append)
            self.assertEqual(connection.execute("SELECT at FROM log").fetchall(), [(1_234_500,)])

    def test_damaged(self) -> None:
        """A table that has other rows in its order than it counts is damaged, and the move fails."""
        self.patch(moving, "_rows", lambda source, table: iter(()))
        with Database(self.url).connect() as connection, opened(self.path) as source:
            error = self.assertRaises(NotMovable, move, source, connection, self.told.append)
            self.assertIn("the table users is damaged", str(error))

    def test_empty(self) -> None:
        """A new database can be moved too."""
        self.path = Path(self.mktemp())
        self.sqlite = SQLiteStore(self.path, NoThreads(), lambda: NOW)
        self.addCleanup(self.sqlite.close)
        store = self.moved()
        self.assertEqual(store.snapshot(), self.sqlite.snapshot())
        self.assertEqual(self.of(store.commit([UserCreated("a", "a", None, NOW, None)])), [1])

    def test_not_empty(self) -> None:
        """A database in PostgreSQL that has any table is refused, also one that was moved to before."""
        self.moved()
        self.assertRaises(NotMovable, self.moved)
        self.url = shared_postgres().new_database()
        self.addCleanup(shared_postgres().drop_database, self.url)
        with Database(self.url).connect() as connection:
            connection.execute("CREATE TABLE mine (id int)")
        self.assertRaises(NotMovable, self.moved)

    def test_different(self) -> None:
        """If a table is not the same after the copy, the move fails, and leaves nothing behind."""
        read = moving._read

        def damaged(target: Any, table: Any, of: int, tell: Any) -> tuple[int, str]:
            target.execute("UPDATE messages SET text = 'other' WHERE chat = 1 AND seq = 1")
            return read(target, table, of, tell)

        self.patch(moving, "_read", damaged)
        with Database(self.url).connect() as connection, opened(self.path) as source:
            error = self.assertRaises(NotMovable, move, source, connection, self.told.append)
            self.assertIn("messages", str(error))
            self.assertEqual(connection.execute("SELECT to_regclass('users')").fetchone(), (None,))
