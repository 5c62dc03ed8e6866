"""The wiring of the process: what a session gets, and what is reported."""

import io
import sys
from typing import Any

from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.exceptions import ClientError
from irchat.protocol.ssh_door import DoorConfig
from irchat.ssh import process
from irchat.ssh.channel_session import ChannelSession, Started, Terminal
from irchat.ssh.channel_transport import ChannelTransport
from irchat.ssh.identity import Identity
from irchat.ssh.process import DoorProcess, observe, report
from tests.ssh.test_channel_transport import FakeChannel

_BY_KEY = Identity("alice", fingerprint="SHA256:x")


class _Connection:
    """An SSH connection."""

    relay = 7
    is_drained = True

    def __init__(self) -> None:
        self.on_drained: set[Any] = set()


class _Channel(FakeChannel):
    def set_write_buffer_limits(self, high: int, low: int) -> None:
        pass


class ProcessTests(SynchronousTestCase):
    """Sessions."""

    def setUp(self) -> None:
        """Make a process for two sessions."""
        self.reactor = MemoryReactorClock()
        self.reactor.running = True
        self.process = DoorProcess(self.reactor, DoorConfig("/", 2, True, "Test"))
        self.keeper = self.process._new_doorkeeper()
        self.keeper.connection = _Connection()  # type: ignore[assignment]
        self.keeper.identity = _BY_KEY
        self.ran: list[str] = []
        self.ended: list[str] = []
        for name in "RemoteScreen", "TypedLines", "OneCommand":
            self.patch(process, name, self._fake(name))

    def _fake(self, name: str) -> Any:
        case = self

        class Run:
            def __init__(self, *how: Any) -> None:
                self.how = how

            def begin(self) -> None:
                case.ran.append(name)

            def end(self, why: ClientError) -> None:
                case.ended.append(why.text)

        return Run

    def start(self, *, terminal: bool = False, command: str | None = None) -> tuple[ChannelSession, FakeChannel]:
        """Start a session. Return it and its channel."""
        session, channel = self.process._new_session(self.keeper), _Channel()
        session.transport = ChannelTransport(Clock(), channel, lambda: True)  # type: ignore[arg-type]
        started = Started(session.transport, {}, Terminal() if terminal else None, command)
        session._run = session._start(started)
        return session, channel

    def test_kinds(self) -> None:
        """A terminal is a screen, unless there is a command. Without a terminal, a shell is lines."""
        self.process = DoorProcess(MemoryReactorClock(), DoorConfig("/", 9, True, "Test"))
        for how in {"terminal": True}, {"terminal": True, "command": "ls"}, {"command": "ls"}, {}:
            self.start(**how)  # type: ignore[arg-type]
        self.assertEqual(self.ran, ["RemoteScreen", "OneCommand", "OneCommand", "TypedLines"])

    def test_guests(self) -> None:
        """A guest gets the screen, and a line for all else."""
        self.keeper.identity = Identity("alice")
        self.start(terminal=True)
        _, lines = self.start()
        self.assertEqual((lines.status, lines.errors[:35]), (1, b"! Lines need a key or a password: i"))
        self.process._sessions.clear()
        _, command = self.start(command="ls")
        self.assertEqual((command.status, command.errors[:23]), (1, b"! A command needs a key"))
        self.assertEqual(self.ran, ["RemoteScreen"])

    def test_full(self) -> None:
        """More sessions than allowed get a line. One that ends makes room."""
        first, _ = self.start(terminal=True)
        self.start(terminal=True)
        refused, channel = self.start(terminal=True)
        self.assertEqual(channel.status, 1)
        self.assertIn(b"as many SSH sessions as it allows", channel.errors)
        refused._on_end()
        first._on_end()
        self.assertEqual((len(self.process._sessions), self.keeper.sessions), (1, 1))
        self.start(terminal=True)
        self.assertEqual(len(self.ran), 3)

    def test_end(self) -> None:
        """When the server stops, each session ends with a line, and the process when the clients have taken that."""
        first, _ = self.start(terminal=True)
        second, _ = self.start()
        self.process.end()
        self.assertEqual(self.ended, ["The server has stopped. Connect again later."] * 2)
        first._on_end()
        self.assertTrue(self.reactor.running)
        second._on_end()
        self.assertFalse(self.reactor.running)

    def test_end_with_stalled_clients(self) -> None:
        """A client that takes nothing holds up the end for two seconds. Without clients, it is at once."""
        self.start(terminal=True)
        self.process.end()
        self.reactor.advance(1)
        self.assertTrue(self.reactor.running)
        self.reactor.advance(1)
        self.assertFalse(self.reactor.running)
        self.setUp()
        self.process.end()
        self.assertFalse(self.reactor.running)

    def test_drained(self) -> None:
        """The transport of a session follows its connection until the session ends."""
        session, channel = self.process._new_session(self.keeper), _Channel()
        transport = session._new_transport(channel)  # type: ignore[arg-type]
        self.assertTrue(transport.is_drained)
        self.assertEqual(self.keeper.connection.on_drained, {transport.drained})
        session._on_end()
        self.assertEqual(self.keeper.connection.on_drained, set())

    def test_report(self) -> None:
        """A failure is one line: its type and place, and never its text."""
        self.patch(sys, "stderr", io.StringIO())
        try:
            raise ValueError("secret")
        except ValueError:
            report(Failure())
        observe({"log_failure": Failure(RuntimeError("secret"))})
        observe({"log_format": "secret"})
        first, second, end = sys.stderr.getvalue().split("\n")
        self.assertIn("ValueError in test_process.py, line", first)
        self.assertEqual((second, end), ("an SSH session failed: RuntimeError", ""))
