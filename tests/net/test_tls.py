"""TLS: the handshake and its failures, bytes both ways, the answers of TLS itself; ends are in test_tls_endings.py."""

import ssl
import tempfile
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import ITransport
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from irchat.net.tls import TLSLayer
from irchat.server.listeners import certificates
from tests.helpers.tls_peer import TLSPeer
from tests.helpers.tls_wire import (
    HOST,
    NarrowEnd,
    Side,
    WireTestCase,
    certificate_of_host,
    client_context,
    server_context,
)


class DataTests(WireTestCase):
    """The handshake, and bytes both ways."""

    def test_handshake(self) -> None:
        """Each inner protocol is connected once, when its handshake is done, and the layer is its transport."""
        self.server.connect()
        self.client.connect()
        self.assertEqual((self.client.inner.made, self.server.inner.made), (0, 0))
        self.carry()
        for side in self.client, self.server:
            self.assertEqual((side.inner.made, side.failures, side.inner.lost), (1, [], []))
            self.assertIs(side.inner.transport, side.layer)
            self.assertTrue(verifyObject(ITransport, side.layer))

    def test_both_ways(self) -> None:
        """What one writes the other gets, and nothing of it can be read on the wire."""
        self.connect_both()
        self.client.inner.transport.write(b"hello server")
        self.server.inner.transport.writeSequence([b"hello", b" client"])
        self.assertNotIn(b"hello", self.client.end.out + self.server.end.out)
        self.carry()
        self.assertEqual((self.server.inner.got, self.client.inner.got), (b"hello server", b"hello client"))

    def test_megabyte(self) -> None:
        """A megabyte both ways at once arrives whole and in order."""
        self.connect_both()
        data = bytes(range(256)) * 4_096
        self.client.inner.transport.write(data)
        self.server.inner.transport.write(data[::-1])
        self.carry(piece=10_007)
        self.assertEqual(self.server.inner.got, data)
        self.assertEqual(self.client.inner.got, data[::-1])

    def test_byte_by_byte(self) -> None:
        """Handshake, data and close go through a wire that carries one byte at a time."""
        self.server.connect()
        self.client.connect()
        self.carry(piece=1)
        self.client.inner.transport.write(b"hello")
        self.carry(piece=1)
        self.assertEqual(self.server.inner.got, b"hello")
        self.server.inner.transport.loseConnection()
        self.carry(piece=1)
        self.assertEqual((self.client.inner.lost, self.server.inner.lost), ([ConnectionDone], [ConnectionDone]))

    @settings(max_examples=25)
    @given(st.integers(1, 700), st.lists(st.tuples(st.booleans(), st.binary(max_size=40_000)), max_size=5))
    def test_any_pieces(self, piece: int, writes: list[tuple[bool, bytes]]) -> None:
        """However the wire cuts the stream, each side gets what the other wrote."""
        WireTestCase.setUp(self)
        self.server.connect()
        self.client.connect()
        self.carry(piece)
        for by_client, data in writes:
            (self.client if by_client else self.server).inner.transport.write(data)
        self.carry(piece)
        self.assertEqual(self.server.inner.got, b"".join(data for by_client, data in writes if by_client))
        self.assertEqual(self.client.inner.got, b"".join(data for by_client, data in writes if not by_client))

    def test_written_on_connection(self) -> None:
        """What an inner protocol writes as soon as it is connected arrives."""
        self.server.inner.on_made = lambda: self.server.layer.send(b"greeting")
        self.client.inner.on_made = lambda: self.client.layer.send(b"name")
        self.connect_both()
        self.assertEqual((self.server.inner.got, self.client.inner.got), (b"name", b"greeting"))

    def test_nothing_written(self) -> None:
        """Writing nothing sends nothing."""
        self.connect_both()
        self.client.inner.transport.write(b"")
        self.assertEqual(self.client.end.out, b"")

    def test_one_record(self) -> None:
        """A short line is one record, sent at once: 22 bytes more than itself."""
        self.connect_both()
        self.client.layer.send(b"x" * 100)
        self.assertEqual(len(self.client.end.out), 122)

    def test_slow_reader(self) -> None:
        """Over a socket that takes little at a time nothing is lost; ``idle`` and ``on_drained`` tell how it goes."""
        self.server = Side(server_context(), NarrowEnd(), server_side=True)
        self.server.connect()
        self.client.connect()
        drained: list[int] = []
        for _ in range(10):
            self.server.end.turn()
            self.carry()
        self.assertTrue(self.server.layer.idle)
        self.server.layer.on_drained = lambda: drained.append(len(self.client.inner.got))
        self.assertIsNotNone(self.server.layer.on_drained)
        for number in range(20):
            self.server.layer.send(bytes([number]) * 1_000)
        self.assertFalse(self.server.layer.idle)
        while not self.server.layer.idle:
            self.server.end.turn()
            self.carry()
        self.assertEqual(self.client.inner.got, b"".join(bytes([number]) * 1_000 for number in range(20)))
        self.assertEqual(len(drained), 1)

    def test_addresses_and_pauses(self) -> None:
        """Addresses, pausing and resuming are those of the connection below."""
        self.connect_both()
        layer = self.server.layer
        self.assertEqual((layer.getPeer(), layer.getHost()), (self.server.end.getPeer(), self.server.end.getHost()))
        layer.pauseProducing()
        layer.resumeProducing()
        self.assertEqual(self.server.end.calls, ["pause", "resume"])

    def test_peer_certificate(self) -> None:
        """The client sees the server's certificate as it is; the server sees that the client has none."""
        self.connect_both()
        self.assertEqual(self.client.layer.peer_certificate(), certificate_of_host()[1])
        self.assertIsNone(self.server.layer.peer_certificate())


class OwnAnswersTests(SynchronousTestCase):
    """What TLS itself answers to a peer."""

    def setUp(self) -> None:
        """A server that is connected to a peer of the test's."""
        self.clock = Clock()
        self.server = Side(server_context(), server_side=True, clock=self.clock, handshake_seconds=60)
        self.server.connect()
        self.peer = TLSPeer(client_context(), HOST)
        self.server.layer.dataReceived(self.peer.handshake())
        self.server.layer.dataReceived(self.peer.handshake(self._sent()))
        self.assertEqual((self.peer.is_ready, self.server.inner.made), (True, 1))
        self.peer.take(self._sent())

    def _sent(self) -> bytes:
        return self.server.end.take()

    def test_few(self) -> None:
        """A peer may ask for new keys now and then, for as long as it likes; data comes through meanwhile."""
        answered = 0
        for number in range(300):
            self.server.layer.dataReceived(self.peer.key_update() + self.peer.data(b"x"))
            answered += len(self._sent())
            self.clock.advance(1)
            self.assertEqual((len(self.server.inner.got), self.server.end.aborted), (number + 1, False))
        self.assertGreater(answered, 299 * 20)

    def test_flood(self) -> None:
        """A peer that asks for them again and again is disconnected before what it is to be answered takes memory, or
        the asking time, however it comes."""
        for pieces in (1, 1_000):
            with self.subTest(pieces=pieces):
                self.setUp()
                flood = b"".join(self.peer.key_update() for _ in range(3_000))
                size = -(-len(flood) // pieces)
                for begin in range(0, len(flood), size):
                    if not self.server.end.aborted:
                        self.server.layer.dataReceived(flood[begin : begin + size])
                self.assertTrue(self.server.end.aborted)
                self.assertLess(len(self._sent()), 16_384)

    def test_slow_flood(self) -> None:
        """A peer that asks seldom and never reads is disconnected before much waits for it."""
        for _ in range(1_000):
            self.server.layer.dataReceived(self.peer.key_update())
            self.clock.advance(1)
        self.assertTrue(self.server.end.aborted)
        self.assertLess(len(self._sent()), 16_384)

    def test_flood_with_data(self) -> None:
        """It makes no difference that there is data in between."""
        for _ in range(1_000):
            self.server.layer.dataReceived(self.peer.key_update() + self.peer.data(b"x"))
            if self.server.end.aborted:
                break
        self.assertLess(len(self._sent()), 16_384)
        self.assertTrue(self.server.end.aborted)

    def test_no_renegotiation(self) -> None:
        """The server's context lets no client of TLS 1.2 begin another handshake."""
        with tempfile.TemporaryDirectory() as folder:
            context = certificates.server_context(*certificates.ensure_self_signed(Path(folder), "localhost"))
        self.assertTrue(context.options & ssl.OP_NO_RENEGOTIATION)

    def test_goodbye(self) -> None:
        """A connection that the server closes ends with the goodbye of TLS: the peer knows that nothing is cut off."""
        self.server.layer.send(b"last words")
        self.server.layer.close()
        self.peer.take(self._sent())
        self.assertEqual(self.peer.tls.read(100), b"last words")
        self.assertEqual(self.peer.tls.read(100), b"")  # without the goodbye it would want to read more


class HandshakeFailureTests(WireTestCase):
    """Handshakes that fail: ``on_failure`` hears of it once, the inner protocol never."""

    def _check_failed(self, side: Side, kind: type[ssl.SSLError]) -> ssl.SSLError:
        side.lose()
        self.assertEqual((side.inner.made, side.inner.got, side.inner.lost), (0, b"", []))
        self.assertEqual(len(side.failures), 1)
        self.assertIsInstance(side.failures[0], kind)
        return side.failures[0]

    def test_wrong_hostname(self) -> None:
        """A client that checks the name refuses a certificate for another host, and the server hears of it."""
        self.client = Side(client_context(), server_side=False, server_hostname="other.example")
        self.connect_both()
        error = self._check_failed(self.client, ssl.SSLCertVerificationError)
        self.assertIn("other.example", str(error))
        self.assertIn("BAD_CERTIFICATE", self._check_failed(self.server, ssl.SSLError).reason)

    def test_unknown_certificate(self) -> None:
        """A client that does not know who signed the certificate refuses it."""
        self.client = Side(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), server_side=False, server_hostname=HOST)
        self.connect_both()
        self._check_failed(self.client, ssl.SSLCertVerificationError)
        self._check_failed(self.server, ssl.SSLError)

    def test_plain_client(self) -> None:
        """A client that speaks no TLS is closed, and what else it sends is passed over."""
        self.server.connect()
        self.server.layer.dataReceived(b'{"type":"login","name":"alice"}\n')
        self.assertTrue(self.server.end.disconnecting)
        sent = bytes(self.server.end.out)
        self.server.layer.dataReceived(b"more\n")
        self.assertEqual(self.server.end.out, sent)
        self._check_failed(self.server, ssl.SSLError)

    def test_plain_server(self) -> None:
        """A server that speaks no TLS is a failed handshake, and none of the certificate."""
        self.client.connect()
        self.client.layer.dataReceived(b"IRChat/1 here: your username?\n")
        self.assertTrue(self.client.end.disconnecting)
        error = self._check_failed(self.client, ssl.SSLError)
        self.assertNotIsInstance(error, ssl.SSLCertVerificationError)

    @given(st.binary(min_size=5), st.integers(0, 600), st.booleans())
    @example(b"\x16\x03\x01\xff\xff", 0, True)
    def test_garbage(self, garbage: bytes, after: int, at_server: bool) -> None:
        """Whatever bytes come instead of a handshake or in its middle, nothing is raised and nobody is connected."""
        WireTestCase.setUp(self)
        self.server.connect()
        self.client.connect()
        if not at_server:
            self.server.layer.dataReceived(bytes(self.client.end.out))
        victim, other = (self.server, self.client) if at_server else (self.client, self.server)
        start = bytes(other.end.out)[:after]
        if bytes(other.end.out).startswith(start + garbage):
            return
        victim.layer.dataReceived(start + garbage)
        self._check_failed(victim, ssl.SSLError)

    def test_lost_in_the_middle(self) -> None:
        """A connection lost at any point of the handshake is a failure of the handshake, for whoever was not done."""
        for flights in range(3):
            WireTestCase.setUp(self)
            self.server.connect()
            self.client.connect()
            for source, target in [(self.client, self.server), (self.server, self.client)][:flights]:
                target.layer.dataReceived(bytes(source.end.out))
            self._check_failed(self.server, ssl.SSLEOFError)
            if flights < 2:
                self._check_failed(self.client, ssl.SSLEOFError)

    def test_too_slow(self) -> None:
        """A handshake that is not done in its time is given up, whatever came of it until then."""
        clock = Clock()
        self.server = Side(server_context(), server_side=True, clock=clock, handshake_seconds=60)
        self.server.connect()
        self.client.connect()
        self.server.layer.dataReceived(bytes(self.client.end.out[:20]))
        clock.advance(59)
        self.assertFalse(self.server.end.aborted)
        clock.advance(1)
        self.assertTrue(self.server.end.aborted)
        self._check_failed(self.server, ssl.SSLEOFError)

    def test_in_time(self) -> None:
        """A handshake done in its time leaves nothing waiting, and the connection goes on after that time."""
        clock = Clock()
        self.server = Side(server_context(), server_side=True, clock=clock, handshake_seconds=60)
        self.connect_both()
        self.assertEqual(clock.getDelayedCalls(), [])
        clock.advance(60)
        self.client.layer.send(b"hello")
        self.carry()
        self.assertEqual(self.server.inner.got, b"hello")

    def test_lost_in_time(self) -> None:
        """A connection lost, or failed and then lost, before the handshake's time is over leaves nothing waiting."""
        for came in b"", b"GET / HTTP/1.0\r\n\r\n":
            clock = Clock()
            self.server = Side(server_context(), server_side=True, clock=clock, handshake_seconds=60)
            self.server.connect()
            self.server.layer.dataReceived(came)
            self.assertEqual(len(clock.getDelayedCalls()), 1)
            self._check_failed(self.server, ssl.SSLError)
            self.assertEqual(clock.getDelayedCalls(), [])

    def test_no_one_to_tell(self) -> None:
        """Without ``on_failure`` a failed handshake and a lost connection are closed in silence."""
        for garbage in b"GET / HTTP/1.0\r\n\r\n", b"":
            self.server = Side(server_context(), server_side=True, on_failure=None)
            self.server.connect()
            self.server.layer.dataReceived(garbage)
            self.server.lose()
            self.assertEqual((self.server.inner.made, self.server.inner.lost), (0, []))

    def test_closed_in_the_middle(self) -> None:
        """Who closes in the middle of a handshake, by a time limit say, connects nobody."""
        for close in TLSLayer.close, TLSLayer.abort:
            WireTestCase.setUp(self)
            self.server.connect()
            self.client.connect()
            close(self.server.layer)
            self.assertTrue(self.server.end.disconnecting)
            self.server.end.out.clear()
            for _ in range(3):
                for source, target in (self.client, self.server), (self.server, self.client):
                    target.layer.dataReceived(bytes(source.end.out))
                    source.end.out.clear()
            self.assertEqual(self.client.inner.made, 0)
            self._check_failed(self.server, ssl.SSLEOFError)
