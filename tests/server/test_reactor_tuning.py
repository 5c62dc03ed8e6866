"""A client that sends thousands of lines does not delay others: each connection has a limited share of a turn."""

from irchat.protocol.rules import CLIENT_LINE_BYTES
from irchat.server.listeners.line_framing import _LINES_A_TURN
from tests.helpers.server import JSONClient, ServerTestCase, refs, request

_MANY = 1_000


class TurnTests(ServerTestCase):
    """One flooding client, and the work of one turn."""

    def setUp(self) -> None:
        """Sign the client in."""
        self.server = self.make_server()
        self.client = self.server.json("alice")
        self.server.advance(2)
        self.client.got()

    def flood(self, client: JSONClient, data: bytes) -> None:
        """Deliver everything at once, as one read of a socket does."""
        client.connection.dataReceived(data)

    def test_share(self) -> None:
        """One turn takes a limited number of lines and pauses reading. The rest follows in order, turn by turn."""
        self.flood(self.client, b"".join(request("ping", ref=number) for number in range(_MANY)))
        self.assertFalse(self.client.socket.is_read)
        self.assertEqual(len(self.client.outbox._pending), _LINES_A_TURN)
        self.server.turn()
        self.assertEqual(refs(self.client.got()), list(range(_MANY)))
        self.assertTrue(self.client.socket.is_read)

    def test_overlong_lines_count_too(self) -> None:
        """The same holds for discarded lines."""
        overlong = b"x" * (CLIENT_LINE_BYTES + 10) + b"\n"
        self.flood(self.client, overlong * (_LINES_A_TURN + 1) + request("ping", ref=1))
        self.assertFalse(self.client.socket.is_read)
        self.server.advance(0, 0, 0)
        got = self.client.got()
        self.assertEqual([line.get("code") for line in got], ["line-too-long"] * (_LINES_A_TURN + 1) + [None])
        self.assertTrue(self.client.socket.is_read)

    def test_few_lines(self) -> None:
        """Segments of few lines are never delayed."""
        for _ in range(_LINES_A_TURN):
            self.flood(self.client, request("ping") * (_LINES_A_TURN - 1))
            self.assertTrue(self.client.socket.is_read)

    def test_gone_meanwhile(self) -> None:
        """A connection lost or ended between two turns takes no more lines."""
        other = self.server.json("bob")
        other.got()
        for client, last in (self.client, b""), (other, request("logout")):
            sends = request("send", chat="GLOBAL", text="hi") * _LINES_A_TURN
            self.flood(client, sends[: -len(sends) // 2] + last + sends)
            if client is self.client:
                client.leave()
            self.server.advance(0, 0, 11)
            self.assertFalse(client.is_open)
        self.assertEqual([call for call in self.server.clock.getDelayedCalls() if call.active()], [])

    def test_full_meanwhile(self) -> None:
        """A paused connection resumes when both its share of the turn and the store's answer allow it."""
        self.server.threads.write.holds = True
        count = 600
        self.flood(
            self.client, b"".join(request("send", chat="GLOBAL", text="hi", ref=number) for number in range(count))
        )
        self.server.advance(*[0] * 30)
        self.assertFalse(self.client.socket.is_read)
        self.server.threads.write.holds = False
        self.server.threads.write.release()
        self.server.advance(*[0] * 30)
        self.assertEqual(refs(self.client.got()), list(range(count)))
        self.assertTrue(self.client.socket.is_read)
