"""Disk faults: requests that need the disk are refused, others go on, and everything works again afterwards."""

import contextlib
import errno
import resource
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import SkipTest

import pytest
from twisted.trial.unittest import SynchronousTestCase

from irchat.store.sqlite.migrations import SCRIPTS
from irchat.system.files.data_folder import DATABASE_FILE
from tests.helpers.loads.many_clients import unlimited
from tests.helpers.loads.power_cut import COMPILER, Fault
from tests.helpers.processes import PATIENCE, JSONClient, ServerProcess, environment, twistd


class _RealServer(SynchronousTestCase):
    """Starts a real server in a folder of its own."""

    def setUp(self) -> None:
        """Make the folder."""
        self.home = Path(tempfile.mkdtemp(prefix="irchat-"))
        self.addCleanup(shutil.rmtree, self.home)

    def start(self, **variables: str) -> ServerProcess:
        """Start a server that ends with the test."""
        server = ServerProcess(self.home, "--no-tls", "--no-passwords", *unlimited(), variables=variables)
        self.addCleanup(server.kill)
        return server

    def bot(self, server: ServerProcess, name: str) -> JSONClient:
        """Sign in a client."""
        client = JSONClient(server, tls=False)
        self.addCleanup(client.close)
        self.assertEqual(client.ask(type="login", name=name)["type"], "welcome")
        return client


@pytest.mark.slow
class FaultTests(_RealServer):
    """Two users of a server whose disk fails."""

    def setUp(self) -> None:
        """Begin without messages."""
        super().setUp()
        self.kept: list[str] = []

    def meet(self, **variables: str) -> None:
        """Start the server and sign in alice and bob."""
        self.server = self.start(**variables)
        self.alice, self.bob = self.bot(self.server, "alice"), self.bot(self.server, "bob")
        self.say("before")

    def say(self, text: str, chat: str = "GLOBAL") -> None:
        """Send a message from alice, and check that bob gets it next."""
        sent = self.alice.ask(type="send", chat=chat, text=text, nonce=text)
        self.kept.append(text)
        self.assertEqual((sent["type"], sent.get("seq")), ("sent", len(self.kept)), sent)
        self.assertEqual(self.bob.event("message")["text"], text)

    def check_fault(self, begin: Callable[[], Any], end: Callable[[], Any], name: str) -> None:
        """Check that a fault refuses changes and spares timed messages, and that everything works afterwards."""
        begin()
        for request in (
            {"type": "send", "chat": "GLOBAL", "text": f"after {name}", "nonce": f"after {name}"},
            {"type": "line", "line": f"a line in {name}"},
            {"type": "send", "chat": "@bob", "text": f"to bob in {name}"},
            {"type": "create_group", "name": "team", "members": ["bob"]},
            {"type": "block", "name": "bob", "blocked": True},
        ):
            self.assertEqual(self.alice.ask(**request).get("code"), "unavailable", request)
        timed = self.alice.ask(type="send", chat="GLOBAL", text="timed", expires_in=1)
        self.assertEqual((timed["type"], timed.get("reached")), ("sent", 1), timed)
        told = self.bob.event("message")
        self.assertEqual((told["text"], told["id"]), ("timed", timed["id"]))
        self.assertEqual([message["text"] for message in self.stored(self.bob)], self.kept)
        search = {"type": "search", "words": "before"}
        refused = self.alice.ask(**search)
        self.assertEqual((refused.get("code"), "ls shows them" in refused["text"]), ("unavailable", True), refused)
        self.assertEqual(self.bob.event("erased")["id"], timed["id"])
        end()
        self.assertEqual([message["text"] for message in self.alice.ask(**search)["messages"]], ["before"])
        self.say(f"after {name}")
        self.assertEqual(self.alice.ask(type="members", group="team").get("code"), "no-such-group")
        self.assertEqual(self.alice.ask(type="blocks")["names"], [])

    def stored(self, client: JSONClient) -> list[dict[str, Any]]:
        """Return the stored messages of GLOBAL."""
        page = client.ask(type="history", chat="GLOBAL", limit=500)
        return [message for message in page["messages"] if "seq" in message]

    def check_end(self) -> None:
        """Check that no refused change is stored, even after a crash, and that the log has no traceback."""
        self.assertEqual([event for event in self.bob.events if event["type"] in ("added", "blocks")], [])
        self.server.kill()
        log = self.server.log.read_text()
        self.assertNotIn("Traceback", log)
        self.assertIn("the database cannot be used", log)
        self.assertEqual([message["text"] for message in self.stored(self.bot(self.start(), "carol"))], self.kept)

    def test_disk_fails(self) -> None:
        """Faults: a full disk, an I/O error, a read-only disk, and a failing sync."""
        if COMPILER is None:
            raise SkipTest("there is no C compiler for the shim")
        disk = Fault(self.home)
        self.meet(**disk.variables)
        self.check_fault(lambda: disk.writes_fail(errno.ENOSPC), disk.passes, "full")
        self.check_fault(lambda: disk.writes_fail(errno.EIO), disk.passes, "broken")
        self.check_fault(lambda: disk.writes_fail(errno.EROFS), disk.passes, "read-only")
        self.check_fault(lambda: disk.syncs_fail(errno.EIO), disk.passes, "not synced")
        self.check_end()

    def test_no_file_may_grow(self) -> None:
        """Fault: a limit on the size of files."""
        self.meet()
        pid = self.server.process.pid
        size = (self.server.data / f"{DATABASE_FILE}-wal").stat().st_size
        unlimited_now = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        self.check_fault(
            # No further page fits, because the log is shorter.
            lambda: resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, unlimited_now[1])),
            lambda: resource.prlimit(pid, resource.RLIMIT_FSIZE, unlimited_now),
            "no growth",
        )
        self.check_end()

    def test_locked(self) -> None:
        """Fault: another process locks the database for longer than the server waits."""
        self.meet()
        with contextlib.closing(sqlite3.connect(self.server.data / DATABASE_FILE, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            # Both are in one commit, which waits once.
            self.alice.post(
                {"type": "send", "chat": "GLOBAL", "text": "after lock", "nonce": "after lock"},
                {"type": "send", "chat": "GLOBAL", "text": "lost to the lock"},
            )
            refused = [self.alice.event("error")["code"] for _ in range(2)]
            self.assertEqual(refused, ["unavailable", "unavailable"])
            timed = self.alice.ask(type="send", chat="GLOBAL", text="timed", expires_in=60)
            self.assertEqual(self.bob.event("message")["id"], timed["id"])
            other.execute("ROLLBACK")
        self.say("after lock")
        self.check_end()


@pytest.mark.slow
class RefusedDatabaseTests(_RealServer):
    """A database that cannot be used is refused at the start, in one line with the next step."""

    def setUp(self) -> None:
        """Make a database with messages."""
        super().setUp()
        server = self.start()
        client = self.bot(server, "alice")
        for _ in range(20):
            client.ask(type="send", chat="GLOBAL", text="x" * 4_000)
        client.close()
        server.stop()
        self.database = server.data / DATABASE_FILE
        self.assertFalse(Path(f"{self.database}-wal").exists())

    def refused(self) -> str:
        """Return the line with which the server refuses to start."""
        ended = subprocess.run(
            twistd("-n", "--pidfile=", "irchat", "--no-tls", "--port", "0", "--data", str(self.database.parent)),
            cwd=self.home, env=environment(self.home), stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=PATIENCE, check=False,
        )  # fmt: skip
        self.assertEqual(ended.returncode, 1)
        said = ended.stdout + ended.stderr
        self.assertNotIn("Traceback", said)
        (line,) = (line for line in said.splitlines() if "irchat: " in line)
        return line

    def test_damaged(self) -> None:
        """A file of another kind, a truncated one, and one with overwritten pages are refused and stay unchanged."""
        whole = self.database.read_bytes()
        overwritten = whole[:100] + b"\xff" * 20_000 + whole[20_100:]
        for damaged in b"no database" * 1_000, whole[: len(whole) // 2], overwritten:
            self.database.write_bytes(damaged)
            line = self.refused()
            self.assertIn("cannot be used", line)
            self.assertIn("restore a backup", line)
            self.assertEqual(self.database.read_bytes(), damaged)

    def test_daemon(self) -> None:
        """A daemon that cannot start reports it, and its parent process exits with status 1."""
        self.database.write_bytes(b"no database" * 1_000)
        ended = subprocess.run(
            twistd("irchat", "--no-tls", "--port", "0", "--data", str(self.database.parent)),
            cwd=self.home, env=environment(self.home), stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=PATIENCE, check=False,
        )  # fmt: skip
        self.assertEqual(ended.returncode, 1)
        self.assertIn("irchat: the database in", ended.stderr)
        self.assertFalse((self.home / "twistd.pid").exists())

    def test_newer(self) -> None:
        """A database of a newer version is refused and stays unchanged."""
        with contextlib.closing(sqlite3.connect(self.database)) as connection:
            connection.execute(f"PRAGMA user_version = {len(SCRIPTS) + 1}")
        newer = self.database.read_bytes()
        self.assertIn("use the newer IRChat", self.refused())
        self.assertEqual(self.database.read_bytes(), newer)

    def test_newer_left_by_a_kill(self) -> None:
        """A database is refused if the newer version is only in its journal."""
        with contextlib.closing(sqlite3.connect(self.database)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA user_version = {len(SCRIPTS) + 1}")
            self.assertGreater(Path(f"{self.database}-wal").stat().st_size, 0)
            self.assertIn("use the newer IRChat", self.refused())

    def test_no_copy_before_an_upgrade(self) -> None:
        """If the copy before an upgrade fails, the database stays unchanged, and the next start upgrades it."""
        with contextlib.closing(sqlite3.connect(self.database)) as connection:
            # What versions 6 and 7 added.
            connection.executescript(
                "ALTER TABLE chats DROP COLUMN rev; ALTER TABLE members DROP COLUMN alert;"
                " DROP TABLE amended; DROP TABLE marks; DROP TABLE mentions; ALTER TABLE messages DROP COLUMN notice;"
                " ALTER TABLE tokens DROP COLUMN created_at; ALTER TABLE tokens DROP COLUMN label; DROP TABLE keys;"
                " PRAGMA user_version = 5;"
            )
        older = self.database.read_bytes()
        in_its_place = Path(f"{self.database}.before-version-{len(SCRIPTS)}")
        in_its_place.mkdir()
        self.assertIn(in_its_place.name, self.refused())
        self.assertEqual(self.database.read_bytes(), older)
        in_its_place.rmdir()
        page = self.bot(self.start(), "alice").ask(type="history", chat="GLOBAL", limit=500)
        self.assertEqual(len(page["messages"]), 20)

    def test_damaged_in_the_middle(self) -> None:
        """With damaged pages of messages the server starts, requests for them are unavailable, and the log says so."""
        with contextlib.closing(sqlite3.connect(self.database)) as connection:
            query = "SELECT pageno, pgsize FROM dbstat WHERE name = 'messages' AND pagetype = 'leaf'"
            try:
                pages = connection.execute(query).fetchall()
            except sqlite3.OperationalError as error:
                raise SkipTest("this SQLite does not tell where its pages are") from error
        with self.database.open("r+b") as file:
            for number, size in pages:
                file.seek((number - 1) * size)
                file.write(b"\xff" * size)
        server = self.start()
        client = self.bot(server, "alice")
        self.assertEqual(client.ask(type="history", chat="GLOBAL").get("code"), "unavailable")
        self.assertEqual(client.ask(type="ping")["type"], "pong")
        timed = client.ask(type="send", chat="GLOBAL", text="timed", expires_in=60)
        self.assertEqual(timed["type"], "sent")
        self.assertIn("malformed", server.log.read_text())
        self.assertNotIn("Traceback", server.log.read_text())
