"""The process that speaks SSH: its start, its end, its crashes and its log. The test stands for it."""

import errno
import json
from typing import Any

from twisted.internet import error
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import LogEvent, globalLogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from irchat.protocol.ssh_door import DoorConfig
from irchat.server.listeners.ssh.door_process import DoorProcess, environment, is_installed
from irchat.server.listeners.ssh.relay import Unavailable

_CONFIG = DoorConfig("/nonexistent", 500, passwords=True, name="Test")


class FakeProcess:
    """The transport of a started process."""

    def __init__(self, protocol: Any, arguments: list[str], env: dict[str, str]) -> None:
        self.protocol, self.arguments, self.env = protocol, arguments, env
        self.written = b""
        self.signals: list[str] = []
        self.has_input = True

    def write(self, data: bytes) -> None:
        self.written += data

    def closeStdin(self) -> None:
        self.has_input = False

    def signalProcess(self, signal: str) -> None:
        self.signals.append(signal)

    def end(self, reason: Exception) -> None:
        """End as the system reports it."""
        self.protocol.processEnded(Failure(reason))


class ProcessReactor(MemoryReactorClock):
    """A reactor that starts nothing, and records what should be started."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[FakeProcess] = []
        self.failure: Exception | None = None

    def spawnProcess(self, protocol: Any, path: str, arguments: list[str], **how: Any) -> None:
        if self.failure is not None:
            raise self.failure
        assert how["childFDs"] == {0: "w", 1: "r", 2: "r"}
        self.started.append(FakeProcess(protocol, arguments, how["env"]))
        protocol.makeConnection(self.started[-1])


class DoorProcessTests(SynchronousTestCase):
    """`DoorProcess`."""

    def setUp(self) -> None:
        """Create a door without a process."""
        self.reactor = ProcessReactor()
        self.lines: list[str] = []
        self.prepared = 0
        self.prepare_error: Exception | None = None
        self.has_library = True

        def note(event: LogEvent) -> None:
            if "door_process" in event.get("log_namespace", ""):
                self.lines.append(event["log_format"].format(**event))

        globalLogPublisher.addObserver(note)
        self.addCleanup(globalLogPublisher.removeObserver, note)
        self.door = DoorProcess(self.reactor, _CONFIG, self._prepare, lambda: self.has_library)

    def _prepare(self) -> None:
        self.prepared += 1
        if self.prepare_error is not None:
            raise self.prepare_error

    def ready(self) -> FakeProcess:
        """Start the process, and let it listen."""
        waiting = self.door.ready()
        process = self.reactor.started[-1]
        process.protocol.outReceived(b"ready\n")
        self.successResultOf(waiting)
        return process

    def unavailable(self, waiting: "Deferred[None]") -> str:
        """Check that the door cannot be used, and return the reason."""
        return str(self.failureResultOf(waiting, Unavailable).value)

    def test_start(self) -> None:
        """The first client starts one process for all, with the configuration on its input."""
        self.assertEqual(self.reactor.started, [])
        first, second = self.door.ready(), self.door.ready()
        (process,) = self.reactor.started
        self.assertEqual(process.arguments[1:], ["-P", "-m", "irchat.ssh"])
        self.assertEqual(json.loads(process.written)["sessions"], 500)
        for data in b"rea", b"dy", b"\n":
            for waiting in first, second:
                self.assertNoResult(waiting)
            process.protocol.outReceived(data)
        self.successResultOf(first)
        self.successResultOf(second)
        self.successResultOf(self.door.ready())
        self.assertEqual((len(self.reactor.started), self.prepared), (1, 1))
        process.protocol.outReceived(b"more")
        self.reactor.advance(600)
        self.assertEqual(process.signals, [])

    def test_crash(self) -> None:
        """After a crash the next client waits for a new process, longer each time, and at most 30 s."""
        self.ready().end(error.ProcessTerminated(1))
        waits = []
        for _ in range(7):
            waiting = self.door.ready()
            count, began = len(self.reactor.started), self.reactor.seconds()
            while len(self.reactor.started) == count:
                self.assertNoResult(waiting)
                self.reactor.advance(0.5)
            waits.append(self.reactor.seconds() - began)
            self.reactor.started[-1].end(error.ProcessTerminated(None, 9))
            self.unavailable(waiting)
        self.assertEqual(waits, [1, 2, 4, 8, 16, 30, 30])
        self.assertIn("status 1", self.lines[0])
        self.assertIn("signal 9", self.lines[1])

    def test_crash_after_long_work(self) -> None:
        """A process that has worked for a minute is replaced after a second, and not without a client."""
        for _ in range(3):
            process = self.ready()
            self.reactor.advance(61)
            process.end(error.ProcessTerminated(1))
            self.reactor.advance(1)
        self.assertEqual(len(self.reactor.started), 3)

    def test_late(self) -> None:
        """A process that does not listen after a minute is killed, and its clients see why."""
        waiting = self.door.ready()
        self.reactor.advance(60)
        (process,) = self.reactor.started
        self.assertEqual(process.signals, ["KILL"])
        self.assertEqual(self.lines, ["the process of the SSH door was not ready in 60 s"])
        process.end(error.ProcessTerminated(None, 9))
        self.assertIn("Try again soon", self.unavailable(waiting))

    def test_cannot_start(self) -> None:
        """A system without room for a process, or for the socket, is reported once for each try."""
        self.reactor.failure = OSError(errno.EAGAIN, "no more processes")
        self.unavailable(self.door.ready())
        self.assertIn("no more processes", self.lines[-1])
        self.reactor.failure, self.prepare_error = None, OSError(errno.ENOSPC, "no space")
        waiting = self.door.ready()
        self.reactor.advance(1)
        self.unavailable(waiting)
        self.assertIn("no space", self.lines[-1])
        self.prepare_error = None
        waiting = self.door.ready()
        self.reactor.advance(2)
        self.assertEqual(len(self.reactor.started), 1)
        self.assertNoResult(waiting)

    def test_without_the_library(self) -> None:
        """Without the library nothing is started, one line says how to install it, and clients see why."""
        self.has_library = False
        for _ in range(3):
            self.assertIn("Use irchat", self.unavailable(self.door.ready()))
        (line,) = self.lines
        self.assertIn("pip install asyncssh", line)
        self.assertEqual(self.reactor.started, [])
        self.assertTrue(is_installed() or not is_installed())

    def test_stop(self) -> None:
        """The end of the server closes the input of the process, and ends it by force if it stays."""
        process = self.ready()
        stopped = self.door.stop()
        self.assertFalse(process.has_input)
        self.reactor.advance(3)
        self.reactor.advance(3)
        self.assertEqual(process.signals, ["TERM", "KILL"])
        self.assertNoResult(stopped)
        process.end(error.ProcessTerminated(None, 9))
        self.successResultOf(stopped)
        self.assertEqual(self.lines, [])
        self.unavailable(self.door.ready())
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_stop_without_a_process(self) -> None:
        """A server without SSH clients has no process to wait for, and none starts later."""
        self.successResultOf(self.door.stop())
        self.unavailable(self.door.ready())
        other = DoorProcess(self.reactor, _CONFIG, self._prepare, lambda: True)
        waiting = other.ready()
        self.reactor.started[-1].end(error.ProcessTerminated(1))
        self.unavailable(waiting)
        waiting = other.ready()
        (again,) = self.reactor.getDelayedCalls()
        self.successResultOf(other.stop())
        self.unavailable(waiting)
        self.assertFalse(again.active())
        self.reactor.advance(60)
        self.assertEqual((len(self.reactor.started), self.reactor.getDelayedCalls()), (1, []))

    def test_log(self) -> None:
        """Lines of the process are copied to the log, bounded in length and number."""
        process = self.ready()
        process.protocol.errReceived(b"one\ntw")
        process.protocol.errReceived(b"o\n" + b"x" * 5_000 + b"\n\n\xff\n")
        said = [line.removeprefix("SSH door: ")[:5] for line in self.lines]
        self.assertEqual(said, ["one", "two", "xxxxx", "\ufffd"])
        self.assertLess(len(self.lines[2]), 1_100)
        for _ in range(100):
            process.protocol.errReceived(b"x" * 5_000)
        self.assertLess(len(process.protocol._log_line), 1_100)
        process.protocol.errReceived(b"\n")
        process.protocol.errReceived(b"again\n" * 1_000)
        self.assertLess(len(self.lines), 70)
        for _ in range(2):
            self.reactor.advance(60)
            before = len(self.lines)
            process.protocol.errReceived(b"again\n" * 1_000)
            self.assertEqual(len(self.lines) - before, 60)
        self.reactor.advance(60)
        process.protocol.errReceived(b"later\nunfinished")
        process.end(error.ProcessDone(None))
        self.assertEqual(self.lines[-3:-1], ["SSH door: later", "SSH door: unfinished"])

    def test_reach(self) -> None:
        """The ends of relays connect to the socket of the process. A socket that is not there is unavailable."""
        self.ready()
        connected = self.door.connect(Protocol())  # type: ignore[arg-type]
        ((path, factory, _, _),) = self.reactor.unixClients
        self.assertEqual(path, "/nonexistent/ssh.sock")
        factory.clientConnectionFailed(None, Failure(error.ConnectError()))
        self.unavailable(connected)
        again = self.door.connect(Protocol())  # type: ignore[arg-type]
        made = self.reactor.unixClients[-1][1].buildProtocol(None)
        made.makeConnection(object())
        self.successResultOf(again)

    def test_reach_starts_it(self) -> None:
        """The first end of a relay starts the process, and waits for it."""
        connected = self.door.connect(Protocol())  # type: ignore[arg-type]
        self.assertEqual((len(self.reactor.started), self.reactor.unixClients), (1, []))
        self.reactor.started[0].protocol.outReceived(b"ready\n")
        self.reactor.unixClients[-1][1].buildProtocol(None).makeConnection(object())
        self.successResultOf(connected)

    def test_environment(self) -> None:
        """The process gets the path of this package, the locale and the folders, and none of the rest."""
        made = environment(
            {"PATH": "/bin", "LANG": "C", "PGPASSFILE": "x", "NOTIFY_SOCKET": "y", "PYTHONPATH": "/more"}
        )
        paths = made.pop("PYTHONPATH").split(":")
        self.assertEqual(made, {"PATH": "/bin", "LANG": "C"})
        self.assertEqual(paths[1:], ["/more"])
