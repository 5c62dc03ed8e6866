"""Versions of the database: upgrades, the copy kept before one, and the check whether a database can be opened."""

import shutil
import sqlite3
from pathlib import Path
from typing import Any

from irchat.interfaces.store import PageQuery, SearchQuery
from irchat.interfaces.stored import StoredBan
from irchat.interfaces.writes import (
    AlertSet,
    BanSet,
    MarkSet,
    MessageAdded,
    MessageDeleted,
    MessageEdited,
    UserCreated,
    UserRemoved,
)
from irchat.store.sqlite import copying, migrations
from irchat.store.sqlite.checking import problems
from irchat.store.sqlite.copying import opened
from irchat.store.sqlite.engine import SQLiteStore
from irchat.store.sqlite.migrations import SCRIPTS, NewerDatabase
from irchat.store.threads import NoThreads
from tests.helpers.databases import DatabaseCase, DataFolderCase
from tests.helpers.stores import NOW


class VersionTests(DatabaseCase):
    """Opening a database of another version."""

    def test_versions(self) -> None:
        """The version of the database counts the scripts that made it; opened again none runs."""
        self.open_store().close()
        self.assertEqual(self.look("PRAGMA user_version"), [(len(SCRIPTS),)])
        self.patch(migrations, "SCRIPTS", ("no SQL at all",) * len(SCRIPTS))
        self.assertEqual(len(self.reopened().snapshot().users), 2)

    def test_upgrade(self) -> None:
        """An older database gets the scripts that it lacks, in order, and keeps what it holds."""
        self.open_store().close()
        self.patch(migrations, "SCRIPTS", (*SCRIPTS, "CREATE TABLE a (b);", "INSERT INTO a VALUES (7);"))
        self.assertEqual(len(self.reopened().snapshot().users), 2)
        self.assertEqual(self.look("SELECT b FROM a"), [(7,)])
        self.assertEqual(self.look("PRAGMA user_version"), [(len(SCRIPTS) + 2,)])

    def test_failing_upgrade(self) -> None:
        """A script that fails leaves the version before it, with nothing of the script done and nothing left open."""
        self.open_store().close()
        self.patch(migrations, "SCRIPTS", (*SCRIPTS, "CREATE TABLE a (b);", "CREATE TABLE c (d); nonsense;"))
        self.assertRaises(sqlite3.OperationalError, self.reopened)
        self.assertEqual(self.look("PRAGMA user_version"), [(len(SCRIPTS) + 1,)])
        self.assertEqual(self.look("SELECT name FROM sqlite_schema WHERE name IN ('a', 'c')"), [("a",)])
        self.assertRaises(sqlite3.ProgrammingError, self.connections[-3].execute, "SELECT 1")

    def test_newer_version(self) -> None:
        """A database of a newer version is refused, with what to do, and left as it is."""
        self.open_store().close()
        self.look(f"PRAGMA user_version = {len(SCRIPTS) + 1}")
        refused = self.assertRaises(NewerDatabase, self.reopened)
        self.assertIn("use the newer IRChat", str(refused))
        self.assertRaises(sqlite3.ProgrammingError, self.connections[-1].execute, "SELECT 1")
        self.assertEqual(self.look("PRAGMA user_version"), [(len(SCRIPTS) + 1,)])

    def test_check(self) -> None:
        """To look first changes nothing: nothing is made, a good file is good, a newer or damaged one is refused."""
        migrations.check(self.path)
        self.assertFalse(self.path.exists())
        self.open_store().close()
        before = self.path.read_bytes()
        migrations.check(self.path)
        self.assertEqual((self.path.read_bytes(), [*self.path.parent.glob(f"{self.path.name}?*")]), (before, []))
        self.look(f"PRAGMA user_version = {len(SCRIPTS) + 1}")
        self.assertRaises(NewerDatabase, migrations.check, self.path)
        self.path.write_bytes(before[:100] + b"?" * 3_996 + before[4_096:])
        self.assertRaises(sqlite3.DatabaseError, migrations.check, self.path)
        self.path.write_bytes(b"not a database " * 1_000)
        self.assertRaises(sqlite3.DatabaseError, migrations.check, self.path)

    def test_check_amid_checkpoint(self) -> None:
        """A server killed while it copied its journal into the file leaves a file that is whole with its journal alone:
        looking first does not take it for damaged, and it opens with all that it held."""
        self.path.parent.joinpath("killed").mkdir()
        killed = self.path.parent / "killed" / self.path.name
        store = self.open_store()
        self.look("PRAGMA wal_autocheckpoint = 0")
        self.successResultOf(store.commit([UserCreated(f"u{n}", f"u{n}", None, 0, None) for n in range(500)]))
        for end in "", "-wal":
            shutil.copy(f"{self.path}{end}", f"{killed}{end}")
        self.look("PRAGMA wal_checkpoint(TRUNCATE)")
        first_page = self.path.read_bytes()[:4096]
        with killed.open("r+b") as file:
            file.write(first_page)
        store.close()
        migrations.check(killed)
        self.path = killed
        self.assertEqual(len(self.reopened().snapshot().users), 502)


class UpgradeTests(DataFolderCase):
    """A database of an older version."""

    def make_version_1(self) -> None:
        """A database as the first version made it."""
        self.run_sql("PRAGMA journal_mode = WAL")
        connection = sqlite3.connect(self.path, isolation_level=None)
        connection.executescript(SCRIPTS[0] + "PRAGMA user_version = 1;")
        connection.executescript(
            "INSERT INTO users (name, key, created_at) VALUES ('alice', 'alice', 5);"
            "INSERT INTO members VALUES (1, 1, 0, 0, 0);"
        )
        connection.close()

    def test_backup_before(self) -> None:
        """The database as it was is kept beside, verified, before an upgrade; it is then used as before."""
        self.make_version_1()
        store = self.open_store()
        kept = self.folder / f"irchat.sqlite.before-version-{len(SCRIPTS)}"
        self.assertEqual(self.names(), ["irchat.sqlite", kept.name])
        self.assertEqual(self.run_sql("PRAGMA user_version", path=kept), [(1,)])
        self.assertEqual(self.run_sql("SELECT name FROM users", path=kept), [("alice",)])
        self.assertEqual([user.name for user in store.snapshot().users], ["alice"])
        self.commit(store, BanSet(StoredBan(1, None, None, ""), NOW), UserRemoved(1, "alice#1", "alice#1", NOW, ()))
        with opened(self.path) as connection:
            self.assertEqual(list(problems(connection)), [])

    def make_version(self, version: int) -> None:
        """A database of that version, with three users and messages in GLOBAL, a group and a private chat."""
        self.path.unlink(missing_ok=True)
        connection = sqlite3.connect(self.path, isolation_level=None)
        connection.executescript("".join(SCRIPTS[:version]) + f"PRAGMA user_version = {version}")
        connection.executescript("INSERT INTO chats (name, key, owner) VALUES ('team', 'team', NULL)")
        for name in "alice", "bob", "carol":
            connection.execute("INSERT INTO users (name, key, created_at) VALUES (?, ?, 5)", (name, name))
        connection.executescript(
            "INSERT INTO chats (low, high) VALUES (1, 2); UPDATE chats SET owner = 1 WHERE id = 2;"
            "INSERT INTO members (user, chat, standing, since_seq, read_seq) VALUES"
            " (1, 1, 0, 0, 0), (2, 1, 0, 0, 2), (3, 1, 0, 0, 0), (1, 2, 0, 0, 4), (2, 2, 1, 2, 2), (1, 3, 0, 0, 4),"
            " (2, 3, 0, 0, 0);"
        )
        for number in range(12):
            row = (1 + number % 3, 1 + number // 3, number + 1, 1 + number % 2, NOW + number, f"word {number}")
            connection.execute("INSERT INTO messages (chat, seq, id, sender, at, text) VALUES (?, ?, ?, ?, ?, ?)", row)
            connection.execute("INSERT INTO message_places (id, chat, seq) VALUES (?, ?, ?)", (row[2], *row[:2]))
        connection.execute("UPDATE chats SET last_seq = 4, last_at = ? + id", (NOW + 8,))
        connection.close()

    def test_each_version(self) -> None:
        """A database of each version keeps its messages and counts, and its messages can be changed from then on."""
        for version in range(1, len(SCRIPTS) + 1):
            self.make_version(version)
            store = self.open_store()
            ask = self.successResultOf
            self.assertEqual({one.chat: one.unread for one in ask(store.chats(2, ()))}, {1: 2, 2: 2, (1, 2): 4})
            for chat, count in ((1, 4), (2, 2), ((1, 2), 4)):
                page = ask(store.page(PageQuery(2, chat, 9)))
                self.assertEqual((len(page.messages), page.rev, {one.rev for one in page.messages}), (count, 0, {0}))
            results = self.commit(
                store,
                MessageEdited(1, 1, 1, "new", NOW, 0),
                MessageDeleted(2, 3, 1, NOW, of_anyone=True),
                MarkSet((1, 2), 1, 2, "ok", "ok", True, NOW),
                AlertSet(2, 2, "all"),
                MessageAdded(2, 1, "@bob", NOW, None, 0, (2,)),
            )
            self.assertEqual([change.rev for change in results[:3]], [1, 1, 1])
            group = next(one for one in ask(store.chats(2, ())) if one.chat == 2)
            self.assertEqual((group.unread, group.mentions, group.alert, group.rev), (2, 1, "all", 1))
            self.assertEqual(len(ask(store.search(SearchQuery(1, ["word"], None, (), 50)))[0]), 10)
            store.close()
            with opened(self.path) as connection:
                self.assertEqual(list(problems(connection)), [])
            kept = self.folder / f"irchat.sqlite.before-version-{len(SCRIPTS)}"
            self.assertEqual(kept.exists(), version < len(SCRIPTS))
            if version < len(SCRIPTS):
                self.assertEqual(self.run_sql("PRAGMA user_version", path=kept), [(version,)])
                kept.unlink()

    def test_progress(self) -> None:
        """The progress of the copy is reported in percent, then that the copy is verified."""
        self.patch(copying, "_STEP_PAGES", 1)
        for version in range(1, len(SCRIPTS)):
            self.make_version(version)
            told: list[str] = []
            SQLiteStore(self.path, NoThreads(), lambda: NOW, told.append).close()
            kept = [one for one in told if one.startswith("keeping")]
            parts = [int(one.removeprefix("keeping the database as it was: ").removesuffix(" %")) for one in kept]
            copy = self.folder / f"irchat.sqlite.before-version-{len(SCRIPTS)}"
            ((pages,),) = self.run_sql("PRAGMA page_count", path=copy)
            self.assertEqual(parts, [100 * done // pages for done in range(1, pages)])
            self.assertIn("verifying the copy of the database as it was", told)

    def test_owner_of_the_copy(self) -> None:
        """The copy is given to the owner of the folder."""
        self.make_version_1()
        given: list[Path] = []
        self.patch(copying, "give_to_owner", lambda descriptor, folder: given.append(folder))
        self.open_store()
        self.assertEqual(given, [self.folder])

    def test_no_upgrade_without(self) -> None:
        """Where it cannot be kept it is not changed."""
        self.make_version_1()

        def fail(*_: Any, **__: Any) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        self.patch(migrations, "copy_database", fail)
        self.assertRaises(sqlite3.OperationalError, self.open_store)
        self.assertEqual(self.run_sql("PRAGMA user_version"), [(1,)])

    def test_new(self) -> None:
        """A new database has nothing to keep, and one of this version neither."""
        self.open_store().close()
        self.open_store()
        self.assertEqual(self.names(), ["irchat.sqlite"])
