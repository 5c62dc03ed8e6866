"""Whether a file is an IRChat database without additions."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from irchat.store.sqlite import schema
from irchat.store.sqlite.checking import problems
from irchat.store.sqlite.copying import BadCopy, opened
from irchat.store.sqlite.engine import SQLiteStore
from irchat.store.sqlite.migrations import SCRIPTS
from irchat.store.sqlite.schema import need_ours
from irchat.store.threads import NoThreads


class SchemaTests(SynchronousTestCase):
    """`need_ours`, and the check of a database."""

    def setUp(self) -> None:
        """Choose the file."""
        self.path = Path(self.mktemp())

    def make(self, *statements: str, version: int = len(SCRIPTS)) -> None:
        """Create a database of that version, changed by further statements."""
        self.path.unlink(missing_ok=True)
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            connection.executescript("".join(SCRIPTS[:version]) + f"PRAGMA user_version = {version}")
            for statement in statements:
                connection.execute(statement)

    def spliced(self, was: str, now: str) -> list[str]:
        """Return statements that change the SQL text of the table of users."""
        texts = [text.replace("'", "''") for text in (was, now)]
        change = "UPDATE sqlite_master SET sql = replace(sql, '{}', '{}') WHERE name = 'users'".format(*texts)
        return ["PRAGMA writable_schema = ON", change]

    def refusal(self) -> str:
        """Return the refusal, which is one line with the next step."""
        with opened(self.path) as connection:
            refused = str(self.assertRaises(BadCopy, need_ours, connection))
        self.assertNotIn("\n", refused)
        self.assertTrue(re.search(r"backup made$|use the newer IRChat$", refused), refused)
        return refused

    def test_ours(self) -> None:
        """A database of each version is accepted, also after an upgrade or with SQLite's statistics."""
        for version in range(1, len(SCRIPTS) + 1):
            self.make("ANALYZE", version=version)
            with opened(self.path) as connection:
                self.assertEqual(need_ours(connection), version)
            SQLiteStore(self.path, NoThreads(), lambda: 0).close()
            with opened(self.path) as connection:
                self.assertEqual((need_ours(connection), list(problems(connection))), (len(SCRIPTS), []))

    def test_quoted_names(self) -> None:
        """Quotes of names and comments change nothing."""
        for now in '"name" TEXT', "[Name] text", "`name` /* ' */ TEXT":
            self.make(*self.spliced("name TEXT", now))
            with opened(self.path) as connection:
                self.assertEqual(need_ours(connection), len(SCRIPTS), now)

    def test_strings(self) -> None:
        """Strings are compared as they are: one in other letters, or a name in its place, is another schema."""
        ours = schema._plain("DEFAULT 'Abc'")
        self.assertEqual(schema._plain("default 'Abc' -- x"), ours)
        for other in "'abc'", "abc", '"Abc"', "'Abc '":
            self.assertNotEqual(schema._plain(f"DEFAULT {other}"), ours)

    def test_foreign(self) -> None:
        """Any added, missing or changed object is refused, and reported by the check."""
        for statements, expected in (
            (["CREATE TRIGGER t AFTER INSERT ON messages BEGIN UPDATE users SET password = NULL; END"], "trigger 't'"),
            (["DROP TABLE blocks", "CREATE VIEW blocks AS SELECT 1 AS blocker"], "view blocks is another"),
            (["CREATE VIEW v AS SELECT 1"], "view 'v' besides"),
            (["CREATE TABLE t (a)"], "table 't' besides"),
            (["CREATE INDEX i ON messages (sender)"], "index 'i' besides"),
            (["DROP INDEX tokens_of_user"], "lacks the index tokens_of_user"),
            (["DROP INDEX tokens_of_user", "CREATE INDEX tokens_of_user ON tokens (used_at)"], "is another"),
            (["DROP TABLE nonces"], "lacks the"),
            (["ALTER TABLE users ADD COLUMN more TEXT"], "table users is another"),
            (["ALTER TABLE bans RENAME COLUMN reason TO cause"], "table bans is another"),
            (self.spliced("name TEXT", "name TEXT '--' CHECK (0)\n"), "table users is another"),
            (self.spliced("name TEXT", "name TEXT '--' DEFAULT 'evil'\n"), "table users is another"),
            (self.spliced("name TEXT", "name TEXT '--', extra TEXT\n"), "table users is another"),
            (self.spliced("name TEXT", "name TEXT /* '*/ CHECK (0) /*' */"), "table users is another"),
            (self.spliced("name TEXT", '"nam" TEXT'), "table users is another"),
            (["PRAGMA application_id = 7"], "of another program (0x7)"),
            (["PRAGMA user_version = 0"], "it has version 0"),
            (["PRAGMA user_version = -1"], "it has version -1"),
            (["PRAGMA user_version = 1"], "of IRChat: it"),
        ):  # fmt: skip
            self.make(*statements)
            self.assertIn(expected, self.refusal())
            with opened(self.path) as connection:
                self.assertIn(expected.split(" ")[-1], " ".join(problems(connection)))

    def test_other_files(self) -> None:
        """An empty database, one in UTF-16, one without a version, and a newer one."""
        closing(sqlite3.connect(self.path)).__enter__().execute("VACUUM")
        self.assertIn("it has version 0", self.refusal())
        self.path.unlink()
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute("PRAGMA encoding = 'UTF-16le'")
            connection.executescript("".join(SCRIPTS) + f"PRAGMA user_version = {len(SCRIPTS)}")
        self.assertIn("UTF-16le", self.refusal())
        self.make("PRAGMA user_version = -1")
        with opened(self.path) as connection:
            self.assertEqual(list(schema.differences(connection)), ["it has version -1"])
        self.make(f"PRAGMA user_version = {len(SCRIPTS) + 1}")
        self.assertIn("newer", self.refusal())
