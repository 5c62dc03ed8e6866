"""What a session charges to its user: lines, requests, readers and long replies."""

from irchat.interfaces.limits import Limits
from irchat.protocol import requests
from irchat.protocol.rules import CLIENT_LINE_BYTES
from irchat.server.sessions.costs import (
    BYTES_OF_MS,
    COSTS,
    WORK_OF_LINE,
    WORK_OF_QUESTION,
    WORK_OF_RECIPIENT,
    WORK_OF_REFUSED_LINE,
)
from tests.helpers.server import ServerTestCase, TextClient, refs, request


class ChargesTests(ServerTestCase):
    """The work of the user."""

    def setUp(self) -> None:
        """Create a session."""
        self.server = self.make_server()
        self.alice = self.server.json("alice")
        self.limiter = self.server.rate_limiters.of(self.alice.connection.session.user_id)

    def cost(self, *lines: bytes) -> float:
        """Return the work of requests, without that of their lines."""
        before = self.limiter.work
        self.alice.send(b"".join(lines))
        return before - self.limiter.work - len(lines) * WORK_OF_LINE

    def test_readers(self) -> None:
        """A message costs by the sessions that receive it, a private one only as a message."""
        for number in range(7):
            self.server.json(f"reader{number}")
        send = COSTS[requests.Send].work
        for chat, readers in ("GLOBAL", 8), ("@reader1", 0):
            cost = self.cost(request("send", chat=chat, text="hi"))
            self.assertAlmostEqual(cost, send + readers * WORK_OF_RECIPIENT)

    def test_long_replies(self) -> None:
        """A long reply costs by its length, also one with a timed message."""
        for _ in range(5):
            self.alice.ask("send", chat="GLOBAL", text="x" * 2_000)
        self.alice.got()
        for adds in {}, {"expires_in": 60}:
            if adds:
                self.alice.ask("send", chat="GLOBAL", text="soon gone", **adds)
            self.alice.read()
            cost = self.cost(request("history", chat="GLOBAL"))
            reply = len(self.alice.read())
            self.assertGreater(reply, 10_000)
            self.assertAlmostEqual(cost, COSTS[requests.History].work + reply / BYTES_OF_MS, places=3)

    def test_long_lines(self) -> None:
        """A long line costs by its length."""
        line = request("send", chat="GLOBAL", text="\N{EURO SIGN}" * 4_000)
        expected = COSTS[requests.Send].work + WORK_OF_RECIPIENT + len(line[:-1]) / BYTES_OF_MS
        self.assertAlmostEqual(self.cost(line), expected)

    def test_overlong_lines(self) -> None:
        """A line that is too long costs by its length, complete or in parts."""
        data = b"x" * (CLIENT_LINE_BYTES + 10)
        for segments in (data + b"\n",), (data[:100], data[100:], b"\n"), (data, data, data + b"\n"):
            before = self.limiter.work
            for segment in segments:
                self.alice.send(segment)
            costs = WORK_OF_REFUSED_LINE + sum(map(len, segments)) / BYTES_OF_MS
            self.assertAlmostEqual(before - self.limiter.work, costs, places=0)

    def test_used_up(self) -> None:
        """When the work is used up, requests that have arrived wait for the next."""
        self.server.chat.limits.change_to(Limits(rate=10))
        self.limiter.work = COSTS[requests.Search].work + 1.5 * WORK_OF_LINE
        self.limiter._work_at = self.server.clock.seconds()
        self.alice.send(request("search", words="x", ref=1) + request("search", words="y", ref=2))
        self.assertEqual(refs(self.alice.got()), [1])
        self.server.advance(0.001, 0.05)
        self.assertEqual(refs(self.alice.got()), [2])

    def test_refused(self) -> None:
        """An invalid line costs more than a valid one."""
        self.assertAlmostEqual(self.cost(b"{}\n"), WORK_OF_REFUSED_LINE)


class BeforeTheSignInTests(ServerTestCase):
    """The work of an address."""

    def test_questions(self) -> None:
        """A question of the text protocol costs more than a line."""
        server = self.make_server()
        person = TextClient(server)
        limiter = server.rate_limiters.of(person.connection.session.address)
        before = limiter.work
        person.type("bob")
        self.assertIn("Choose a password", person.shown())
        self.assertAlmostEqual(before - limiter.work, WORK_OF_LINE + WORK_OF_QUESTION)

    def test_lines(self) -> None:
        """A client that does not sign in is not read from once the work of its address is used up."""
        server = self.make_server()
        server.chat.limits.change_to(Limits(rate=10))
        client = server.json()
        server.rate_limiters.of(client.connection.session.address).work = 3 * WORK_OF_LINE
        for is_read in True, True, False:
            client.send(b'{"type":"pong"}\n')
            self.assertEqual(client.socket.is_read, is_read)
