"""The socket writer: every byte is written once and in order, however little the socket takes at a time."""

import socket

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.internet import main
from twisted.internet.abstract import FileDescriptor
from twisted.internet.interfaces import IPullProducer
from twisted.internet.protocol import Protocol
from twisted.internet.tcp import Connection
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from irchat.net.socket_writer import SocketWriter


class _Socket(FileDescriptor):
    """Twisted's own buffering and producer signals, on a socket that takes only ``room`` bytes."""

    def __init__(self, room: int = 0) -> None:
        super().__init__(MemoryReactorClock())
        self.connected = 1
        self.room = room
        self.tries = 0
        self.written = b""
        self.lost = False

    def writeSomeData(self, data: bytes) -> int | Exception:
        self.tries += 1
        if self.lost:
            return main.CONNECTION_LOST
        count = min(self.room, len(data))
        self.room -= count
        self.written += bytes(data[:count])
        return count

    def turn(self) -> None:
        """Run one turn of a reactor that finds the socket writable."""
        if self in self.reactor.getWriters() and (reason := self.doWrite()):
            self.connectionLost(Failure(reason))
            self.reactor.removeWriter(self)


_steps = st.lists(
    st.tuples(st.just("send"), st.binary(max_size=20))
    | st.tuples(st.just("room"), st.integers(0, 30))
    | st.tuples(st.just("turn"), st.none())
)


class SocketWriterTests(SynchronousTestCase):
    """`SocketWriter` over a transport with Twisted's own buffer."""

    def setUp(self) -> None:
        """Create a writer and record when it has drained."""
        self.socket = _Socket()
        self.writer = SocketWriter(self.socket)
        self.drained: list[bytes] = []
        self.writer.on_drained = lambda: self.drained.append(self.socket.written)

    def test_interface(self) -> None:
        """It is a pull producer of Twisted."""
        self.assertTrue(verifyObject(IPullProducer, self.writer))

    @given(_steps, st.integers(0, 30))
    @example([("send", b"abc"), ("send", b"def"), ("room", 4), ("turn", None), ("send", b"gh")], 2)
    def test_any_partial_writes(self, steps: list[tuple], room: int) -> None:
        """For any sizes of sends and writes, no byte is lost, doubled or misplaced, and ``idle`` is right."""
        socket_, drained = _Socket(room), []
        writer = SocketWriter(socket_)
        sent = b""
        writer.on_drained = lambda: drained.append(socket_.written == sent)
        for name, value in [*steps, ("room", 10_000), ("turn", None), ("turn", None)]:
            if name == "send":
                sent += value
                writer.send(value)
            elif name == "room":
                socket_.room += value
            else:
                socket_.turn()
            self.assertTrue(sent.startswith(socket_.written))
            if writer.idle:
                self.assertEqual(socket_.written, sent)
        self.assertEqual(socket_.written, sent)
        self.assertTrue(writer.idle)
        self.assertTrue(all(drained))

    @given(st.lists(st.integers(1, 30), min_size=1, max_size=20), st.integers(1, 20))
    def test_refilled_when_drained(self, rooms: list[int], size: int) -> None:
        """A sender that refills from ``on_drained`` while the writer is idle gets everything through, in order."""
        socket_ = _Socket()
        writer = SocketWriter(socket_)
        waiting = [bytes([number]) * size for number in range(10)]
        sent = b"".join(waiting)

        def refill() -> None:
            while waiting and writer.idle:
                writer.send(waiting.pop(0))

        writer.on_drained = refill
        refill()
        for room in [*rooms, *[1_000] * 30]:
            socket_.room = room
            socket_.turn()
        self.assertEqual(socket_.written, sent)
        self.assertTrue(writer.idle)

    def test_at_once(self) -> None:
        """While the socket takes everything, each send is one system call and the reactor does not watch the socket."""
        self.socket.room = 100
        self.writer.send(b"one")
        self.writer.send(b"two")
        self.assertEqual((self.socket.written, self.socket.tries), (b"onetwo", 2))
        self.assertEqual(self.socket.reactor.getWriters(), [])
        self.assertTrue(self.writer.idle)
        self.assertEqual(self.drained, [])

    def test_behind(self) -> None:
        """Bytes that do not fit wait in the transport, and ``on_drained`` is called when all of them are written."""
        self.socket.room = 2
        self.writer.send(b"one")
        self.assertFalse(self.writer.idle)
        self.writer.send(b"two")
        self.assertEqual((self.socket.written, self.socket.tries), (b"on", 1))
        self.socket.room = 3
        self.socket.turn()
        self.assertEqual(self.drained, [])
        self.socket.room = 3
        self.socket.turn()
        self.assertEqual(self.drained, [b"onetwo"])
        self.assertTrue(self.writer.idle)

    def test_close_after_all_is_written(self) -> None:
        """``close`` first writes the bytes that wait."""
        self.writer.send(b"goodbye")
        self.writer.close()
        self.socket.turn()
        self.assertFalse(self.socket.disconnected)
        self.socket.room = 100
        self.socket.turn()
        self.assertEqual(self.socket.written, b"goodbye")
        self.assertTrue(self.socket.disconnected)

    def test_close_idle(self) -> None:
        """``close`` on an idle writer closes in the next turn."""
        self.writer.close()
        self.socket.turn()
        self.assertTrue(self.socket.disconnected)

    def test_lost(self) -> None:
        """A send on a lost connection raises nothing. The transport notices the loss at its next write."""
        self.socket.lost = True
        self.writer.send(b"one")
        self.assertFalse(self.writer.idle)
        self.assertFalse(self.socket.disconnected)
        self.socket.turn()
        self.assertTrue(self.socket.disconnected)
        self.assertEqual(self.drained, [])
        self.writer.send(b"two")
        self.assertEqual(self.socket.tries, 2)

    def test_no_socket(self) -> None:
        """``idle`` is also right over a transport without a socket, such as a channel inside another connection."""
        transport = StringTransport()
        writer, drained = SocketWriter(transport), []
        writer.on_drained = lambda: drained.append(transport.value())
        for sent in b"one", b"onetwo":
            writer.send(sent[-3:])
            self.assertFalse(writer.idle)
            writer.send(b"")
            self.assertEqual(transport.value(), sent)
            transport.producer.resumeProducing()
            self.assertTrue(writer.idle)
        self.assertEqual(drained, [b"one", b"onetwo"])


class RealConnectionTests(SynchronousTestCase):
    """`SocketWriter` over Twisted's TCP connection, on a socket pair instead of a port."""

    def setUp(self) -> None:
        """Create a connection whose peer is a socket of the test."""
        ours, self.peer = socket.socketpair()
        self.addCleanup(self.peer.close)
        self.addCleanup(ours.close)
        self.peer.setblocking(False)
        ours.setblocking(False)
        self.reactor = MemoryReactorClock()
        self.connection = Connection(ours, Protocol(), self.reactor)
        self.connection.connected = 1
        self.writer = SocketWriter(self.connection)

    def test_send(self) -> None:
        """The bytes reach the peer at once."""
        self.writer.send(b"hello")
        self.assertEqual(self.peer.recv(100), b"hello")

    def test_more_than_the_kernel_takes(self) -> None:
        """Bytes that the kernel does not take are written as the peer reads, without loss."""
        sent = bytes(range(256)) * 16_384
        self.writer.send(sent)
        self.assertFalse(self.writer.idle)
        got = bytearray()
        while len(got) < len(sent):
            got += self.peer.recv(1_000_000)
            if self.connection in self.reactor.getWriters():
                self.connection.doWrite()
        self.assertEqual(bytes(got), sent)
        self.assertTrue(self.writer.idle)

    def _lose(self) -> None:
        self.connection.connectionLost(Failure(main.CONNECTION_LOST))

    def test_send_when_lost(self) -> None:
        """A send after the connection and its socket are gone is ignored."""
        self._lose()
        self.writer.send(b"late")
        self.assertEqual(self.reactor.getWriters(), [])

    def test_send_when_closed(self) -> None:
        """A send after our own close is ignored, too."""
        self.writer.close()
        self._lose()
        self.writer.send(b"late")
        self.assertEqual(self.reactor.getWriters(), [])

    def test_abort(self) -> None:
        """An abort closes in the next turn and sends nothing more."""
        self.writer.abort()
        self.writer.send(b"late")
        self.reactor.advance(0)
        self.assertEqual(self._rest(), b"")
        self.writer.send(b"later")

    def _rest(self) -> bytes:
        try:
            return self.peer.recv(100)
        except ConnectionResetError:
            return b""
