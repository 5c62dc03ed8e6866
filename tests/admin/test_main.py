"""``python -m irchat.admin``: each command, in a folder that no server uses and through a running server."""

import fcntl
import getpass
import hashlib
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from irchat.admin import database, main, reach
from irchat.chat.accounts.administration import Stats, StatsRow
from tests.helpers.admin import PASSWORD, AdminCase
from tests.helpers.processes import JSONClient, ServerProcess, environment


class _Commands:
    """Tests that hold with and without a running server."""

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
        """Accounts are created, listed, given new passwords, banned, unbanned and removed."""
        self.add("Alice", "bob", "carol")
        self.refused("taken", "add-user", "BOB", typed=f"{PASSWORD}\n")
        self.refused("8 to 1,024", "add-user", "dave", typed="short\n")
        self.assertEqual([row[0] for row in self.rows("users")], ["Alice", "bob", "carol"])
        before = self.tables("SELECT password FROM users ORDER BY id")
        self.done("reset-password", "bob", typed="another password\n")
        after = self.tables("SELECT password FROM users ORDER BY id")
        self.assertEqual([a == b for a, b in zip(before, after, strict=True)], [True, False, True])
        self.refused("no user 'nobody'", "reset-password", "nobody", typed=f"{PASSWORD}\n")
        self.assertIn("bob is banned for good", self.done("ban", "bob"))
        said = self.done("ban", "alice", "--until", "2999-12-01T12:00Z")
        self.assertEqual(said, "Alice is banned until 2999-12-01 12:00 UTC.\n")
        self.assertEqual([row[3:] for row in self.rows("users")], [["2999-12-01", "12:00", "UTC"], ["for", "good"], []])
        self.assertEqual(self.done("unban", "bob"), "bob is no longer banned.\n")
        self.refused("not banned", "unban", "bob")
        self.assertEqual(self.done("kick", "bob"), "bob had 0 sessions.\n")
        self.assertIn("bob#2", self.done("remove-user", "bob", "--yes"))
        self.refused("no user 'bob'", "remove-user", "bob", "--yes")
        self.assertIn("bob#2 is removed.", self.done("remove-user", "bob#2", "--messages", "--yes"))
        self.assertEqual([row[0] for row in self.rows("users")], ["Alice", "carol"])

    def test_token(self) -> None:
        """A token is printed once, alone on its line, and stored as a hash with its label."""
        self.add("ops")
        token = self.done("token", "ops", " disk \x1b check ")
        self.assertRegex(token, r"^[\w-]{43}\n$")
        ((digest, label),) = self.tables("SELECT hash, label FROM tokens")
        self.assertEqual((digest, label), (hashlib.sha256(token.strip().encode()).digest(), "disk ␛ check"))
        self.refused("no user 'nobody'", "token", "nobody", "x")
        self.refused("1 to 64 characters", "token", "ops", " ")
        self.refused("1 to 64 characters", "token", "ops", "x" * 65)

    def test_addresses(self) -> None:
        """Addresses are banned for a time with a reason, listed, and unbanned."""
        self.add("alice")
        said = self.done("ban", "192.0.2.7/24", "--for", "2h30m", "--reason", "spam")
        self.assertIn("192.0.2.0/24 is banned until", said)
        self.done("ban", "2001:db8::1")
        (network, *until, reason), second = self.rows("bans")
        self.assertEqual((network, len(until), reason), ("192.0.2.0/24", 3, "spam"))
        self.assertEqual(second, ["2001:db8::1/128", "for", "good"])
        self.done("unban", "2001:db8::1")
        self.assertEqual(len(self.rows("bans")), 1)
        self.refused("not a future time", "ban", "alice", "--for", "ever")
        self.refused("not a future time", "ban", "alice", "--until", "2020-01-01")
        self.refused("no user", "ban", "nobody")

    def test_backup_and_check(self) -> None:
        """A backup is a sound database that only its owner can read; the check finds no problem; the stats count."""
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


class OfflineTests(_Commands, AdminCase):
    """Commands, while no server runs."""

    def test_questions(self) -> None:
        """On a terminal a password is asked for twice, and an action that cannot be undone is confirmed once."""
        answers = [PASSWORD, PASSWORD, PASSWORD, "different"]
        self.patch(getpass, "getpass", lambda prompt: answers.pop(0))
        self.assertEqual(self.admin("add-user", "alice", terminal=True)[0], 0)
        status, _, err = self.admin("add-user", "bob", terminal=True)
        self.assertEqual(status, 1)
        self.assertIn("passwords differ", err)
        for typed, terminal in (("n\n", True), ("\n", True), ("yes\n", False)):
            status, out, err = self.admin("remove-user", "alice", typed=typed, terminal=terminal)
            self.assertEqual(status, 1)
            self.assertIn("nothing was removed", err)
        status, out, _ = self.admin("remove-user", "alice", "--messages", typed="Y\n", terminal=True)
        self.assertEqual(status, 0)
        self.assertIn("delete all messages", out)

    def test_delete(self) -> None:
        """A message is deleted by its chat and number. What is not there is refused."""
        self.fill()
        self.refused("no chat 'team'", "delete", "team", "1")
        self.refused("no message 4 in GLOBAL", "delete", "GLOBAL", "4")
        self.assertEqual(self.done("delete", "GLOBAL", "2"), "Message 2 of GLOBAL is deleted.\n")
        self.refused("no message 2 in GLOBAL", "delete", "GLOBAL", "2")
        self.assertEqual(self.tables("SELECT text FROM messages"), [("text 0",), ("text 2",)])
        self.assertEqual(self.admin("delete", "GLOBAL", "one")[0], 2)

    def test_progress(self) -> None:
        """On a terminal the progress of a copy and of a removal is shown."""
        self.fill()
        status, _, err = self.admin("backup", str(self.home / "copy"), terminal=True)
        self.assertEqual(status, 0)
        self.assertIn("100 %", err)
        _, _, err = self.admin("remove-user", "alice", "--messages", "--yes", terminal=True)
        self.assertIn("3 messages deleted", err)

    def test_interrupted(self) -> None:
        """Ctrl-C ends a command with status 130 and without a traceback."""
        self.fill()

        def interrupt(*_: Any) -> None:
            raise KeyboardInterrupt

        self.patch(database, "backup", interrupt)
        self.assertEqual(self.admin("backup", "x")[::2], (130, "irchat: stopped\n"))

    def test_broken_pipe(self) -> None:
        """A closed pipe at the output ends a command with status 1 and without a traceback."""
        self.fill()
        reading, writing = os.pipe()
        os.close(reading)
        with os.fdopen(writing, "w", buffering=1) as out:
            self.patch(sys, "stdout", out)
            self.assertEqual(main.main(["--data", str(self.data), "users"]), 1)

    def test_sizes(self) -> None:
        """Sizes are shown in fitting units."""
        self.assertEqual(
            [main._size(n) for n in (0, 1_023, 1_024, 1_572_864, 2**60)],
            ["0 B", "1023 B", "1.0 KiB", "1.5 MiB", "1048576.0 TiB"],
        )

    def test_pages(self) -> None:
        """Accounts are requested page by page, and all are listed."""
        self.fill()
        self.add("bob", "carol")
        self.patch(sys.modules["irchat.chat.accounts.administration"], "_PAGE_MOST", 2)
        self.assertEqual([row[0] for row in self.rows("users")], ["alice", "bob", "carol"])


class NodeCommandTests(AdminCase):
    """The commands for several nodes."""

    def test_bus_key(self) -> None:
        """A new key is written for its owner alone, and never over another."""
        path = self.home / "key"
        self.assertIn("Copy it to each node", self.done("bus-key", str(path)))
        self.assertEqual((path.stat().st_mode & 0o777, path.stat().st_size), (0o600, 32))
        self.refused("exists", "bus-key", str(path))
        self.refused("No such file", "bus-key", str(self.home / "nowhere" / "key"))

    def test_nodes(self) -> None:
        """The nodes are listed, with the state of the bus, and with the statistics, where a silent one is named."""
        rows = [
            {
                "name": "one",
                "version": 1,
                "position": 12,
                "lag": 0,
                "sessions": 1_234,
                "silent": 0.4,
                "bus_silent": 0.5,
            },
            {"name": "two", "version": 1, "position": 10, "lag": 2, "sessions": 0, "silent": 99.0, "bus_silent": 98.7},
            {"name": "three", "version": 2, "position": 0, "lag": 12, "sessions": 0, "silent": 1.0, "bus_silent": None},
        ]
        self.patch(main, "ask", lambda data, command, tell: rows)
        head, *lines = self.done("nodes").splitlines()
        self.assertEqual(head.split(), ["NODE", "VERSION", "POSITION", "LAG", "SESSIONS", "SILENT", "FOR", "BUS"])
        self.assertEqual(lines[0].split(), ["one", "1", "12", "0", "1,234", "0", "s", "works"])
        self.assertTrue(lines[1].endswith("99 s        away for 99 s"), lines[1])
        self.assertTrue(lines[2].endswith("none"), lines[2])
        figures = dict.fromkeys(StatsRow.__struct_fields__, 7)
        self.patch(main, "ask", lambda data, command, tell: {**figures, "nodes": rows})
        self.assertEqual(
            self.done("stats").splitlines()[-3:],
            [
                "node one      1,234 sessions",
                "node two      silent for 99 s: look whether it runs",
                "node three    0 sessions",
            ],
        )

    def test_no_nodes(self) -> None:
        """A server with SQLite, running or not, has no nodes."""
        self.fill()
        self.refused("shares its data with no other node", "nodes")


@pytest.mark.slow
class LiveTests(_Commands, AdminCase):
    """Commands through a running server."""

    def setUp(self) -> None:
        """Start the server."""
        super().setUp()
        self.server = ServerProcess(self.home, "--no-tls")
        self.addCleanup(self.server.kill)

    def client(self, name: str, kind: str = "register", password: str = PASSWORD) -> JSONClient:
        """Return a signed-in client."""
        client = JSONClient(self.server, tls=False)
        self.addCleanup(client.close)
        welcome = client.ask(type=kind, name=name, password=password)
        self.assertEqual(welcome["type"], "welcome", welcome)
        return client

    def test_sessions(self) -> None:
        """Connected users are listed, kicked, banned and removed while others go on."""
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
        self.assertIn("spam", bob.ask(type="login", name="bob", password=PASSWORD)["text"])
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

    def test_delete(self) -> None:
        """A message that is deleted goes at once for those connected."""
        alice, bob = self.client("alice"), self.client("bob")
        alice.ask(type="create_group", name="team", members=["bob"])
        for chat in "*team", "@bob":
            alice.ask(type="send", chat=chat, text="hi")
        self.assertEqual(self.done("delete", "*team", "1"), "Message 1 of *team is deleted.\n")
        self.done("delete", "@bob@alice", "1")
        deleted = [bob.event("amended") for _ in range(2)]
        told = [(event["chat"], event["by"], event["deleted"]) for event in deleted]
        self.assertEqual(told, [("*team", "", True), ("@alice", "", True)])

    def test_banned_address(self) -> None:
        """A banned address is disconnected at once and shown the reason."""
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
        """A backup under traffic holds everything acknowledged before it, and the server goes on."""
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
        """``python -m irchat.admin`` runs a command. The password is not among its arguments or in the server's log."""
        ran = subprocess.run(
            [sys.executable, "-m", "irchat.admin", "--data", str(self.data), "add-user", "alice"],
            cwd=self.home, env=environment(self.home), input=f"{PASSWORD}\n", capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip
        self.assertEqual((ran.returncode, ran.stdout, ran.stderr), (0, "alice can sign in now.\n", ""))
        self.client("alice", "login")
        self.assertNotIn(PASSWORD, self.server.log.read_text())

    def test_lock_is_the_servers(self) -> None:
        """A running server keeps the lock of the folder, and answers commands."""
        descriptor = os.open(self.data / "lock", os.O_RDWR)
        self.addCleanup(os.close, descriptor)
        self.assertRaises(BlockingIOError, fcntl.flock, descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.assertTrue(reach.ask(self.data, Stats(), print)["uptime"] > 0)
