"""The query plan of each statement: none scans a table that grows."""

import io
import re
import sqlite3
import unittest
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.store import SearchQuery
from irchat.interfaces.stored import GLOBAL
from irchat.interfaces.writes import GroupCreated, GroupRemoved, MarkerMoved, MessagesDeleted, NonceSought, UserCreated
from irchat.store.sqlite.engine import SQLiteStore
from irchat.store.threads import NoThreads
from tests.helpers.stores import NOW, message
from tests.store import test_store, test_store_keys, test_store_messages
from tests.store.sqlite import test_account_writes, test_properties, test_reading
from tests.store.sqlite.amending import test_amend_writes, test_amended_reading
from tests.store.sqlite.search import test_wordless

# Bans are made by hand, and a server has few. A search looks in the index of words in steps: it has a rule of its own.
_MAY_BE_SCANNED = {"bans", "message_words"}
# Statements that may look through a whole table, by how they begin, and why.
_MAY_SCAN = (
    ("SELECT id, name, key, removed_at IS NOT NULL FROM users", "the snapshot, once at the start"),
    ("SELECT members.chat, members.user FROM chats JOIN members", "the snapshot, once at the start"),
    ("SELECT id, name, key, owner FROM chats WHERE key IS NOT NULL", "the snapshot, once at the start"),
    ("SELECT blocker, blocked FROM blocks", "the snapshot, once at the start"),
    ("SELECT id FROM chats WHERE key IS NULL AND low IS NULL", "groups to be swept, once at the start"),
    ("DELETE FROM tokens WHERE used_at <", "old tokens, once at the start"),
    ("UPDATE tokens SET by_password = 0", "a migration, once"),
    ("SELECT (SELECT count(*) FROM message_places)", "the administrator's figures"),
)
# SQLite's own and FTS5's, and what names no table.
_NOT_OURS = ("--", "PRAGMA", "BEGIN", "COMMIT", "ROLLBACK", "CREATE", "ALTER", "DROP")


class PlanTests(SynchronousTestCase):
    """Record the statements of the contract suite and a few more writes."""

    maxDiff = None

    def setUp(self) -> None:
        """Record each statement on any connection."""
        self.statements: dict[str, str] = {}
        connect = sqlite3.connect

        def tracing(*args: Any, **kwargs: Any) -> sqlite3.Connection:
            connection = connect(*args, **kwargs)
            connection.set_trace_callback(self.note)
            return connection

        self.patch(sqlite3, "connect", tracing)
        self.path = Path(self.mktemp())
        self.fill()

    def note(self, statement: str) -> None:
        """Keep a statement, one of those that differ only in their values."""
        statement = statement.strip()
        if not statement.startswith(_NOT_OURS):
            self.statements.setdefault(re.sub(r"'(''|[^'])*'|\b\d+\b", "?", statement), statement)

    def fill(self) -> None:
        """Run everything, in all its forms."""
        store = SQLiteStore(self.path, NoThreads(), lambda: NOW)
        self.addCleanup(store.close)

        def commit(*writes: Any) -> list[Any]:
            results: list[Any] = self.successResultOf(store.commit(writes))
            return results

        commit(*(UserCreated(name, name, None, NOW, None) for name in ("alice", "bob", "carol")))
        (group,) = commit(GroupCreated("team", "team", (1, 2), NOW))
        commit(*(message(chat, 1, "字 word", nonce=str(chat)) for chat in (GLOBAL, group, (1, 2))))
        commit(NonceSought(1, "1", 0), MarkerMoved(2, group, 0), MessagesDeleted(((GLOBAL, 1),)))
        for chat in None, (1, 2), group:
            self.successResultOf(store.search(SearchQuery(2, ["word", "字" * 40], chat, (3,), 5)))
        for hidden in (), (1,), (3,):
            self.successResultOf(store.chats(2, hidden))
        commit(GroupRemoved(group))

    def contract(self) -> None:
        """Run the contract suite, except tests that build their own texts."""
        suite = unittest.TestSuite(
            case(name)
            for case in (
                test_store.SQLiteStoreTests,
                test_store_messages.SQLiteMessageTests,
                test_store_keys.SQLiteKeysTests,
                test_account_writes.AccountTests,
                test_properties.EpochTests,
                test_reading.EndsTests,
                test_amend_writes.AmendTests,
                test_amended_reading.AmendedReadingTests,
                test_wordless.WordlessTests,
            )
            for name in unittest.TestLoader().getTestCaseNames(case)
            if name not in ("test_any_words", "test_words_are_found")
        )
        result = unittest.TextTestRunner(io.StringIO()).run(suite)
        self.assertEqual((result.errors, result.failures), ([], []))
        self.assertGreater(result.testsRun, 30)

    def scans(self, statement: str) -> list[str]:
        """Return the steps of its plan that scan a growing table."""
        names = dict.fromkeys(re.findall(r"\b(?:FROM|JOIN)\s+(\w+)\s+AS\s+(\w+)", statement))
        called = {alias: table for table, alias in names}
        connection = sqlite3.connect(self.path)
        connection.create_function("fold", 1, str)
        try:
            growing = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")} - _MAY_BE_SCANNED
            steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
        finally:
            connection.close()
        found = []
        for step in steps:
            scanned = re.match(r"SCAN (?:TABLE )?(\w+)(.*)", step)
            name = called.get(scanned[1], scanned[1]) if scanned else ""
            if "AUTOMATIC" in step or name in growing or re.match(r"SCAN (TABLE )?message_words .*INDEX \d+:$", step):
                found.append(step)
        return found

    def test_no_scans(self) -> None:
        """No write and no read scans a growing table, except those that must."""
        self.contract()
        statements = list(self.statements.values())
        self.assertGreater(len(statements), 60)
        reasons = dict(_MAY_SCAN)
        scanning = {
            statement: scans
            for statement in statements
            if (scans := self.scans(statement)) and not statement.startswith(tuple(reasons))
        }
        self.assertEqual(scanning, {})
        for beginning, reason in reasons.items():
            self.assertTrue(any(statement.startswith(beginning) for statement in statements), reason)

    def test_it_would_be_seen(self) -> None:
        """A statement that scans a table is detected."""
        for statement in (
            "DELETE FROM nonces WHERE chat = 1 AND seq = 1", "SELECT count(*) FROM messages AS m WHERE m.sender = 1",
            "SELECT 1 FROM tokens WHERE used_at = 5", "DELETE FROM keys WHERE fingerprint = 'SHA256:x'",
        ):  # fmt: skip
            self.assertTrue(self.scans(statement), statement)
        self.assertEqual(self.scans("SELECT text FROM messages WHERE chat = 1 AND seq > 5"), [])
