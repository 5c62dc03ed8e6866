"""Timed messages that wait in the server's memory for a reader are never sent after their end."""

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from irchat.server.delivery import perishable
from irchat.server.delivery.perishable import Perishable
from tests.helpers.server import JSONClient, ServerTestCase, TextClient

SECRET = "never after the end"


class _WaitingTestCase(ServerTestCase):
    def setUp(self) -> None:
        """Alice, the sender, and bob, who does not read."""
        self.server = self.make_server()
        self.alice, self.bob = self.server.json("alice"), self.server.json("bob")
        self.server.advance(2)
        self.bob.got()

    def timed(self, seconds: int = 10, text: str = SECRET, chat: str = "GLOBAL") -> None:
        """Send a timed message."""
        self.alice.ask("send", chat=chat, text=text, expires_in=seconds)

    def reads_on(self, room: int | None = None) -> list[dict[str, Any]]:
        """Let bob read everything."""
        self.bob.socket.room = room
        self.server.advance(*[0.0] * 40)
        return self.bob.got()

    def writer_has(self) -> bytes:
        """Return what waits in the socket's writer for bob."""
        transport = self.bob.socket
        return bytes(transport.dataBuffer[transport.offset :]) + b"".join(transport._tempDataBuffer)


class ReplyTests(_WaitingTestCase):
    """Replies with timed messages."""

    def setUp(self) -> None:
        """Bob has unread output waiting and requested history after it, and the page holds a timed message."""
        super().setUp()
        self.bob.socket.room = 0
        self.alice.ask("send", chat="GLOBAL", text="first")
        self.timed(10)
        self.timed(20, "longer")
        self.bob.ask("history", chat="GLOBAL", ref=1)

    def test_in_time(self) -> None:
        """A reply that waited contains the time left when it is sent."""
        self.server.advance(4)
        (history,) = [line for line in self.reads_on() if line["type"] == "history"]
        timed = [(message["text"], message["left_ms"]) for message in history["messages"] if "id" in message]
        self.assertEqual(timed, [(SECRET, 6_000), ("longer", 16_000)])

    def test_too_late(self) -> None:
        """A reply that waited longer than the message lived lacks it. The rest is there, and the session continues."""
        self.server.advance(5, 5.1)
        self.assertNotIn(SECRET.encode(), self.writer_has())
        (history,) = [line for line in self.reads_on() if line["type"] == "history"]
        self.assertEqual([message["text"] for message in history["messages"]], ["first", "longer"])
        self.assertEqual((history["ref"], history["messages"][1]["left_ms"]), (1, 9_900))
        self.bob.ask("chats")
        self.bob.one("chats")

    def test_begun(self) -> None:
        """If a reply was begun before the end, its rest is sent without the message, as one line."""
        self.reads_on()
        for number in range(100):
            self.alice.ask("send", chat="GLOBAL", text=f"{number} {'x' * 1_000}")
        self.bob.got()
        self.bob.socket.room = 30_000
        self.bob.ask("history", chat="GLOBAL", limit=100, ref=3)
        self.assertGreater(self.bob.socket.waiting, 0)
        self.server.advance(5, 5.1)
        self.assertTrue(self.bob.is_open)
        (history,) = [line for line in self.reads_on() if line["type"] == "history"]
        self.assertEqual((history["ref"], len(history["messages"])), (3, 101))
        self.assertEqual(history["messages"][-1]["text"], "longer")

    def test_begun_in_the_message(self) -> None:
        """A reply cut within the message cannot be completed: the connection closes at the end, not before."""
        self.reads_on()
        size = len(json.dumps(self._history(), separators=(",", ":")))
        self.bob.socket.room = size - 200
        self.bob.ask("history", chat="GLOBAL", ref=2)
        self.server.advance(9.5)
        self.assertTrue(self.bob.is_open)
        self.server.advance(0.6, 0)
        self.assertFalse(self.bob.is_open)

    def _history(self) -> dict[str, Any]:
        self.bob.ask("history", chat="GLOBAL", ref=2)
        return self.bob.one("history")

    def test_left_of_sent(self) -> None:
        """The time left in the sender's reply is that at the moment of sending the reply."""
        self.bob.ask("send", chat="GLOBAL", text="mine", expires_in=30)
        self.server.advance(4)
        (sent,) = [line for line in self.reads_on() if line["type"] == "sent"]
        self.assertEqual(sent["left_ms"], 26_000)

    def test_goodbye(self) -> None:
        """When the session ends, waiting data is handed to the writer without expired messages."""
        self.server.advance(5, 5.1)
        self.bob.connection.session.end("over")
        self.server.turn()
        self.assertNotIn(SECRET.encode(), self.writer_has())
        self.assertEqual([line["type"] for line in self.reads_on()][-2:], ["history", "bye"])

    def test_closing(self) -> None:
        """Data handed over at the end of a session does not outlive the message in the writer."""
        self.server.advance(5)
        self.bob.connection.session.end("over")
        self.server.turn()
        self.assertIn(SECRET.encode(), self.writer_has())
        self.server.advance(4.9)
        self.assertFalse(self.bob.socket.aborted)
        self.server.advance(0.2, 0)
        self.assertTrue(self.bob.socket.aborted)

    def test_blocked_meanwhile(self) -> None:
        """A block made while the reply waited applies too."""
        self.alice.ask("block", name="bob")
        self.server.advance(1)
        (history,) = [line for line in self.reads_on() if line["type"] == "history"]
        self.assertNotIn(SECRET, [message["text"] for message in history["messages"]])


class EventTests(_WaitingTestCase):
    """Timed messages as events."""

    def test_in_the_writer(self) -> None:
        """A message still in the writer at its end closes the connection, in GLOBAL and in a private chat."""
        for chat in ("GLOBAL", "@bob"):
            self.bob.socket.room = 0
            self.timed(10, chat=chat)
            self.assertIn(SECRET.encode(), self.writer_has())
            self.server.advance(9.9)
            self.assertTrue(self.bob.is_open)
            self.server.advance(0.2, 0)
            self.assertFalse(self.bob.is_open)
            self.assertNotIn(SECRET, self.bob.read())
            self.bob = self.server.json("bob")

    def test_in_the_writer_of_one_of_many(self) -> None:
        """The same holds for one of many immediate writes. Readers that keep up stay."""
        many = [self.server.json(f"reader{number}") for number in range(20)]
        many[3].socket.room = 10
        self.timed(10)
        self.server.advance(10.1, 0)
        self.assertEqual([client.is_open for client in many], [number != 3 for number in range(20)])

    def test_taken_in_time(self) -> None:
        """A reader that took it before the end stays connected, and no alarm for the end is left."""
        self.bob.socket.room = 5
        self.timed(10)
        self.server.advance(3)
        self.assertIn(SECRET, [line.get("text") for line in self.reads_on()])
        self.assertEqual(self.server.delivery.watch._held, {})
        self.server.advance(10, 0)
        self.assertTrue(self.bob.is_open)

    def test_behind_much(self) -> None:
        """Behind a long reply of the same turn it is sent after that, if it still lives."""
        for number in range(200):
            self.alice.ask("send", chat="GLOBAL", text=f"{number} {'x' * 1_000}")
        self.bob.got()
        self.bob.socket.room = 1_000
        self.bob.connection.dataReceived(b'{"type":"history","chat":"GLOBAL","limit":200}\n')
        self.timed(10)
        self.assertNotIn(SECRET.encode(), self.writer_has())
        self.server.advance(10.1)
        self.assertTrue(self.bob.is_open)
        self.assertNotIn(SECRET, json.dumps(self.reads_on()))

    def test_lost(self) -> None:
        """A lost connection is no longer watched."""
        self.bob.socket.room = 0
        self.timed(10)
        self.bob.leave()
        self.assertEqual(self.server.delivery.watch._held, {})


class TextTests(ServerTestCase):
    """The text protocol."""

    def setUp(self) -> None:
        """Alice, a program, and bob, a person, who stops reading when the message is sent."""
        self.server = self.make_server()
        self.alice = self.server.json("alice")
        self.bob: TextClient = self.server.text("bob")
        self.server.advance(2)
        self.bob.shown()

    def _after(self, *seconds: float) -> str:
        self.server.advance(*seconds)
        self.bob.socket.room = None
        self.server.advance(*[0.0] * 40)
        return self.bob.shown()

    def test_ls(self) -> None:
        """Timed messages in the output of ``ls`` are not shown after their end."""
        self.bob.leave()
        self.alice.ask("send", chat="GLOBAL", text=SECRET, expires_in=10)
        self.bob = self.server.text("bob")
        self.bob.shown()
        self.bob.socket.room = 0
        self.alice.ask("send", chat="GLOBAL", text="other")
        self.bob.type("ls GLOBAL")
        shown = self._after(10.1)
        self.assertNotIn(SECRET, shown)
        self.assertIn("other", shown)
        self.assertTrue(self.bob.is_open)

    def test_reprint(self) -> None:
        """A reprint that waits lacks messages that ended meanwhile."""
        for seconds in (3, 6):
            self.alice.ask("send", chat="GLOBAL", text=f"{SECRET} {seconds}", expires_in=seconds)
        self.alice.ask("send", chat="GLOBAL", text="other")
        self.bob.shown()
        self.bob.socket.room = 0
        self.alice.ask("send", chat="GLOBAL", text="last")
        self.server.advance(3.1)
        shown = self._after(3.1)
        self.assertNotIn(SECRET, shown)
        self.assertIn("other\r\n", shown)
        self.assertTrue(self.bob.is_open)


class ManyTests(ServerTestCase):
    """Many timed messages at once for a slow reader."""

    def test_all_come_or_none_late(self) -> None:
        """A slow reader gets each message while it lives, and none after its end."""
        server = self.make_server()
        alice, bob = server.json("alice"), JSONClient(server)
        bob.ask("register", name="bob", password="correct horse")
        bob.got()
        for number in range(300):
            alice.ask("send", chat="GLOBAL", text=f"{number} {'x' * 1_000}", expires_in=60 if number % 2 else 600)
        server.advance(2)
        bob.got()
        bob.socket.room = 0
        bob.ask("history", chat="GLOBAL", ref=1)
        for _ in range(10):
            bob.socket.room = 10_000
            server.advance(1)
        self.assertTrue(bob.is_open)
        bob.socket.room = 0
        server.advance(60)
        bob.socket.room = None
        server.advance(*[0.0] * 40)
        data = bob.read()
        if bob.is_open:
            for line in data.splitlines():
                json.loads(line)
        late = data[100_000:]
        self.assertEqual([number for number in range(1, 300, 2) if f'"{number} x' in late], [])


class PerishableTests(SynchronousTestCase):
    """`Perishable`."""

    def setUp(self) -> None:
        """Create a line that is re-encoded by ``again``, and record the times of that."""
        self.now = 100.0
        self.ends = 105.0
        self.again = b"said again"
        self.moments: list[float] = []
        self.line = Perishable(b"said first", self._say, lambda: self.ends, lambda: self.now)

    def _say(self, moment: float) -> bytes:
        self.moments.append(moment)
        return self.again

    def test_pieces(self) -> None:
        """It is handed over in pieces, and its length is what still waits."""
        self.assertEqual([(self.line.take(4), len(self.line)) for _ in range(4)],
                         [(b"said", 6), (b" fir", 2), (b"st", 0), (b"", 0)])  # fmt: skip

    def test_waited(self) -> None:
        """A line that has waited for longer than it stays fresh is encoded again, once for that moment."""
        self.patch(perishable, "_FRESH_SECONDS", 0.25)
        self.assertTrue(self.line.renew())
        self.now = 100.25
        self.assertTrue(self.line.renew())
        self.assertEqual((self.line.data, self.moments), (b"said first", []))
        self.now = 101.0
        self.assertTrue(self.line.renew())
        self.assertTrue(self.line.renew())
        self.assertEqual((self.line.data, self.moments), (b"said again", [101.0]))

    def test_begun(self) -> None:
        """A begun line is kept until a message in it ends. The rest is then re-encoded for the time of the beginning.

        That requires the data handed over to stay valid.
        """
        self.line.take(5)
        self.now = 104.5
        self.assertTrue(self.line.renew())
        self.assertEqual(self.moments, [])
        self.now = 105.0
        self.assertTrue(self.line.renew())
        self.assertEqual((self.moments, self.line.take(99)), ([100.0], b"again"))
        self.again = b"other"
        self.assertFalse(self.line.renew())
