"""Standard input as lines, standard output as bytes."""

from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from irchat.client.exceptions import ClientError
from irchat.client.plain.console import Console
from irchat.protocol.rules import CLIENT_LINE_BYTES
from tests.helpers.client_fakes import FakeServer


class ConsoleTests(SynchronousTestCase):
    """Reading lines and writing bytes."""

    def setUp(self) -> None:
        """Open a console."""
        self.console = Console()
        self.transport = StringTransport()
        self.console.makeConnection(self.transport)

    def _read(self) -> bytes | None:
        return self.successResultOf(self.console.read_line())

    def test_interface(self) -> None:
        """The output stays open after the end of the input."""
        verifyObject(IHalfCloseableProtocol, self.console)

    def test_lines(self) -> None:
        """Lines arrive in order, for any segmentation and either line end."""
        waiting = self.console.read_line()
        self.console.dataReceived(b"on")
        self.assertNoResult(waiting)
        self.console.dataReceived(b"e\ntwo\r\n\nth")
        self.assertEqual(self.successResultOf(waiting), b"one")
        self.assertEqual([self._read(), self._read()], [b"two", b""])
        self.assertNoResult(self.console.read_line())

    def test_end(self) -> None:
        """A last line without an end is a line. After it, every read returns the end."""
        self.console.dataReceived(b"one\ntwo")
        self.console.readConnectionLost()
        self.assertEqual([self._read() for _ in range(4)], [b"one", b"two", None, None])

    def test_end_while_waiting(self) -> None:
        """A waiting reader receives the end of the input."""
        waiting = self.console.read_line()
        self.console.readConnectionLost()
        self.assertIsNone(self.successResultOf(waiting))

    def test_long_line(self) -> None:
        """A line that is too long is kept only as far as needed to detect that."""
        for _ in range(10):
            self.console.dataReceived(b"x" * 50_000)
            self.assertLess(len(self.console._begun), 70_000)
        self.console.dataReceived(b"\nnext\n" + b"y" * 100_000 + b"\n")
        self.assertEqual(self._read(), b"x" * (CLIENT_LINE_BYTES + 1))
        self.assertEqual(self._read(), b"next")
        self.assertEqual(self._read(), b"y" * (CLIENT_LINE_BYTES + 1))

    def test_flood(self) -> None:
        """Unread input is bounded."""
        self.console.dataReceived(b"x\n" * 99)
        self.assertEqual(self.transport.producerState, "producing")
        self.console.dataReceived(b"x\n" * 50)
        self.assertEqual(self.transport.producerState, "paused")
        for _ in range(49):
            self._read()
            self.assertEqual(self.transport.producerState, "paused")
        self._read()
        self.assertEqual(self.transport.producerState, "producing")

    def test_break_off(self) -> None:
        """`break_off` fails waiting and later readers with the reason."""
        waiting = self.console.read_line()
        self.console.break_off(ClientError("gone"))
        self.assertEqual(self.failureResultOf(waiting, ClientError).value.text, "gone")
        self.console.dataReceived(b"x\n")
        self.assertEqual(self.failureResultOf(self.console.read_line(), ClientError).value.text, "gone")

    def test_interrupt(self) -> None:
        """`interrupt` fails the waiting reader, and the next one gets its line."""
        waiting = self.console.read_line()
        self.console.interrupt(ClientError("stop"))
        self.assertEqual(self.failureResultOf(waiting, ClientError).value.text, "stop")
        self.console.dataReceived(b"x\n")
        self.assertEqual(self._read(), b"x")

    def test_has_more(self) -> None:
        """The reader of a line can detect and discard further lines."""
        seen = []
        for data in b"one\ntwo\n", b"three\n", b"four\nhal":
            self.console.read_line().addCallback(lambda line: seen.append((line, self.console.has_more)))
            self.console.dataReceived(data)
            self.console.discard()
        self.assertEqual(seen, [(b"one", True), (b"three", False), (b"four", True)])
        self.assertFalse(self.console.has_more)

    def test_discard_by_the_reader(self) -> None:
        """The reader of a line can discard lines that arrived in the same read."""
        self.console.read_line().addCallback(lambda line: self.console.discard())
        self.console.dataReceived(b"one\ntwo\nthree\n")
        self.assertNoResult(self.console.read_line())

    def test_pace(self) -> None:
        """Blocked output pauses the server."""
        server = FakeServer()
        self.console.pace(server.connection)
        self.assertIs(self.transport.producer, server.connection)
        self.assertTrue(self.transport.streaming)

    def test_finish(self) -> None:
        """`finish` waits until all output is written."""
        self.console.write(b"last words")
        finished = self.console.finish()
        self.assertEqual((self.transport.value(), self.transport.disconnecting), (b"last words", True))
        self.assertNoResult(finished)
        self.console.connectionLost()
        self.successResultOf(finished)

    def test_finish_while_pacing(self) -> None:
        """A paused server does not delay the end."""
        self.console.pace(FakeServer().connection)
        self.console.finish()
        self.assertIsNone(self.transport.producer)
        self.assertTrue(self.transport.disconnecting)

    def test_nobody_reads(self) -> None:
        """The loss of the output's reader is reported, and leaves nothing to finish."""
        self.assertNoResult(self.console.unread)
        self.console.writeConnectionLost()
        self.successResultOf(self.console.unread)
        self.successResultOf(self.console.finish())
        self.assertFalse(self.transport.disconnecting)
        self.console.connectionLost()
