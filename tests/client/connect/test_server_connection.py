"""One connection to a server, as lines."""

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.connect.server_connection import ServerConnection
from irchat.client.exceptions import ClientError
from tests.helpers.client_fakes import FakeServer


class _BusyTransport(StringTransport):
    """A transport whose socket takes nothing."""

    def writeSomeData(self, data: bytes) -> int:
        return 0


class GreetingTests(SynchronousTestCase):
    """Only an IRChat server of this version is accepted."""

    def setUp(self) -> None:
        """Connect, without a greeting."""
        self.server = FakeServer(greeted=False)
        self.connection = self.server.connection

    def _refused(self) -> str:
        stop = self.failureResultOf(self.connection.greeted, ClientError).value
        self.assertTrue(self.server.transport.disconnecting or self.server.transport.disconnected)
        self.assertEqual(self.server.transport.value(), b"")
        return stop.text

    def test_greeting(self) -> None:
        """The greeting names the server. It may arrive in pieces and after empty lines."""
        for piece in b"\r\n", b"IRChat/1 My ser", b"ver: your username?\r\n":
            self.assertNoResult(self.connection.greeted)
            self.server.raw(piece)
        self.successResultOf(self.connection.greeted)
        self.assertEqual(self.connection.server_name, "My server")

    def test_name_is_shown_safely(self) -> None:
        """Control characters of a server's name do not pass."""
        self.server.raw(b"IRChat/1 a\x1b[2Jb: your username?\n")
        self.successResultOf(self.connection.greeted)
        self.assertEqual(self.connection.server_name, "a\u241b[2Jb")

    def test_other_server(self) -> None:
        """Another kind of server is refused."""
        self.server.raw(b"SSH-2.0-OpenSSH_9.2\r\n")
        self.assertIn("host:7667 is not an IRChat server", self._refused())

    def test_binary(self) -> None:
        """Bytes that are not text are not a greeting."""
        self.server.raw(b"\x15\x03\x01\x00\x02\x02\x0a\n")
        self.assertIn("not an IRChat server", self._refused())

    def test_endless_line(self) -> None:
        """A greeting without a line end is given up."""
        self.server.raw(b"x" * (ServerConnection.MAX_LENGTH + 1))
        self.assertIn("not an IRChat server", self._refused())

    def test_other_version(self) -> None:
        """A server with another protocol version is reported as such."""
        self.server.raw(b"IRChat/2 Name: your username?\n")
        self.assertIn("speaks version 2", self._refused())

    def test_closed(self) -> None:
        """A server that closes without a greeting is not an IRChat server."""
        self.server.lose(ConnectionDone())
        stop = self.failureResultOf(self.connection.greeted, ClientError).value
        self.assertIn("not an IRChat server", stop.text)

    def test_rest_is_ignored(self) -> None:
        """Data after a refusal is ignored."""
        self.server.raw(b"x\nIRChat/1 Name: your username?\n")
        self._refused()
        self.server.connection.lineReceived(b"{}")
        self.server.lose(ConnectionDone())

    def test_not_connected(self) -> None:
        """A connection can be given up before it is open. It sends nothing and has nothing to wait for."""
        connection = ServerConnection("host:7667")
        connection.send(b"{}\n")
        self.successResultOf(connection.drained())
        self.assertNoResult(connection.close())
        connection.fail(ClientError("enough"))
        self.assertEqual(self.failureResultOf(connection.greeted, ClientError).value.text, "enough")


class LineTests(SynchronousTestCase):
    """Exchanging lines of JSON."""

    def setUp(self) -> None:
        """Connect and greet."""
        self.server = FakeServer()
        self.connection = self.server.connection
        self.lines: list[bytes] = []
        self.lost: list[str] = []
        self.connection.on_line = self.lines.append
        self.connection.on_lost = lambda stop: self.lost.append(stop.text)

    def test_lines(self) -> None:
        """Lines of JSON are passed on, other text is not."""
        self.server.raw(b'{"a":1}\nhello\n{"b"')
        self.server.raw(b":2}\n\n")
        self.assertEqual(self.lines, [b'{"a":1}', b'{"b":2}'])

    def test_send(self) -> None:
        """Sent lines are written."""
        self.connection.send(b"{}\n")
        self.assertEqual(self.server.transport.value(), b"{}\n")

    def test_line_too_long(self) -> None:
        """A line longer than the protocol allows ends the connection with that reason."""
        self.server.raw(b"{" + b"x" * ServerConnection.MAX_LENGTH + b"\n")
        self.server.lose(ConnectionDone())
        self.assertEqual(len(self.lost), 1)
        self.assertIn("longer than the protocol allows", self.lost[0])
        self.assertTrue(self.server.transport.disconnected)

    def test_lost(self) -> None:
        """A lost server is reported, with the reason if there is one."""
        self.server.lose(ConnectionLost("cable \x1b cut"))
        self.assertEqual(len(self.lost), 1)
        self.assertIn("host:7667 has gone away (Connection to the other side was lost", self.lost[0])
        self.assertIn("cable \u241b cut", self.lost[0])

    def test_closed_by_server(self) -> None:
        """A connection closed in good order needs no reason."""
        self.server.lose(ConnectionDone())
        self.assertEqual(self.lost, ["The server host:7667 has gone away. Start the client again to reconnect."])

    def test_closed_by_tls(self) -> None:
        """After a TLS close alert, the end of the socket is not reported as a reason."""
        self.server.transport.disconnecting = True
        self.server.lose(ConnectionLost())
        self.assertEqual(self.lost, ["The server host:7667 has gone away. Start the client again to reconnect."])

    def test_close(self) -> None:
        """`close` is not a loss. Nothing more is sent or received, and its Deferred fires."""
        closed = self.connection.close()
        self.assertTrue(self.server.transport.disconnecting)
        self.connection.send(b"{}\n")
        self.connection.lineReceived(b"{}")
        self.connection.fail(ClientError("late"))
        self.assertNoResult(closed)
        self.server.lose(ConnectionDone())
        self.successResultOf(closed)
        self.successResultOf(self.connection.close())
        self.assertEqual((self.lost, self.lines, self.server.transport.value()), ([], [], b""))

    def test_nobody_listens(self) -> None:
        """Lines and a loss without a listener do no harm."""
        server = FakeServer()
        server.raw(b"{}\n")
        server.lose(ConnectionDone())
        self.successResultOf(server.connection.drained())

    def test_pause(self) -> None:
        """While our own output is blocked, the server is not read."""
        self.connection.pauseProducing()
        self.assertEqual((self.connection.paused, self.server.transport.producerState), (True, "paused"))
        self.connection.resumeProducing()
        self.assertEqual((self.connection.paused, self.server.transport.producerState), (False, "producing"))
        self.connection.stopProducing()
        self.assertFalse(self.server.transport.disconnecting)

    def test_drained(self) -> None:
        """`drained` fires when everything is sent, or the connection is lost."""
        transport = _BusyTransport()
        connection = ServerConnection("host:7667")
        connection.makeConnection(transport)
        connection.dataReceived(b"IRChat/1 x\n")
        self.successResultOf(connection.drained())
        connection.send(b"{}\n")
        drained = connection.drained()
        self.assertNoResult(drained)
        transport.producer.resumeProducing()
        self.successResultOf(drained)
        connection.send(b"{}\n")
        drained = connection.drained()
        connection.connectionLost()
        self.successResultOf(drained)
