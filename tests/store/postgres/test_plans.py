"""The query plan of each read and write: it finds its rows by indexes, also in tables that are small or unanalyzed."""

from collections.abc import Iterator
from typing import Any

import psycopg
from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.store import PageQuery, SearchQuery
from irchat.interfaces.stored import GLOBAL, StoredBan
from irchat.interfaces.writes import (
    AlertSet,
    BanRemoved,
    BanSet,
    BlockSet,
    GroupRemoved,
    HashReplaced,
    KeyAdded,
    KeyRemoved,
    KeyUsed,
    MarkerMoved,
    MemberAdded,
    MemberRemoved,
    MessageAdded,
    MessagesDeleted,
    NonceSought,
    OtherSignInsEnded,
    PasswordSet,
    SignInEnded,
    TokenAdded,
    TokenRemoved,
    TokenUsed,
    UserCreated,
    UserRemoved,
)
from irchat.store.postgres.connecting import Connection, Database
from irchat.store.postgres.reads import reading
from irchat.store.postgres.reads.query import READER_SETTINGS, read
from irchat.store.postgres.search import searching
from irchat.store.postgres.search.indexing import index_all
from irchat.store.postgres.search.searching import PostgresSearch
from tests.helpers.stores import NOW, PostgresHands, message

# Statements that may read a whole table, by how they begin, and why.
_MAY_SCAN = (
    ("SELECT (SELECT count(*) FROM messages)", "the administrator's figures"),
)  # fmt: skip
# Whole tables in the order of an index, by how the statements begin.
_WHOLE = (
    ("SELECT id, name, key, removed_at IS NOT NULL FROM users", "the snapshot, once at the start"),
    ("SELECT members.chat, members.user_id FROM chats JOIN members", "the snapshot, once at the start"),
    ("SELECT id, name, key, owner FROM chats WHERE key IS NOT NULL", "the snapshot, once at the start"),
    ("SELECT blocker, blocked FROM blocks", "the snapshot, once at the start"),
    ("SELECT user_id, network, until, reason FROM bans", "the snapshot, once at the start"),
)
_WRITES_MAY_SCAN = (
    ("DELETE FROM tokens WHERE used_at <", "old tokens, once at the start"),
    ("DELETE FROM bans WHERE until <=", "bans are made by hand, and few"),
)
_CATALOG = ("pg_class", "pg_inherits")


class _Explaining:
    """A connection that notes the plan of each statement before it runs it."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self.plans: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, sql: str, values: Any = None) -> Any:
        """Explain and run a statement."""
        if sql.lstrip().startswith(("SELECT", "WITH")):
            row: Any = self._connection.execute(f"EXPLAIN (FORMAT JSON) {sql}", values).fetchone()
            self.plans.setdefault(sql.strip(), row[0][0]["Plan"])
        return self._connection.execute(sql, values)


def nodes(plan: Any) -> Iterator[Any]:
    """Yield all nodes of a plan."""
    yield plan
    for one in plan.get("Plans", ()):
        yield from nodes(one)


def scans(plan: Any) -> list[str]:
    """Return the tables that a plan reads as a whole: one after another, or by an index without a condition on it."""
    found = []
    for node in nodes(plan):
        kind, table = node["Node Type"], node.get("Relation Name", "")
        is_limited = any(key in node for key in ("Index Cond", "Recheck Cond"))
        if table and table not in _CATALOG and not is_limited:
            found.append(f"{kind} of {table}")
    return found


class PlanTests(PostgresHands, SynchronousTestCase):
    """Every read, in all its forms, over a connection that notes the plans."""

    def setUp(self) -> None:
        """Fill the tables a little, and connect."""
        super().setUp()
        self.team_id = self.team(self.alice, self.bob)
        self.write(*(message(chat, self.alice, f"word 漢字 {number}")
                     for chat in (GLOBAL, self.team_id, self.pair) for number in range(30)))  # fmt: skip
        self.write(BlockSet(self.bob, self.carol, True))
        connection = Database(self.url).connect()
        self.addCleanup(connection.close)
        connection.execute(READER_SETTINGS)
        index_all(connection)
        self.connection = _Explaining(connection)

    def read(self, ask: Any, *args: Any) -> None:
        """Run a read."""
        read(self.connection, ask, *args)  # type: ignore[arg-type]

    def read_all(self) -> None:
        """Run all reads."""
        self.read(reading.snapshot)
        for user, chat in (self.alice, GLOBAL), (self.bob, self.pair), (self.bob, self.team_id):
            hows: tuple[dict[str, Any], ...] = (
                {}, {"before": 9}, {"after": 3}, {"unread": True}, {"around": 12}, {"since": 1}, {"after_rev": 0},
            )  # fmt: skip
            for how in hows:
                self.read(reading.page, PageQuery(user, chat, 5, **how))
            self.read(reading.chats, user, ())
            self.read(reading.alert, user, chat)
            for words, mark, mentions in ((["word", "漢字"], "ok", True), (["none"], None, False)):
                self.search(SearchQuery(user, words, chat, (), 50, mark=mark, mentions=mentions))
        for mark, mentions in ("ok", False), ("ok", True), (None, True):
            self.search(SearchQuery(self.bob, [], None, (), 5, mark=mark, mentions=mentions))
        self.read(reading.password, self.alice)
        self.read(reading.token, b"x")
        self.read(reading.sign_ins, 1, 10)
        self.read(reading.accounts, "a", 5)
        self.read(reading.messages_of, self.alice, (1, 5), 5)
        self.read(reading.marks_of, [self.alice, self.bob], 5)
        self.read(reading.figures)

    def search(self, query: SearchQuery) -> None:
        """Search in all ways."""
        self.patch(searching, "_FIRST_STEP", 4)
        for most in 20_000, 1:
            self.patch(searching, "_SORTED_MOST", most)
            search = PostgresSearch(query)
            while not search.is_over:
                self.read(search.step)

    maxDiff = None

    def check(self) -> None:
        """Look at the plans."""
        self.read_all()
        plans = self.connection.plans
        self.assertGreater(len(plans), 25)
        expected = dict(_MAY_SCAN) | dict(_WHOLE)
        scanning = {
            sql: found for sql, plan in plans.items() if (found := scans(plan)) and not sql.startswith(tuple(expected))
        }
        self.assertEqual(scanning, {})
        for beginning, reason in expected.items():
            self.assertTrue(any(sql.startswith(beginning) for sql in plans), reason)
        for sql, plan in plans.items():
            if not sql.startswith(tuple(dict(_MAY_SCAN))):
                self.assertNotIn("Seq Scan", {node["Node Type"] for node in nodes(plan) if self.grows(node)}, sql)

    def grows(self, node: Any) -> bool:
        """Return whether a node reads one of our tables."""
        return node.get("Relation Name", "pg_class") not in _CATALOG

    def test_never_analyzed(self) -> None:
        """Without statistics, no read scans a table, except those that must."""
        self.check()

    def test_small(self) -> None:
        """With statistics that say that the tables are small, neither."""
        self.connection._connection.execute("ANALYZE")
        self.check()

    def test_it_would_be_seen(self) -> None:
        """A statement that scans a table is detected."""
        for sql in "SELECT * FROM messages WHERE sender = 1", "SELECT * FROM tokens WHERE by_password":
            self.connection.execute(sql)
            self.assertTrue(scans(self.connection.plans[sql]), sql)
        found = "SELECT text FROM messages WHERE chat = 1 AND seq > 5"
        self.connection.execute(found)
        self.assertEqual(scans(self.connection.plans[found]), [])


class WritePlanTests(PostgresHands, SynchronousTestCase):
    """The plan of each write: it finds its rows by an index, whatever the statistics say."""

    maxDiff = None

    def setUp(self) -> None:
        """Note each statement that any connection executes, with its values."""
        self.noted: dict[str, Any] = {}
        noted, execute = self.noted, Connection.execute

        def noting(connection: Any, sql: Any, values: Any = None, **how: Any) -> Any:
            if str(sql).lstrip().startswith(("SELECT", "WITH", "INSERT", "UPDATE", "DELETE")):
                noted.setdefault(str(sql), values)
            return execute(connection, sql, values, **how)

        self.patch(Connection, "execute", noting)
        super().setUp()

    def write_all(self) -> None:
        """Make each kind of write."""
        team = self.team(self.alice, self.bob, self.carol)
        for chat in GLOBAL, team, self.pair:
            self.write(*(message(chat, self.alice, f"word {number}", nonce=f"{chat} {number}") for number in range(9)))
            mention = MessageAdded(chat, self.bob, "@alice", NOW, None, 0, (self.alice,), reply_to=3, notice=True)
            self.write(mention)
            self.edit(chat, 2, self.alice)
            self.mark(chat, 3, self.bob)
            self.mark(chat, 3, self.bob, on=False)
            self.delete(chat, 4, self.alice)
            self.write(NonceSought(self.alice, "none", 0), MarkerMoved(self.bob, chat, 5))
            self.write(AlertSet(chat, self.bob, "none"))
        self.write(UserCreated("dave", "dave", "hash", NOW, b"token"))
        self.write(KeyAdded(self.alice, "ssh-ed25519", b"blob", "SHA256:x", "", NOW, 5))
        self.write(KeyUsed(self.alice, "SHA256:x", NOW), KeyRemoved(self.alice, "SHA256:x", "", ""))
        self.write(TokenAdded(b"other", self.alice, NOW), TokenUsed(b"other", NOW), TokenRemoved(b"other"))
        self.write(SignInEnded(self.alice, b"other", "", ""), OtherSignInsEnded(self.alice, None, ""))
        self.write(PasswordSet(self.alice, "new", None, ends_keys=True), HashReplaced(self.alice, "new", "newer"))
        self.write(BanSet(StoredBan(self.alice, None, None, ""), NOW), BanRemoved(self.alice, None))
        self.write(BlockSet(self.alice, self.bob, True), BlockSet(self.alice, self.bob, False))
        self.write(MemberRemoved(team, self.carol, self.alice, 1), MemberAdded(team, self.carol, 1))
        self.write(MessagesDeleted(((GLOBAL, 1), (team, 1))))
        self.write(UserRemoved(self.carol, "gone", "gone", NOW, ((team, self.alice),)), GroupRemoved(team))

    def test_no_scans(self) -> None:
        """No write reads a whole table that grows."""
        self.write_all()
        noted = dict(self.noted)
        scanning = {}
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(READER_SETTINGS)
            for sql, values in noted.items():
                row: Any = connection.execute(f"EXPLAIN (FORMAT JSON) {sql}", values).fetchone()
                if found := [one for one in scans(row[0][0]["Plan"]) if one.startswith("Seq Scan")]:
                    scanning[sql] = found
        self.assertGreater(len(noted), 30)
        may = tuple(dict(_WRITES_MAY_SCAN))
        self.assertEqual({sql: found for sql, found in scanning.items() if not sql.startswith(may)}, {})
        self.assertEqual(len([sql for sql in scanning if sql.startswith(may)]), len(may))
