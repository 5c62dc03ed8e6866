"""``python -m irchat.admin``: each command, in a folder that no server uses and through a server that runs."""

import contextlib
import fcntl
import getpass
import io
import os
import shutil
import socket
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from irchat.admin import database, main, reach
from irchat.chat.accounts.administration import Kick, Stats
from irchat.interfaces.stored import GLOBAL
from irchat.store.sqlite.engine import SQLiteStore
from irchat.store.sqlite.threads import NoThreads
from irchat.system.files.data_folder import DataFolder
from tests.helpers.processes import JSONClient, ServerProcess, environment
from tests.helpers.stores import NOW, message

_PASSWORD = "correct horse"


class _Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


class _Case(SynchronousTestCase):
    def setUp(self) -> None:
        """Choose a folder, with a short path, for that of a UNIX socket has about a hundred characters."""
        self.home = Path(tempfile.mkdtemp(prefix="irchat-"))
        self.addCleanup(shutil.rmtree, self.home)
        self.data = self.home / "data"
        self.database = self.data / "irchat.sqlite"

    def admin(self, *arguments: str, typed: str = "", terminal: bool = False) -> tuple[int, str, str]:
        """Run a command; gives its status, its output and its errors."""
        stream = _Terminal if terminal else io.StringIO
        self.patch(sys, "stdin", stream(typed))
        out, err = io.StringIO(), stream()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main.main(["--data", str(self.data), *arguments])
        return status, out.getvalue(), err.getvalue()

    def done(self, *arguments: str, **how: Any) -> str:
        """The output of a command that is done."""
        status, out, err = self.admin(*arguments, **how)
        self.assertEqual((status, err), (0, ""), out)
        return out

    def refused(self, reason: str, *arguments: str, **how: Any) -> None:
        """A command is refused in one line."""
        status, out, err = self.admin(*arguments, **how)
        self.assertEqual((status, out), (1, ""))
        self.assertIn(reason, err)
        self.assertTrue(err.startswith("irchat: "), err)
        self.assertEqual(err.count("\n"), 1, err)

    def add(self, *names: str) -> None:
        """Make accounts."""
        for name in names:
            self.done("add-user", name, typed=f"{_PASSWORD}\n")

    def rows(self, command: str) -> list[list[str]]:
        """The table that a command prints, without its head."""
        return [line.split() for line in self.done(command).splitlines()[1:]]

    def tables(self, sql: str, path: Path | None = None) -> list[Any]:
        """Ask a database file."""
        connection = sqlite3.connect(path or self.database)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()


class _Commands:
    """What is the same whether a server runs or not."""

    add: Any
    assertEqual: Any
    assertIn: Any
    data: Path
    database: Path
    done: Any
    home: Path
    refused: Any
    rows: Any
    tables: Any

    def test_accounts(self) -> None:
        """Accounts are made, listed, given new passwords, banned, let in and removed."""
        self.add("Alice", "bob", "carol")
        self.refused("taken", "add-user", "BOB", typed=f"{_PASSWORD}\n")
        self.refused("8 to 1,024", "add-user", "dave", typed="short\n")
        self.assertEqual([row[0] for row in self.rows("users")], ["Alice", "bob", "carol"])
        before = self.tables("SELECT password FROM users ORDER BY id")
        self.done("reset-password", "bob", typed="another password\n")
        after = self.tables("SELECT password FROM users ORDER BY id")
        self.assertEqual([a == b for a, b in zip(before, after, strict=True)], [True, False, True])
        self.refused("no user 'nobody'", "reset-password", "nobody", typed=f"{_PASSWORD}\n")
        self.assertIn("bob is banned for good", self.done("ban", "bob"))
        said = self.done("ban", "alice", "--until", "2999-12-01T12:00Z")
        self.assertEqual(said, "Alice is banned until 2999-12-01 12:00 UTC.\n")
        self.assertEqual([row[3:] for row in self.rows("users")], [["2999-12-01", "12:00", "UTC"], ["for", "good"], []])
        self.assertEqual(self.done("unban", "bob"), "bob is not banned any more.\n")
        self.refused("not banned", "unban", "bob")
        self.assertEqual(self.done("kick", "bob"), "bob had 0 sessions.\n")
        self.assertIn("bob#2", self.done("remove-user", "bob", "--yes"))
        self.refused("no user 'bob'", "remove-user", "bob", "--yes")
        self.assertIn("bob#2 is removed.", self.done("remove-user", "bob#2", "--messages", "--yes"))
        self.assertEqual([row[0] for row in self.rows("users")], ["Alice", "carol"])

    def test_addresses(self) -> None:
        """Addresses are banned for a time with a reason, listed, and let in again."""
        self.add("alice")
        said = self.done("ban", "192.0.2.7/24", "--for", "2h30m", "--reason", "spam")
        self.assertIn("192.0.2.0/24 is banned until", said)
        self.done("ban", "2001:db8::1")
        (network, *until, reason), second = self.rows("bans")
        self.assertEqual((network, len(until), reason), ("192.0.2.0/24", 3, "spam"))
        self.assertEqual(second, ["2001:db8::1/128", "for", "good"])
        self.done("unban", "2001:db8::1")
        self.assertEqual(len(self.rows("bans")), 1)
        self.refused("no time to come", "ban", "alice", "--for", "ever")
        self.refused("no time to come", "ban", "alice", "--until", "2020-01-01")
        self.refused("no user", "ban", "nobody")

    def test_backup_and_check(self) -> None:
        """A backup is a sound database that only its owner can read; the check says that all is well; stats count."""
        self.add("alice", "bob")
        copy = self.home / "copy"
        self.assertIn("verified copy", self.done("backup", str(copy)))
        self.assertEqual(stat.S_IMODE(copy.stat().st_mode), 0o600)
        self.assertEqual(self.tables("SELECT name FROM users", copy), [("alice",), ("bob",)])
        self.assertEqual(self.done("check"), "The database is sound.\n")
        self.assertEqual(sorted(path.name for path in self.data.iterdir() if "check" in path.name), [])
        stats = dict(line.split(maxsplit=1) for line in self.done("stats").splitlines() if "private" not in line)
        self.assertEqual((stats["users"], stats["online"], stats["messages"]), ("2", "0", "0"))
        for file, reason in (
            (self.database, "the database itself"), (self.home, "is a folder"),
            (self.home / "none" / "copy", "No such file"), (self.data / "irchat.sqlite-wal", "the database itself"),
        ):  # fmt: skip
            self.refused(reason, "backup", str(file))


class OfflineTests(_Commands, _Case):
    """No server runs."""

    def fill(self, count: int = 3) -> None:
        """Make an account with messages."""
        self.add("alice")
        store = SQLiteStore(self.database, NoThreads(), lambda: NOW)
        self.successResultOf(store.commit([message(GLOBAL, 1, f"text {number}") for number in range(count)]))
        store.close()

    def test_no_data(self) -> None:
        """Where there is no data nothing is made but by the first account and by a backup's return."""
        for command in (["users"], ["bans"], ["kick", "x"], ["stats"], ["check"], ["backup", "x"], ["unban", "x"]):
            self.refused("is --data right?", *command)
        self.assertFalse(self.data.exists())
        self.data.write_text("")
        self.refused("cannot be used", "add-user", "alice", typed=f"{_PASSWORD}\n")

    def test_restore(self) -> None:
        """A backup takes the place of the database, which is kept beside with all that its journal held."""
        self.fill()
        copy = self.home / "copy"
        self.done("backup", str(copy))
        self.add("bob")
        held = sqlite3.connect(self.database)  # keeps the journal from being emptied
        held.execute("SELECT count(*) FROM users").fetchone()
        self.add("carol")
        self.done("restore", str(copy))
        held.close()
        (kept,) = [path for path in self.data.glob("*.before-restore-*") if not path.name.endswith(("wal", "shm"))]
        self.assertEqual([name for (name,) in self.tables("SELECT name FROM users", kept)], ["alice", "bob", "carol"])
        self.assertEqual([row[0] for row in self.rows("users")], ["alice"])
        self.assertEqual(stat.S_IMODE(self.database.stat().st_mode), 0o600)
        self.assertEqual(self.done("check"), "The database is sound.\n")
        self.assertEqual(list(self.data.glob("*restoring*")), [])
        self.assertEqual(self.database.stat().st_uid, self.data.stat().st_uid)

    def test_restore_where_nothing_is(self) -> None:
        """A backup can be restored into a new folder, also by who is not root."""
        self.fill()
        copy = self.home / "copy"
        self.done("backup", str(copy))
        self.data = self.home / "new"
        self.patch(os, "geteuid", lambda: 1)
        self.assertEqual(self.done("restore", str(copy)), f"{copy} is restored.\n")
        self.assertEqual([row[0] for row in self.rows("users")], ["alice"])

    def test_restore_instead_of_a_damaged_one(self) -> None:
        """A damaged database is kept as it is, with its journal."""
        self.fill()
        copy = self.home / "copy"
        self.done("backup", str(copy))
        self.database.write_bytes(b"rubbish" * 1_000)
        wal = self.database.with_name("irchat.sqlite-wal")
        wal.write_bytes(b"journal")
        self.refused("file is not a database", "users")
        self.refused("file is not a database", "check")
        wal.write_bytes(b"journal")
        self.done("restore", str(copy))
        kept = {path.name[-4:]: path.read_bytes() for path in self.data.glob("*.before-restore-*")}
        self.assertEqual(sorted(kept.values()), [b"journal", b"rubbish" * 1_000])
        self.assertIn("-wal", kept)
        self.assertEqual([row[0] for row in self.rows("users")], ["alice"])

    def test_restore_refused(self) -> None:
        """What is no sound backup is not restored, and the database stays as it is."""
        self.fill()
        before = self.tables("SELECT * FROM users")
        bad = self.home / "bad"
        bad.write_text("rubbish" * 1_000)
        self.refused("not a database", "restore", str(bad))
        bad.unlink()
        sqlite3.connect(bad).close()
        self.refused("no database of IRChat", "restore", str(bad))
        self.refused("No such file", "restore", str(self.home / "none"))
        self.refused("the database itself", "restore", str(self.database))
        self.done("backup", str(bad))
        self.tables("PRAGMA user_version = 99", bad)
        self.refused("use the newer IRChat", "restore", str(bad))
        self.assertEqual(self.tables("SELECT * FROM users"), before)
        self.assertEqual(list(self.data.glob("*restor*")), [])

    def test_not_sound(self) -> None:
        """What the check finds is printed line by line, with what to do, and the status says so."""
        self.fill()
        self.tables("PRAGMA foreign_keys = OFF")
        connection = sqlite3.connect(self.database)
        connection.execute("UPDATE chats SET last_seq = 9 WHERE id = 1")
        connection.commit()
        connection.close()
        status, out, err = self.admin("check")
        self.assertEqual((status, out), (1, ""))
        self.assertIn("irchat: chat 1 lacks messages between 0 and 9", err)
        self.assertIn("restore a backup", err.splitlines()[-1])
        connection = sqlite3.connect(self.database)
        connection.execute("PRAGMA user_version = 1")
        connection.close()
        self.refused("start the server once", "check")

    def test_locked(self) -> None:
        """A folder that a process has which does not answer is left alone; it can still be copied and checked."""
        self.fill()
        folder = DataFolder(self.data)
        folder.acquire()
        self.addCleanup(folder.release)
        self.refused("stop it first", "users")
        self.done("backup", str(self.home / "copy"))
        self.refused("stop it first", "restore", str(self.home / "copy"))
        self.assertEqual(self.done("check"), "The database is sound.\n")

    def test_questions(self) -> None:
        """On a terminal passwords are asked for twice, and what cannot be undone once."""
        answers = [_PASSWORD, _PASSWORD, _PASSWORD, "different"]
        self.patch(getpass, "getpass", lambda prompt: answers.pop(0))
        self.assertEqual(self.admin("add-user", "alice", terminal=True)[0], 0)
        status, _, err = self.admin("add-user", "bob", terminal=True)
        self.assertEqual(status, 1)
        self.assertIn("not the same", err)
        for typed, terminal in (("n\n", True), ("\n", True), ("yes\n", False)):
            status, out, err = self.admin("remove-user", "alice", typed=typed, terminal=terminal)
            self.assertEqual(status, 1)
            self.assertIn("nothing was removed", err)
        status, out, _ = self.admin("remove-user", "alice", "--messages", typed="Y\n", terminal=True)
        self.assertEqual(status, 0)
        self.assertIn("all that was written", out)

    def test_progress(self) -> None:
        """On a terminal it is shown how far a copy and a removal are."""
        self.fill()
        status, _, err = self.admin("backup", str(self.home / "copy"), terminal=True)
        self.assertEqual(status, 0)
        self.assertIn("100 %", err)
        _, _, err = self.admin("remove-user", "alice", "--messages", "--yes", terminal=True)
        self.assertIn("3 messages deleted", err)

    def test_interrupted(self) -> None:
        """Control-C and a reader that has seen enough end a command without a traceback."""
        self.fill()

        def interrupt(*_: Any) -> None:
            raise KeyboardInterrupt

        self.patch(database, "backup", interrupt)
        self.assertEqual(self.admin("backup", "x")[::2], (130, "irchat: stopped\n"))

    def test_broken_pipe(self) -> None:
        """A reader that has seen enough ends a command without a word."""
        self.fill()
        reading, writing = os.pipe()
        os.close(reading)
        with os.fdopen(writing, "w", buffering=1) as out:
            self.patch(sys, "stdout", out)
            self.assertEqual(main.main(["--data", str(self.data), "users"]), 1)

    def test_sizes(self) -> None:
        """Sizes are shown in units that fit."""
        self.assertEqual(
            [main._size(n) for n in (0, 1_023, 1_024, 1_572_864, 2**60)],
            ["0 B", "1023 B", "1.0 KiB", "1.5 MiB", "1048576.0 TiB"],
        )

    def test_pages(self) -> None:
        """The accounts are asked for page by page, and all are listed."""
        self.fill()
        self.add("bob", "carol")
        self.patch(sys.modules["irchat.chat.accounts.administration"], "_PAGE_MOST", 2)
        self.assertEqual([row[0] for row in self.rows("users")], ["alice", "bob", "carol"])

    def test_fails(self) -> None:
        """A disk that fails is told in one line."""
        self.fill()

        def fail(*_: Any, **__: Any) -> None:
            raise OSError("something else")

        self.patch(database, "copy_database", fail)
        self.refused("something else", "backup", str(self.home / "copy"))


class StoppingTests(_Case):
    """A server that stops."""

    def test_closes(self) -> None:
        """A server that closes the connection without an answer, as when it stops, is told of."""
        self.data.mkdir()
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(self.data / "control.sock"))
            listening.listen()

            def close() -> None:
                connection, _ = listening.accept()
                connection.recv(1_000)
                connection.close()

            thread = threading.Thread(target=close)
            thread.start()
            self.assertRaises(reach.Failed, reach.ask, self.data, Kick(name="bob"), print)
            thread.join()


class LiveTests(_Commands, _Case):
    """A server runs."""

    def setUp(self) -> None:
        """Start it."""
        super().setUp()
        self.server = ServerProcess(self.home, "--no-tls")
        self.addCleanup(self.server.kill)

    def client(self, name: str, kind: str = "register", password: str = _PASSWORD) -> JSONClient:
        """A client that is signed in."""
        client = JSONClient(self.server, tls=False)
        self.addCleanup(client.close)
        welcome = client.ask(type=kind, name=name, password=password)
        self.assertEqual(welcome["type"], "welcome", welcome)
        return client

    def test_sessions(self) -> None:
        """Who is connected is seen, kicked, banned and removed while others go on."""
        alice, bob = self.client("alice"), self.client("bob")
        self.assertEqual([row[:2] for row in self.rows("users")], [["alice", "online"], ["bob", "online"]])
        bob.ask(type="send", chat="GLOBAL", text="word of bob")
        self.assertEqual(self.done("kick", "bob"), "bob had 1 session.\n")
        self.assertEqual(bob.event("bye")["reason"], "the administrator ended your sessions")
        self.assertIsNone(bob.next())
        bob = self.client("bob", "login")
        self.done("ban", "bob", "--for", "1h", "--reason", "spam")
        self.assertIn("spam", bob.event("bye")["reason"])
        bob = JSONClient(self.server, tls=False)
        self.addCleanup(bob.close)
        self.assertIn("spam", bob.ask(type="login", name="bob", password=_PASSWORD)["text"])
        self.done("unban", "bob")
        bob = self.client("bob", "login")
        self.done("reset-password", "bob", typed="another password\n")
        bob.event("bye")
        bob = self.client("bob", "login", "another password")
        self.done("remove-user", "bob", "--messages", "--yes")
        bob.event("bye")
        self.assertEqual(alice.ask(type="history", chat="GLOBAL")["messages"], [])
        self.assertEqual(alice.ask(type="send", chat="GLOBAL", text="still here")["seq"], 2)
        self.assertEqual(self.done("check"), "The database is sound.\n")
        self.assertIn("uptime", self.done("stats"))

    def test_banned_address(self) -> None:
        """An address that is banned is out at once and told why."""
        client = self.client("alice")
        self.done("ban", "127.0.0.0/8", "--reason", "closed")
        self.assertEqual(client.event("bye")["reason"], "You are banned: closed")
        other = JSONClient(self.server, tls=False)
        self.addCleanup(other.close)
        other.post({"type": "ping"})
        self.assertEqual(other.event("bye")["reason"], "You are banned: closed")
        self.done("unban", "127.0.0.0/8")
        self.client("alice", "login")

    def test_backup_under_traffic(self) -> None:
        """A backup while messages come holds what was acknowledged before it, and the server goes on."""
        alice = self.client("alice")
        for number in range(20):
            alice.ask(type="send", chat="GLOBAL", text=f"text {number}")
        alice.post(*({"type": "send", "chat": "GLOBAL", "text": "more"} for _ in range(9)))
        copy = self.home / "copy"
        self.done("backup", str(copy))
        self.assertTrue(20 <= self.tables("SELECT count(*) FROM messages", copy)[0][0] <= 29)
        self.refused("stop it first", "restore", str(copy))
        self.assertEqual(self.server.stop() and self.done("restore", str(copy))[:4], str(copy)[:4])

    def test_module(self) -> None:
        """``python -m irchat.admin`` runs a command; no password is among its arguments or in the server's log."""
        ran = subprocess.run(
            [sys.executable, "-m", "irchat.admin", "--data", str(self.data), "add-user", "alice"],
            cwd=self.home, env=environment(self.home), input=f"{_PASSWORD}\n", capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip
        self.assertEqual((ran.returncode, ran.stdout, ran.stderr), (0, "alice can sign in now.\n", ""))
        self.client("alice", "login")
        self.assertNotIn(_PASSWORD, self.server.log.read_text())

    def test_lock_is_the_servers(self) -> None:
        """The folder stays the server's own."""
        descriptor = os.open(self.data / "lock", os.O_RDWR)
        self.addCleanup(os.close, descriptor)
        self.assertRaises(BlockingIOError, fcntl.flock, descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.assertTrue(reach.ask(self.data, Stats(), print)["uptime"] > 0)
