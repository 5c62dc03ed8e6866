"""WebSocket under lines: frames in and out, close codes, slow peers."""

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from irchat.net.websocket_layer import GOING_AWAY, MESSAGE_BYTES, WebSocketLayer


class _Below:
    """The writer and transport below: it keeps what is sent, and is idle on request."""

    def __init__(self) -> None:
        self.idle = True
        self.reads = True
        self.sent = b""
        self.closed = self.aborted = False
        self.on_drained: Any = None

    def send(self, data: bytes) -> None:
        self.sent += data

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.aborted = True

    def pauseProducing(self) -> None:
        self.reads = False

    def resumeProducing(self) -> None:
        self.reads = True

    def drain(self) -> None:
        """Note that the peer has read everything."""
        self.idle = True
        self.on_drained()


class _Inner(Protocol):
    def __init__(self) -> None:
        self.got = b""
        self.is_lost = False

    def dataReceived(self, data: bytes) -> None:
        self.got += data

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        self.is_lost = True


def frames(*parts: tuple[Opcode, bytes, bool]) -> bytes:
    """Return frames of a client."""
    return b"".join(Frame(opcode, data, fin).serialize(mask=True) for opcode, data, fin in parts)


def text(data: bytes | str, *, fin: bool = True) -> tuple[Opcode, bytes, bool]:
    return Opcode.TEXT, data.encode() if isinstance(data, str) else data, fin


class LayerTests(SynchronousTestCase):
    """`WebSocketLayer`."""

    def setUp(self) -> None:
        """Make a layer after its handshake."""
        self.start()

    def start(self, **options: Any) -> None:
        """Make a new layer."""
        self.below, self.inner, self.clock = _Below(), _Inner(), Clock()
        protocol = ServerProtocol(state=State.OPEN, max_size=MESSAGE_BYTES)
        below: Any = self.below
        self.layer = WebSocketLayer(protocol, below, self.below, self.inner, self.clock, **options)
        self.layer.start()

    def sent(self) -> bytes:
        """Return the bytes sent since the last call."""
        data, self.below.sent = self.below.sent, b""
        return data

    def test_lines_in(self) -> None:
        """Each message is a line, also in fragments with a ping between them, and byte by byte."""
        data = frames(text("one"), text("tw", fin=False), (Opcode.PING, b"p", True), (Opcode.CONT, b"o", True))
        for at in range(len(data)):
            self.layer.received(data[at : at + 1])
        self.assertEqual(self.inner.got, b"one\ntwo\n")
        self.assertEqual(self.sent(), b"\x8a\x01p")

    def test_order_of_answers(self) -> None:
        """A pong leaves before the answers to messages that came after its ping, also where both come at once."""
        answer = self.layer.send
        self.patch(self.inner, "dataReceived", answer)
        self.layer.received(frames(text("a", fin=False), (Opcode.PING, b"p", True), (Opcode.CONT, b"b", True)))
        self.assertEqual(self.sent(), b"\x8a\x01p\x81\x03ab\n")
        self.layer.received(frames(text("a"), (Opcode.BINARY, b"", True)))
        self.assertEqual(self.sent()[:6], b"\x81\x02a\n\x88\x02")

    @given(st.binary(min_size=1, max_size=70_000), st.integers(0, 70_000))
    def test_lines_out(self, data: bytes, cut: int) -> None:
        """A line is sent as one message that ends with it, and its header states its length."""
        self.start()
        line = data.replace(b"\n", b" ") + b"\n"
        for part in line[:cut], line[cut:]:
            self.layer.send(part)
        got, message, first = self.sent(), b"", True
        while got:
            size, at = got[1], 2
            if size >= 126:
                width = 2 if size == 126 else 8
                size, at = int.from_bytes(got[2 : 2 + width], "big"), 2 + width
            self.assertEqual(got[0] & 0x0F, 1 if first else 0)
            message, is_last, got, first = message + got[at : at + size], got[0] & 0x80, got[at + size :], False
            self.assertEqual(bool(is_last), not got)
        self.assertEqual(message, line)

    def test_close_codes(self) -> None:
        """Each violation of the protocol has its code, and ends the connection."""
        for data, code in [
            (frames((Opcode.BINARY, b"x", True)), 1003),
            (frames(text(b"\xff")), 1007),
            (frames(text(b"\xc3", fin=False), (Opcode.CONT, b"(", True)), 1007),
            (frames(text(b"x" * (MESSAGE_BYTES + 1))), 1009),
            (frames(text(b"x" * MESSAGE_BYTES, fin=False), (Opcode.CONT, b"x", True)), 1009),
            (b"\x81\xff" + (2**62).to_bytes(8, "big"), 1009),
            (b"\x81\x02hi", 1002),
            (b"\xc1\x80\0\0\0\0", 1002),
            (b"\x83\x80\0\0\0\0", 1002),
            (frames((Opcode.CONT, b"x", True)), 1002),
            (frames(text("a", fin=False), text("b")), 1002),
            (b"\x09\x80\0\0\0\0", 1002),
            (b"\x89\xfe\x00\x7e\0\0\0\0" + b"x" * 126, 1002),
        ]:
            self.start()
            self.layer.received(data)
            got = self.sent()
            self.assertEqual((got[0], got[2:4]), (0x88, code.to_bytes(2, "big")), (data[:20], got))
            self.assertTrue(self.below.closed)
            self.layer.received(frames(text("late")))
            self.layer.send(b"late\n")
            self.assertEqual((self.inner.got, self.sent()), (b"", b""))

    def test_binary(self) -> None:
        """Binary messages are lines too, also such that are not UTF-8, beside text messages."""
        self.start(is_binary=True)
        self.layer.received(frames((Opcode.BINARY, b"x\xff", True), text("y")))
        self.assertEqual(self.inner.got, b"x\xff\ny\n")
        self.layer.send(b"z\n")
        self.assertEqual(self.sent(), b"\x82\x02z\n")

    @given(st.lists(st.text("abc é", max_size=200), max_size=9), st.lists(st.integers(0, 999), max_size=9))
    def test_one_line(self, lines: list[str], cuts: list[int]) -> None:
        """Each line is a message of its own without its end, however the bytes are cut."""
        for is_binary in False, True:
            self.start(one_line=True, is_binary=is_binary)
            data = "".join(f"{line}\r\n" for line in lines).encode()
            places = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
            for begin, end in pairwise(places):
                self.layer.send(data[begin:end])
            self.assertEqual(self.messages(), [(2 if is_binary else 1, line.encode()) for line in lines])

    def messages(self) -> list[tuple[int, bytes]]:
        """Return the messages sent since the last call, each with its opcode."""
        client = ClientProtocol(parse_uri("ws://localhost/"), state=State.OPEN, max_size=None)
        client.receive_data(self.sent())
        found: list[tuple[int, bytes]] = []
        is_open = False
        for frame in client.events_received():
            assert isinstance(frame, Frame)
            if is_open:
                self.assertEqual(frame.opcode, Opcode.CONT)
                found[-1] = found[-1][0], found[-1][1] + bytes(frame.data)
            else:
                found.append((frame.opcode, bytes(frame.data)))
            is_open = not frame.fin
        self.assertFalse(is_open)
        return found

    def test_close_by_us(self) -> None:
        """A close frame goes out, and the connection ends when the peer answers it, or after two seconds."""
        for answers in True, False:
            self.start(close_code=lambda: GOING_AWAY)
            self.layer.close()
            self.layer.close()
            self.assertEqual(self.sent(), b"\x88\x02\x03\xe9")
            self.assertFalse(self.below.closed)
            if answers:
                self.layer.received(frames((Opcode.CLOSE, b"\x03\xe9", True)))
            else:
                self.clock.advance(2)
            self.assertTrue(self.below.closed)
            self.layer.lost(Failure(ConnectionDone()))
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_close_by_the_peer(self) -> None:
        """The close frame of the peer is answered with its code."""
        self.layer.received(frames((Opcode.CLOSE, b"\x03\xe8bye", True)))
        self.assertEqual(self.sent(), b"\x88\x05\x03\xe8bye")
        self.assertTrue(self.below.closed)
        self.layer.lost(Failure(ConnectionDone()))
        self.assertTrue(self.inner.is_lost)

    def test_slow_peer(self) -> None:
        """While bytes wait for the peer, nothing is read and no ping is answered."""
        self.below.idle = False
        self.layer.received(frames((Opcode.PING, b"", True), text("hi")))
        self.assertEqual((self.sent(), self.inner.got, self.below.reads), (b"", b"", False))
        self.below.drain()
        self.assertEqual((self.sent(), self.inner.got, self.below.reads), (b"\x8a\x00", b"hi\n", True))

    def test_paused(self) -> None:
        """While the inner side pauses, nothing more is handed to it."""
        self.layer.pauseProducing()
        self.layer.received(frames(text("hi")))
        self.assertEqual((self.inner.got, self.below.reads), (b"", False))
        self.layer.resumeProducing()
        self.assertEqual((self.inner.got, self.below.reads), (b"hi\n", True))

    def test_idle_frames(self) -> None:
        """A flood of frames without lines is read slowly, and lines are not held up by their number."""
        for one in (Opcode.PING, b"", True), (Opcode.PONG, b"", True), text(""), text("\n"), text("", fin=False):
            self.start()
            rest = Opcode.CONT if not one[2] else one[0]
            self.layer.received(frames(one, *[(rest, *one[1:])] * 999))
            self.assertFalse(self.below.reads)
            taken = self.layer._idle_left
            self.assertLess(-80, taken)
            self.clock.advance(2)
            self.assertLess(len(self.layer._unread), 900 * 7)
            self.assertGreater(len(self.layer._unread), 500 * 6)
            self.clock.pump([1.0] * 10)
            self.assertEqual((len(self.layer._unread), self.below.reads), (0, True))
        self.start()
        self.layer.received(frames(*[text("hello")] * 3_000))
        self.assertEqual((self.inner.got, self.below.reads), (b"hello\n" * 3_000, True))

    def test_idle_frames_to_the_end(self) -> None:
        """A peer that sends more of them while the connection closes is closed, and one that goes is forgotten."""
        flood = frames(*[(Opcode.PING, b"", True)] * 999)
        self.layer.close()
        self.layer.received(flood)
        self.layer.received(flood)
        self.assertEqual((self.below.closed, len(self.layer._unread)), (True, 0))
        self.layer.lost(Failure(ConnectionDone()))
        self.start()
        self.layer.received(flood)
        self.layer.lost(Failure(ConnectionDone()))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_order_of_lines(self) -> None:
        """Lines stay in order where one of them pauses and continues the reading."""
        got: list[bytes] = []

        def take(data: bytes) -> None:
            got.append(data)
            self.layer.pauseProducing()
            self.layer.resumeProducing()

        self.patch(self.inner, "dataReceived", take)
        self.layer.received(frames(*(text(str(number)) for number in range(500))))
        self.assertEqual(got, [b"%d\n" % number for number in range(500)])

    def test_try_now(self) -> None:
        """A send is reported as complete only if nothing waits."""
        self.assertEqual(self.layer.try_now(b"a\n"), 2)
        self.below.idle = False
        self.assertEqual(self.layer.try_now(b"a\n"), -1)
        self.layer.send_rest(b"a\n", -1)
        self.assertEqual(self.sent(), b"\x81\x02a\n" * 2)

    def test_abort(self) -> None:
        """An abort drops everything."""
        self.layer.abort()
        self.layer.send(b"x\n")
        self.assertEqual((self.below.aborted, self.sent()), (True, b""))
