"""A client that sends thousands of lines does not delay others: each connection has a limited share of a turn."""

from types import SimpleNamespace

from twisted.trial.unittest import SynchronousTestCase

from irchat.protocol.rules import CLIENT_LINE_BYTES
from irchat.server.listeners.line_framing import _LINES_A_TURN
from irchat.server.reactor_tuning import take_few_at_a_time
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
        self.flood(self.client, overlong * (_LINES_A_TURN + 1))
        self.assertFalse(self.client.socket.is_read)
        self.assertEqual(len(self.client.outbox._pending), _LINES_A_TURN)
        self.flood(self.client, request("ping", ref=1))
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


class _Poller:
    """An epoll object with a hundred ready sockets."""

    def poll(self, timeout: float, most: int) -> list[int]:
        """Return as many of them."""
        return list(range(100))[:most]

    def fileno(self) -> int:
        """Return a descriptor."""
        return 7


class FewAtATimeTests(SynchronousTestCase):
    """`take_few_at_a_time`."""

    def test_epoll(self) -> None:
        """A turn takes 32 ready sockets, or as few as were asked for. All else is left to the poller."""
        reactor = SimpleNamespace(_poller=_Poller())
        take_few_at_a_time(reactor)
        self.assertEqual([len(reactor._poller.poll(1.0, most)) for most in (5, 1_000)], [5, 32])
        self.assertEqual(reactor._poller.fileno(), 7)

    def test_other_reactors(self) -> None:
        """A reactor without an epoll object stays as it is."""
        for reactor in SimpleNamespace(_poller="select"), SimpleNamespace():
            before = vars(reactor).copy()
            take_few_at_a_time(reactor)
            self.assertEqual(vars(reactor), before)
