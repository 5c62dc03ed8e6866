"""TLS: the handshake, data both ways, and TLS's own replies. Endings are tested in test_tls_endings.py."""

import ssl
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import ITransport
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

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
    """The handshake, and data both ways."""

    def test_handshake(self) -> None:
        """Each inner protocol is connected once, after its handshake, and the layer is its transport."""
        self.server.connect()
        self.client.connect()
        self.assertEqual((self.client.inner.made, self.server.inner.made), (0, 0))
        self.carry()
        for side in self.client, self.server:
            self.assertEqual((side.inner.made, side.failures, side.inner.lost), (1, [], []))
            self.assertIs(side.inner.transport, side.layer)
            self.assertTrue(verifyObject(ITransport, side.layer))

    def test_both_ways(self) -> None:
        """Each side gets what the other wrote, and the wire carries no plaintext."""
        self.connect_both()
        self.client.inner.transport.write(b"hello server")
        self.server.inner.transport.writeSequence([b"hello", b" client"])
        self.assertNotIn(b"hello", self.client.end.out + self.server.end.out)
        self.carry()
        self.assertEqual((self.server.inner.got, self.client.inner.got), (b"hello server", b"hello client"))

    def test_megabyte(self) -> None:
        """A megabyte in each direction at once arrives whole and in order."""
        self.connect_both()
        data = bytes(range(256)) * 4_096
        self.client.inner.transport.write(data)
        self.server.inner.transport.write(data[::-1])
        self.carry(piece=10_007)
        self.assertEqual(self.server.inner.got, data)
        self.assertEqual(self.client.inner.got, data[::-1])

    def test_byte_by_byte(self) -> None:
        """The handshake, data and the close work over a wire that carries one byte at a time."""
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
        """However the wire splits the stream, each side gets what the other wrote."""
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
        """Data that an inner protocol writes as soon as it is connected arrives."""
        self.server.inner.on_made = lambda: self.server.layer.send(b"greeting")
        self.client.inner.on_made = lambda: self.client.layer.send(b"name")
        self.connect_both()
        self.assertEqual((self.server.inner.got, self.client.inner.got), (b"name", b"greeting"))

    def test_nothing_written(self) -> None:
        """Writing no bytes sends no record."""
        self.connect_both()
        self.client.inner.transport.write(b"")
        self.assertEqual(self.client.end.out, b"")

    def test_one_record(self) -> None:
        """A short line is one record, sent at once, with 22 bytes of overhead."""
        self.connect_both()
        self.client.layer.send(b"x" * 100)
        self.assertEqual(len(self.client.end.out), 122)

    def test_slow_reader(self) -> None:
        """On a socket that takes little at a time no byte is lost, and ``idle`` and ``on_drained`` are right."""
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
        """Addresses, pausing and resuming are passed through to the connection below."""
        self.connect_both()
        layer = self.server.layer
        self.assertEqual((layer.getPeer(), layer.getHost()), (self.server.end.getPeer(), self.server.end.getHost()))
        layer.pauseProducing()
        layer.resumeProducing()
        self.assertEqual(self.server.end.calls, ["pause", "resume"])

    def test_peer_certificate(self) -> None:
        """The client sees the server's certificate. The server sees that the client has none."""
        self.connect_both()
        self.assertEqual(self.client.layer.peer_certificate(), certificate_of_host()[1])
        self.assertIsNone(self.server.layer.peer_certificate())


class OwnAnswersTests(SynchronousTestCase):
    """The replies of TLS itself to a peer."""

    def setUp(self) -> None:
        """Connect a server to a peer that the test controls."""
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
        """A peer may ask for new keys now and then, without limit, and data still arrives."""
        answered = 0
        for number in range(300):
            self.server.layer.dataReceived(self.peer.key_update() + self.peer.data(b"x"))
            answered += len(self._sent())
            self.clock.advance(1)
            self.assertEqual((len(self.server.inner.got), self.server.end.aborted), (number + 1, False))
        self.assertGreater(answered, 299 * 20)

    def test_flood(self) -> None:
        """A peer that keeps asking for new keys is disconnected before the replies take much memory, in any pieces."""
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
        """A peer that asks for new keys seldom but never reads is disconnected before many replies wait."""
        for _ in range(1_000):
            self.server.layer.dataReceived(self.peer.key_update())
            self.clock.advance(1)
        self.assertTrue(self.server.end.aborted)
        self.assertLess(len(self._sent()), 16_384)

    def test_flood_with_data(self) -> None:
        """A flood of key requests is stopped also with data in between."""
        for _ in range(1_000):
            self.server.layer.dataReceived(self.peer.key_update() + self.peer.data(b"x"))
            if self.server.end.aborted:
                break
        self.assertLess(len(self._sent()), 16_384)
        self.assertTrue(self.server.end.aborted)

    def test_small_records(self) -> None:
        """Of many small records, each turn takes a few, together. Nothing is read meanwhile, nor while paused."""
        calls = self.server.end.calls
        self.server.layer.dataReceived(b"".join(self.peer.data(b"x") for _ in range(1_000)))
        taken = len(self.server.inner.got)
        self.assertTrue(32 <= taken < 60, taken)
        self.server.layer.resumeProducing()  # by the inner protocol
        self.assertEqual(calls[-1], "pause")
        self.server.layer.pauseProducing()
        self.clock.advance(0)
        self.assertEqual((self.server.inner.got, calls[-1]), (b"x" * 1_000, "pause"))
        self.server.layer.resumeProducing()
        self.assertEqual(calls[-1], "resume")
        self.server.layer.dataReceived(b"".join(self.peer.data(b"x") for _ in range(100)))
        self.server.layer.connectionLost()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_no_renegotiation(self) -> None:
        """The server's context forbids renegotiation for TLS 1.2 clients."""
        with tempfile.TemporaryDirectory() as folder:
            context = certificates.server_context(*certificates.ensure_self_signed(Path(folder), "localhost"))
        self.assertTrue(context.options & ssl.OP_NO_RENEGOTIATION)

    def test_goodbye(self) -> None:
        """When the server closes, TLS's ``close_notify`` shows the peer that nothing is cut off."""
        self.server.layer.send(b"last words")
        self.server.layer.close()
        self.peer.take(self._sent())
        self.assertEqual(self.peer.tls.read(100), b"last words")
        self.assertEqual(self.peer.tls.read(100), b"")  # without close_notify this would raise SSLWantReadError
