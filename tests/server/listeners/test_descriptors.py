"""File descriptors: the behaviour when they are scarce."""

import errno
import os
import resource
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock
from twisted.logger import LogEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from irchat.server.listeners.descriptors import Room, SpareDescriptor, descriptor_limit
from tests.helpers.processes import JSONClient, ServerProcess, environment, wait_for
from tests.helpers.server import Client, ServerTestCase, TextClient


class RoomTests(SynchronousTestCase):
    """`Room`."""

    def setUp(self) -> None:
        """Create room for 36 of 100 files, and the log."""
        self.clock = Clock()
        self.room = Room(self.clock.seconds, lambda: 100)
        self.lines: list[LogEvent] = []
        globalLogPublisher.addObserver(self.lines.append)
        self.addCleanup(globalLogPublisher.removeObserver, self.lines.append)

    def test_most(self) -> None:
        """Connections leave 64 files, or half if there are few."""
        self.assertEqual(
            [Room(self.clock.seconds, lambda most=most: most).most for most in (16_384, 128, 100, 20)],
            [16_320, 64, 50, 10],
        )
        self.assertGreater(descriptor_limit(), 0)

    def test_limit(self) -> None:
        """The limit is the present one of the process, not the highest that it may ask for. It may be missing."""
        self.patch(resource, "getrlimit", lambda which: (100, 200))
        self.assertEqual(descriptor_limit(), 100)
        self.patch(resource, "getrlimit", lambda which: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        self.assertEqual(descriptor_limit(), sys.maxsize)

    def test_one_line_a_minute(self) -> None:
        """However many connections are refused, the log has one line a minute, with their count, without addresses."""
        self.room.taken = self.room.most
        for minute in range(3):
            for _ in range(100):
                self.assertFalse(self.room.is_there())
                self.room.quiet({"log_format": "Closed socket from {address}", "address": ("192.0.2.1", 7)})
                self.room.quiet({"log_format": "Could not accept ({acceptError})", "acceptError": "ENFILE"})
                self.room.quiet({"log_format": "EMFILE encountered"})
            self.clock.advance(60)
            self.assertEqual(len(self.lines), minute + 1)
        self.assertEqual([line["count"] for line in self.lines], [1, 300, 300])
        self.clock.advance(60)
        for event, why in (({"acceptError": "ENFILE"}, "ENFILE"), ({"address": ()}, "EMFILE")):
            self.room.quiet(event)
            self.assertIn(f"({why})", self.lines.pop()["why"])
            self.clock.advance(60)
        self.assertNotIn("192.0.2.1", str(self.lines))
        self.clock.advance(60)
        self.room.quiet({"log_format": "EMFILE encountered"})
        self.assertEqual(len(self.lines), 3, "it names no connection")
        self.room.taken -= 1
        self.assertTrue(self.room.is_there())


class FactoryTests(ServerTestCase):
    """The factory."""

    def test_no_more_than_there_is_room_for(self) -> None:
        """Above the limit a connection is closed. Any connection that ends makes room, signed in or not."""
        server = self.server = self.make_server()
        server.factory.room = Room(server.clock.seconds, lambda: 6)
        first, second, third = server.json("alice"), Client(server), TextClient(server)
        for client in (first, second, third):
            self.assertIsNone(server.factory.buildProtocol(None))
            client.leave()
            self.assertEqual(server.factory.room.taken, 2)
            Client(server)
        self.assertEqual(server.factory.room.taken, 3)


class SpareTests(SynchronousTestCase):
    """`SpareDescriptor`."""

    def test_other_errors(self) -> None:
        """A peer that is gone already is no reason to use the spare descriptor."""

        class Listener:
            closed = accepted = 0

            def accept(self) -> None:
                self.accepted += 1
                raise OSError(errno.ECONNABORTED, "gone")

            def close(self) -> None:
                self.closed += 1

        listener = Listener()
        door = SpareDescriptor(listener)
        self.assertRaises(OSError, door.accept)
        self.assertEqual(listener.accepted, 1)
        spare = door._spare
        assert spare is not None
        os.close(spare)
        door._spare = None
        self.assertRaises(OSError, door.accept)
        self.assertEqual(listener.accepted, 2)
        spare = door._spare
        assert spare is not None, "it is kept again before the next one is accepted"
        os.fstat(spare)
        door.close()
        door.close()
        self.assertRaises(OSError, os.fstat, spare)
        self.assertEqual(listener.closed, 2)

    def test_spare_is_used_and_kept_again(self) -> None:
        """Without a free descriptor one connection is still accepted. After its end, the next one is too."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        listener = socket.socket(socket.AF_UNIX)
        path = str(Path(folder.name) / "socket")
        listener.bind(path)
        listener.listen()
        door = SpareDescriptor(listener)
        self.addCleanup(door.close)
        clients = [socket.socket(socket.AF_UNIX) for _ in range(3)]
        for client in clients:
            self.addCleanup(client.close)
            client.connect(path)
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)
        used: list[int] = []
        self.addCleanup(lambda: [os.close(one) for one in used])
        highest = max(map(int, os.listdir("/proc/self/fd"))) + 1
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest, limit[1]))
        try:
            while True:
                try:
                    used.append(os.open(os.devnull, os.O_RDONLY))
                except OSError:
                    break
            accepted: Any = door.accept()[0]
            self.assertEqual(self.assertRaises(OSError, door.accept).errno, errno.EMFILE)
            accepted.close()
            accepted = door.accept()[0]
            accepted.close()
            door.accept()[0].close()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limit)


class RealServerTests(SynchronousTestCase):
    """A server with few descriptors."""

    def setUp(self) -> None:
        """Start a server that may have 110 of them."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.home = Path(folder.name)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (110, hard))
        try:
            self.server = ServerProcess(self.home, "--no-tls", "--per-address", "0", "--pending", "0")
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        self.addCleanup(self.server.stop)

    def _admin(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "irchat.admin", "--data", str(self.server.data), *command],
            capture_output=True, text=True, env=environment(self.home), check=False,
        )  # fmt: skip

    def test_flood(self) -> None:
        """At the limit, users keep reading and writing, the administrator gets in, and the log does not grow.

        Afterwards all can connect again. The same holds if the limit is lowered while the server runs.
        """
        alice = JSONClient(self.server, tls=False)
        self.addCleanup(alice.close)
        alice.ask(type="register", name="alice", password="correct horse")
        for lowered in (False, True):
            if lowered:
                used = len(os.listdir(f"/proc/{self.server.process.pid}/fd"))
                resource.prlimit(self.server.process.pid, resource.RLIMIT_NOFILE, (used, 110))
            crowd = [socket.create_connection(("127.0.0.1", self.server.port)) for _ in range(300)]
            self.assertEqual(alice.ask(type="history", chat="GLOBAL")["type"], "history")
            self.assertEqual(alice.ask(type="search", words="nothing")["type"], "found")
            self.assertEqual(alice.ask(type="send", chat="GLOBAL", text="hi")["type"], "sent")
            done = self._admin("stats")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            log = self.server.log.read_text()
            self.assertLess(log.count("\n"), 20)
            self.assertNotIn("127.0.0.1", log.partition("SSH host key")[2].partition("\n")[2])
            self.assertIn("Raise LimitNOFILE", log)
            for client in crowd:
                client.close()
        resource.prlimit(self.server.process.pid, resource.RLIMIT_NOFILE, (110, 110))

        def comes_in() -> bool:
            try:
                bob = JSONClient(self.server, tls=False)
                came_in = bob.ask(type="ping")["type"] == "pong"
                bob.close()
            except (OSError, AssertionError):
                return False
            return came_in

        wait_for(comes_in, "room for another")
