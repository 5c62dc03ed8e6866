"""A relayed connection: its first line, and when it is drained."""

import asyncio
from pathlib import Path
from typing import Any

import asyncssh
from asyncssh.packet import Boolean, NameList, UInt32
from twisted.trial.unittest import SynchronousTestCase

from irchat.protocol.ssh_door import RelayHello, encode
from irchat.ssh.algorithms import server_options
from irchat.ssh.relayed_connection import RelayedConnection, guesses_wrongly
from tests.helpers.ssh_peers import write_host_key

_HELLO = encode(RelayHello("192.0.2.1", 7))
_VERSION = b"SSH-2.0-Test\r\n"


class _Transport(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.limits: tuple[int | None, int | None] = (None, None)
        self.is_aborted = False
        self.is_reading = True

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.limits = high, low

    def write(self, data: Any) -> None:
        self.written += data

    def abort(self) -> None:
        self.is_aborted = True

    def pause_reading(self) -> None:
        self.is_reading = False

    def resume_reading(self) -> None:
        self.is_reading = True


class RelayTests(SynchronousTestCase):
    """The first bytes."""

    def setUp(self) -> None:
        """Make a connection on a loop that the test runs."""
        self.loop = asyncio.new_event_loop()
        self.addCleanup(self.loop.close)
        self.options = server_options(write_host_key(Path(self.mktemp())), asyncssh.SSHServer)
        self.connection, self.transport = self.connect()

    def connect(self) -> tuple[RelayedConnection, _Transport]:
        """Return another connection."""
        connection, transport = RelayedConnection(self.loop, self.options), _Transport()
        connection.connection_made(transport)
        return connection, transport

    def turn(self) -> None:
        """Run what is due."""
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.run_until_complete(asyncio.sleep(0))

    def test_version(self) -> None:
        """The version comes first, with nothing before it, and without a number."""
        self.assertEqual(self.transport.written, b"SSH-2.0-IRChat\r\n")

    def test_every_split(self) -> None:
        """The first line may come in any pieces, also together with the bytes of the client."""
        data = _HELLO + _VERSION
        for split in range(1, len(data)):
            connection, transport = self.connect()
            connection.data_received(data[:split])
            connection.data_received(data[split:])
            self.assertEqual(connection.relay, 7)
            self.assertGreater(len(transport.written), 100)  # the key exchange has begun

    def test_bad_first_line(self) -> None:
        """A first line that is none, or that is too long, ends the connection."""
        for bad in b"SSH-2.0-x\r\n", b'{"relay":"x"}\n', b"x" * 1_025:
            connection, transport = self.connect()
            connection.data_received(bad)
            self.turn()
            self.assertTrue(transport.is_aborted)

    def test_many_packets(self) -> None:
        """Many small packets are read in parts, and nothing more is read meanwhile."""
        self.connection.data_received(_HELLO + _VERSION)
        read: list[int] = []
        self.patch(self.loop, "time", lambda: 0.0)  # reading took no time, so the rest is read in the next turn
        self.patch(asyncssh.SSHServerConnection, "data_received", lambda _, data, kind=None: read.append(len(data)))
        self.connection.data_received(b"x" * 5_000)
        self.connection.data_received(b"x" * 5_000)
        self.assertEqual((read, self.transport.is_reading), ([4_096], False))
        self.turn()
        self.assertEqual((read, self.transport.is_reading), ([4_096, 4_096, 1_808], True))

    def test_key_exchanges(self) -> None:
        """A client that asks for new keys again and again is disconnected."""
        done: list[bool] = []
        self.patch(asyncssh.SSHServerConnection, "send_newkeys", lambda *how: done.append(True))
        for _ in range(200):
            self.connection.send_newkeys(b"", b"")
        self.assertFalse(self.transport.is_aborted)
        for _ in range(20):
            self.connection.send_newkeys(b"", b"")
        self.turn()
        self.assertTrue(self.transport.is_aborted)
        self.assertLess(len(done), 220)

    def test_drained(self) -> None:
        """It is drained if the transport has nothing left, and no packet waits for a key exchange."""
        drained: list[bool] = []
        self.connection.on_drained.add(lambda: drained.append(True))
        self.assertEqual(self.transport.limits[0], 0)
        self.assertTrue(self.connection.is_drained)
        self.connection.pause_writing()
        self.assertFalse(self.connection.is_drained)
        self.connection.resume_writing()
        self.assertTrue(self.connection.is_drained)
        self.assertEqual(drained, [True])
        self.connection.send_packet(100, b"later")
        self.assertFalse(self.connection.is_drained)


class GuessTests(SynchronousTestCase):
    """`guesses_wrongly`."""

    def message(self, exchanges: list[bytes], host_keys: list[bytes], *, follows: bool) -> bytes:
        """Return the message of a peer with these algorithms."""
        others = NameList([b"x"]) * 8
        return bytes(17) + NameList(exchanges) + NameList(host_keys) + others + Boolean(follows) + UInt32(0)

    def test_guess(self) -> None:
        """A guess is right if both peers like the same key exchange and kind of host key most (RFC 4253, 7)."""
        ours = self.message([b"new", b"old"], [b"ed25519"], follows=False)
        for exchanges, host_keys, is_wrong in (
            ([b"new"], [b"ed25519", b"rsa"], False),
            ([b"old", b"new"], [b"ed25519"], True),
            ([b"new"], [b"rsa", b"ed25519"], True),
            ([], [], True),
        ):
            self.assertEqual(guesses_wrongly(self.message(exchanges, host_keys, follows=True), ours), is_wrong)
            self.assertFalse(guesses_wrongly(self.message(exchanges, host_keys, follows=False), ours))
