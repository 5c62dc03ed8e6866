"""TLS: the end of a connection, and failed handshakes."""

import ssl

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.task import Clock

from irchat.net.tls import TLSLayer
from tests.helpers.tls_wire import HOST, Side, WireTestCase, client_context, server_context


class CloseTests(WireTestCase):
    """The end of a connection, by either side or by accident."""

    def _check_closed(self, *, client: type, server: type) -> None:
        self.assertEqual((self.client.inner.lost, self.server.inner.lost), ([client], [server]))
        self.assertEqual((self.client.failures, self.server.failures), ([], []))
        for side in self.client, self.server:
            side.end.out.clear()
            side.layer.send(b"late")
            side.layer.close()
            self.assertEqual(side.end.out, b"")

    def test_client_closes(self) -> None:
        """Data that the client wrote before closing arrives, and each side is notified of the end once."""
        self.connect_both()
        self.client.layer.send(b"last words")
        self.client.inner.transport.loseConnection()
        self.assertTrue(self.client.layer.disconnecting)
        self.carry()
        self.assertEqual(self.server.inner.got, b"last words")
        self._check_closed(client=ConnectionDone, server=ConnectionDone)

    def test_server_closes(self) -> None:
        """Data that the server wrote before closing arrives, and each side is notified of the end once."""
        self.connect_both()
        self.server.layer.send(b"bye" * 100_000)
        self.server.inner.transport.loseConnection()
        self.carry(piece=1_000)
        self.assertEqual(self.client.inner.got, b"bye" * 100_000)
        self._check_closed(client=ConnectionDone, server=ConnectionDone)

    def test_goodbye_without_end(self) -> None:
        """A ``close_notify`` alone, on an open TCP connection, makes the other side close."""
        self.connect_both()
        self.client.layer._tls.write(b"last words")
        self.assertRaises(ssl.SSLWantReadError, self.client.layer._tls.unwrap)
        self.server.layer.dataReceived(self.client.layer._outgoing.read())
        self.assertEqual(self.server.inner.got, b"last words")
        self.assertTrue(self.server.end.disconnecting)
        self.assertTrue(self.server.layer.disconnecting)

    def test_close_on_connection(self) -> None:
        """Data that an inner protocol writes before closing in ``connectionMade`` arrives."""

        def refuse() -> None:
            self.server.layer.send(b"too many connections")
            self.server.layer.close()

        self.server.inner.on_made = refuse
        self.connect_both()
        self.assertEqual(self.client.inner.got, b"too many connections")
        self._check_closed(client=ConnectionDone, server=ConnectionDone)

    def test_close_on_data(self) -> None:
        """An inner protocol that closes receives no more data, even if more has already arrived."""
        self.connect_both()
        self.server.inner.on_data = self.server.layer.close
        self.client.layer.send(b"one")
        self.client.layer.send(b"two" * 200)  # more than is taken at once
        self.carry()
        self.assertEqual(self.server.inner.got, b"one")
        self._check_closed(client=ConnectionDone, server=ConnectionDone)

    def test_abort_on_data(self) -> None:
        """An inner protocol that aborts receives no more data either."""
        self.connect_both()
        self.server.inner.on_data = self.server.layer.abort
        self.client.layer.send(b"one")
        self.client.layer.send(b"two" * 200)  # more than is taken at once
        self.carry()
        self.assertEqual(self.server.inner.got, b"one")
        self._check_closed(client=ConnectionLost, server=ConnectionAborted)

    def test_data_after_close(self) -> None:
        """Bytes that arrive after a close are dropped."""
        self.connect_both()
        self.client.layer.send(b"late")
        self.server.layer.close()
        self.server.layer.dataReceived(bytes(self.client.end.out))
        self.assertEqual(self.server.inner.got, b"")

    def test_abort(self) -> None:
        """An abort closes at once, without ``close_notify``, and both sides are notified."""
        self.connect_both()
        self.server.inner.transport.abortConnection()
        self.assertTrue(self.server.layer.disconnecting)
        self.assertEqual((self.server.end.aborted, self.server.end.out), (True, b""))
        self.carry()
        self._check_closed(client=ConnectionLost, server=ConnectionAborted)

    def test_connection_lost(self) -> None:
        """A TCP connection that ends without ``close_notify`` ends the inner protocol with TCP's reason."""
        self.connect_both()
        self.client.lose()
        self.server.lose()
        self._check_closed(client=ConnectionLost, server=ConnectionLost)

    def test_damaged_record(self) -> None:
        """A damaged record closes the connection, and data written after it is dropped."""
        self.connect_both()
        self.client.layer.send(b"hello")
        damaged = bytes(self.client.end.out[:-1]) + bytes([self.client.end.out[-1] ^ 1])
        self.client.end.out.clear()
        self.server.layer.dataReceived(damaged)
        self.assertTrue(self.server.end.disconnecting)
        self.assertTrue(self.server.layer.disconnecting)
        sent = bytes(self.server.end.out)
        self.server.layer.send(b"meanwhile")
        self.server.layer.dataReceived(damaged)
        self.assertEqual(self.server.end.out, sent)
        self.assertEqual((self.server.inner.got, self.server.failures), (b"", []))
        self.carry()
        self.assertEqual(self.server.inner.lost, [ConnectionDone])


class HandshakeFailureTests(WireTestCase):
    """Failed handshakes: ``on_failure`` is called once, and the inner protocol is never connected."""

    def _check_failed(self, side: Side, kind: type[ssl.SSLError]) -> ssl.SSLError:
        side.lose()
        self.assertEqual((side.inner.made, side.inner.got, side.inner.lost), (0, b"", []))
        self.assertEqual(len(side.failures), 1)
        self.assertIsInstance(side.failures[0], kind)
        return side.failures[0]

    def test_wrong_hostname(self) -> None:
        """A client that checks the host name refuses a certificate for another host, and the server learns of it."""
        self.client = Side(client_context(), server_side=False, server_hostname="other.example")
        self.connect_both()
        error = self._check_failed(self.client, ssl.SSLCertVerificationError)
        self.assertIn("other.example", str(error))
        self.assertIn("BAD_CERTIFICATE", self._check_failed(self.server, ssl.SSLError).reason)

    def test_unknown_certificate(self) -> None:
        """A client that does not know the certificate's issuer refuses it."""
        self.client = Side(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), server_side=False, server_hostname=HOST)
        self.connect_both()
        self._check_failed(self.client, ssl.SSLCertVerificationError)
        self._check_failed(self.server, ssl.SSLError)

    def test_plain_client(self) -> None:
        """A client that does not use TLS is disconnected, and the rest of its data is dropped."""
        self.server.connect()
        self.server.layer.dataReceived(b'{"type":"login","name":"alice"}\n')
        self.assertTrue(self.server.end.disconnecting)
        sent = bytes(self.server.end.out)
        self.server.layer.dataReceived(b"more\n")
        self.assertEqual(self.server.end.out, sent)
        self._check_failed(self.server, ssl.SSLError)

    def test_plain_server(self) -> None:
        """A server that does not use TLS is a failed handshake, not a certificate error."""
        self.client.connect()
        self.client.layer.dataReceived(b"IRChat/1 here: your username?\n")
        self.assertTrue(self.client.end.disconnecting)
        error = self._check_failed(self.client, ssl.SSLError)
        self.assertNotIsInstance(error, ssl.SSLCertVerificationError)

    @given(st.binary(min_size=5), st.integers(0, 600), st.booleans())
    @example(b"\x16\x03\x01\xff\xff", 0, True)
    def test_garbage(self, garbage: bytes, after: int, at_server: bool) -> None:
        """Any bytes in place of a handshake, or in the middle of one, raise nothing and connect nobody."""
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
        """A connection lost during the handshake is a failed handshake for each side that had not finished."""
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
        """A handshake that exceeds its time limit is aborted, even if some of it has arrived."""
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
        """A handshake that finishes in time leaves no timer, and the connection outlives the limit."""
        clock = Clock()
        self.server = Side(server_context(), server_side=True, clock=clock, handshake_seconds=60)
        self.connect_both()
        self.assertEqual(clock.getDelayedCalls(), [])
        clock.advance(60)
        self.client.layer.send(b"hello")
        self.carry()
        self.assertEqual(self.server.inner.got, b"hello")

    def test_lost_in_time(self) -> None:
        """A connection that is lost during the handshake, also after a failure, leaves no timer."""
        for came in b"", b"GET / HTTP/1.0\r\n\r\n":
            clock = Clock()
            self.server = Side(server_context(), server_side=True, clock=clock, handshake_seconds=60)
            self.server.connect()
            self.server.layer.dataReceived(came)
            self.assertEqual(len(clock.getDelayedCalls()), 1)
            self._check_failed(self.server, ssl.SSLError)
            self.assertEqual(clock.getDelayedCalls(), [])

    def test_no_one_to_tell(self) -> None:
        """Without ``on_failure``, failed handshakes and lost connections raise nothing."""
        for garbage in b"GET / HTTP/1.0\r\n\r\n", b"":
            self.server = Side(server_context(), server_side=True, on_failure=None)
            self.server.connect()
            self.server.layer.dataReceived(garbage)
            self.server.lose()
            self.assertEqual((self.server.inner.made, self.server.inner.lost), (0, []))

    def test_closed_in_the_middle(self) -> None:
        """Closing or aborting during the handshake connects nobody."""
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
