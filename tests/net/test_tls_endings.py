"""TLS: the end of a connection, from either side and by accident."""

import ssl

from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost

from tests.helpers.tls_wire import WireTestCase


class CloseTests(WireTestCase):
    """The end of a connection, from either side and by accident."""

    def _check_closed(self, *, client: type, server: type) -> None:
        self.assertEqual((self.client.inner.lost, self.server.inner.lost), ([client], [server]))
        self.assertEqual((self.client.failures, self.server.failures), ([], []))
        for side in self.client, self.server:
            side.end.out.clear()
            side.layer.send(b"late")
            side.layer.close()
            self.assertEqual(side.end.out, b"")

    def test_client_closes(self) -> None:
        """What the client wrote before it closed arrives, and both sides hear of the end once."""
        self.connect_both()
        self.client.layer.send(b"last words")
        self.client.inner.transport.loseConnection()
        self.assertTrue(self.client.layer.disconnecting)
        self.carry()
        self.assertEqual(self.server.inner.got, b"last words")
        self._check_closed(client=ConnectionDone, server=ConnectionDone)

    def test_server_closes(self) -> None:
        """What the server wrote before it closed arrives, and both sides hear of the end once."""
        self.connect_both()
        self.server.layer.send(b"bye" * 100_000)
        self.server.inner.transport.loseConnection()
        self.carry(piece=1_000)
        self.assertEqual(self.client.inner.got, b"bye" * 100_000)
        self._check_closed(client=ConnectionDone, server=ConnectionDone)

    def test_goodbye_without_end(self) -> None:
        """The goodbye of TLS alone, the TCP connection still open, makes the other side close."""
        self.connect_both()
        self.client.layer._tls.write(b"last words")
        self.assertRaises(ssl.SSLWantReadError, self.client.layer._tls.unwrap)
        self.server.layer.dataReceived(self.client.layer._outgoing.read())
        self.assertEqual(self.server.inner.got, b"last words")
        self.assertTrue(self.server.end.disconnecting)
        self.assertTrue(self.server.layer.disconnecting)

    def test_close_on_connection(self) -> None:
        """An inner protocol that speaks and closes as soon as it is connected is heard."""

        def refuse() -> None:
            self.server.layer.send(b"too many connections")
            self.server.layer.close()

        self.server.inner.on_made = refuse
        self.connect_both()
        self.assertEqual(self.client.inner.got, b"too many connections")
        self._check_closed(client=ConnectionDone, server=ConnectionDone)

    def test_close_on_data(self) -> None:
        """An inner protocol that closes gets nothing more, though more had come with it."""
        self.connect_both()
        self.server.inner.on_data = self.server.layer.close
        self.client.layer.send(b"one")
        self.client.layer.send(b"two")
        self.carry()
        self.assertEqual(self.server.inner.got, b"one")
        self._check_closed(client=ConnectionDone, server=ConnectionDone)

    def test_abort_on_data(self) -> None:
        """An inner protocol that aborts gets nothing more either."""
        self.connect_both()
        self.server.inner.on_data = self.server.layer.abort
        self.client.layer.send(b"one")
        self.client.layer.send(b"two")
        self.carry()
        self.assertEqual(self.server.inner.got, b"one")
        self._check_closed(client=ConnectionLost, server=ConnectionAborted)

    def test_data_after_close(self) -> None:
        """Bytes that come after a close go nowhere."""
        self.connect_both()
        self.client.layer.send(b"late")
        self.server.layer.close()
        self.server.layer.dataReceived(bytes(self.client.end.out))
        self.assertEqual(self.server.inner.got, b"")

    def test_abort(self) -> None:
        """An abort closes at once, without a goodbye, and both sides hear of it."""
        self.connect_both()
        self.server.inner.transport.abortConnection()
        self.assertTrue(self.server.layer.disconnecting)
        self.assertEqual((self.server.end.aborted, self.server.end.out), (True, b""))
        self.carry()
        self._check_closed(client=ConnectionLost, server=ConnectionAborted)

    def test_connection_lost(self) -> None:
        """A TCP connection that ends without goodbye ends the inner protocol with the reason of TCP."""
        self.connect_both()
        self.client.lose()
        self.server.lose()
        self._check_closed(client=ConnectionLost, server=ConnectionLost)

    def test_damaged_record(self) -> None:
        """A record damaged on the way closes the connection; what the inner protocol writes meanwhile goes nowhere."""
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
