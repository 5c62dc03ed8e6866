"""The requests of a channel."""

import asyncio
from pathlib import Path

import asyncssh
from asyncssh.packet import SSHPacket, String, UInt32
from twisted.trial.unittest import SynchronousTestCase

from irchat.ssh.algorithms import server_options
from irchat.ssh.relayed_connection import RelayedConnection
from irchat.ssh.session_channel import SessionChannel
from tests.helpers.ssh_peers import write_host_key
from tests.ssh.test_relayed_connection import _Transport


class ChannelTests(SynchronousTestCase):
    """Environment and signals."""

    def setUp(self) -> None:
        """Make a channel."""
        self.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)
        self.addCleanup(asyncio.set_event_loop, None)
        self.addCleanup(self.loop.close)
        connection = RelayedConnection(
            self.loop, server_options(write_host_key(Path(self.mktemp())), asyncssh.SSHServer)
        )
        connection.connection_made(_Transport())
        self.channel = connection.create_server_channel()

    def set(self, name: bytes, value: bytes) -> bool:
        """Set a variable."""
        return self.channel._process_env_request(SSHPacket(String(name) + String(value)))

    def test_tiny_packets(self) -> None:
        """A client that takes only tiny packets gets no channel, and none is left behind."""
        connection = self.channel.get_connection()
        assert isinstance(connection, RelayedConnection)
        self.assertEqual(connection.channels, 1)
        self.assertRaises(asyncssh.ChannelOpenError, self.channel.process_open, 0, 65_536, 1_023, None)
        self.loop.run_until_complete(asyncio.sleep(0))
        self.assertEqual(connection.channels, 0)

    def test_variables(self) -> None:
        """Three variables can be set, with short values."""
        self.assertIsInstance(self.channel, SessionChannel)
        self.assertTrue(self.set(b"NO_COLOR", b"1"))
        self.assertTrue(self.set(b"TERM", b"x" * 100))
        for name, value in (b"LD_PRELOAD", b"x"), (b"PATH", b"x"), (b"COLORTERM", b"x" * 101), (b"", b""):
            self.assertFalse(self.set(name, value))
        self.assertEqual(self.channel.variables, {"NO_COLOR": "1", "TERM": "x" * 100})

    def test_many_variables(self) -> None:
        """After ten requests, no further variable is set."""
        for _ in range(10):
            self.set(b"LANG", b"C")
        self.assertFalse(self.set(b"NO_COLOR", b"1"))
        self.assertEqual(self.channel.variables, {})

    def test_odd_value(self) -> None:
        """A value that is not ASCII is taken, readable or not."""
        self.set(b"NO_COLOR", b"\xff")
        self.assertEqual(self.channel.variables, {"NO_COLOR": "\ufffd"})

    def pty(self, term: bytes, modes: bytes) -> bool:
        """Ask for a terminal."""
        size = UInt32(80) + UInt32(24) + UInt32(0) + UInt32(0)
        return self.channel._process_pty_req_request(SSHPacket(String(term) + size + String(modes)))

    def test_terminal(self) -> None:
        """Any terminal is taken, once: also with an odd name, and with modes that are cut off or endless."""
        for term, modes in (b"xterm", b"\x01\0\0"), ("xtérm".encode(), b""), (b"", b"\x01\0\0\0\1" * 6_000):
            self.setUp()
            asked: list[tuple[object, ...]] = []
            session = asyncssh.SSHServerSession[bytes]()
            session.pty_requested = lambda *of: bool(asked.append(of) or True)  # type: ignore[method-assign, func-returns-value]  # noqa: B023
            self.channel._session = session
            self.assertEqual([self.pty(term, modes), self.pty(term, modes)], [True, False])
            self.assertEqual(asked, [(term.decode("ascii", "replace"), (80, 24, 0, 0), {})])

    def test_command_of_bytes(self) -> None:
        """A command that is not UTF-8 reaches its session."""
        commands: list[str] = []
        session = asyncssh.SSHServerSession[bytes]()
        session.exec_requested = lambda command: bool(commands.append(command) or True)  # type: ignore[method-assign, func-returns-value]
        self.channel._session = session
        self.assertTrue(self.channel._process_exec_request(SSHPacket(String(b"@bob \xff"))))
        self.assertEqual(commands, ["@bob \udcff"])

    def test_signals(self) -> None:
        """Signals are refused."""
        self.assertFalse(self.channel._process_signal_request(SSHPacket(String(b"KILL"))))
