"""Read markers: what was shown counts as read."""

from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.connect.request_channel import RequestChannel
from irchat.client.control.read_markers import ReadMarks
from irchat.protocol import events, requests
from tests.helpers.client_fakes import AT, FakeServer, error, message, sent


class ReadMarksTests(SynchronousTestCase):
    """The server is told how far its user has seen each chat."""

    def setUp(self) -> None:
        """Begin a session."""
        self.clock = Clock()
        self.server = FakeServer()
        self.channel = RequestChannel(self.clock, self.server.connection, lambda event: None, lambda stop: None)
        self.marks = ReadMarks(self.clock, self.channel, timed_too=True)

    def test_within_a_second(self) -> None:
        """However many messages come, each chat's marker is told once, a second after the first of them."""
        for seq in 1, 2, 4:
            self.marks.shown(message("hi", seq=seq))
        self.marks.shown(message("hi", chat="@bob", seq=9))
        self.clock.advance(0.9)
        self.assertEqual(self.server.asked(), [])
        self.clock.advance(0.1)
        self.assertEqual(self.server.asked(), [requests.Read(chat="@bob", seq=9), requests.Read(chat="GLOBAL", seq=4)])
        self.clock.advance(10)
        self.assertEqual(self.server.asked(), [])

    def test_again(self) -> None:
        """What comes later is told later."""
        self.marks.shown(message("hi", seq=1))
        self.clock.advance(1)
        self.server.answer(events.Ok())
        self.marks.shown(message("hi", seq=2))
        self.clock.advance(1)
        self.assertEqual(self.server.asked(), [requests.Read(chat="GLOBAL", seq=2)])

    def test_now(self) -> None:
        """Told at once, there is nothing to tell later."""
        self.marks.tell()
        self.marks.shown(message("hi", seq=1))
        self.marks.tell()
        self.assertEqual(self.server.asked(), [requests.Read(chat="GLOBAL", seq=1)])
        self.clock.advance(10)
        self.assertEqual(self.server.asked(), [])

    def test_timed(self) -> None:
        """A timed message is read with what was seen of its chat before, which it never moves."""
        self.marks.shown(message("hi", id="t1", left_ms=5000))
        self.marks.tell()
        self.assertEqual(self.server.asked(), [requests.Read(chat="GLOBAL", seq=0)])
        self.marks.shown(sent(seq=4))
        self.marks.shown(events.History("GLOBAL", [message("a", seq=3), message("b", id="t2")], more=False))
        self.marks.shown(message("hi", id="t3", left_ms=5000))
        self.marks.tell()
        self.assertEqual(self.server.asked(), [requests.Read(chat="GLOBAL", seq=4)])

    def test_timed_withheld(self) -> None:
        """A timed message whose text was not shown is not read."""
        marks = ReadMarks(self.clock, self.channel, timed_too=False)
        marks.shown(message("hi", id="t1", left_ms=5000))
        marks.tell()
        self.assertEqual(self.server.asked(), [])
        marks.shown(message("hi", seq=1))
        marks.tell()
        self.assertEqual(self.server.asked(), [requests.Read(chat="GLOBAL", seq=1)])

    def test_read_before(self) -> None:
        """A timed message in a chat that was read to its end in an earlier session is read with that end."""
        self.marks.begin()
        self.server.answer(events.Chats([events.Chat("@bob", "c2", 0, 8, 8, AT)]))
        self.marks.shown(message("hi", chat="@bob", id="t1", left_ms=5000))
        self.marks.tell()
        self.assertEqual(self.server.asked(), [requests.Read(chat="@bob", seq=8)])

    def test_not_told_what_was_read_before(self) -> None:
        """A server that does not tell what was read before, or goes away, is no reason to stop."""
        self.marks.begin()
        self.server.answer(error("unavailable"))
        self.marks.begin()
        self.server.lose(ConnectionDone())
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_own_requests(self) -> None:
        """Sending and paging move the marker without us, and other events show nothing to read."""
        self.marks.shown(sent(seq=4))
        self.marks.shown(events.History("GLOBAL", [message("a", seq=3)], more=False))
        self.marks.shown(events.Presence(["bob"], []))
        self.clock.advance(10)
        self.assertEqual(self.server.asked(), [])

    def test_refused_or_lost(self) -> None:
        """A marker that is refused, as in a group that was left, or lost with the connection, is no matter."""
        self.marks.shown(message("hi", seq=1))
        self.marks.tell()
        self.server.answer(error("no-such-group"))
        self.marks.shown(message("hi", seq=2))
        self.server.lose(ConnectionDone())
        self.clock.advance(10)
        self.assertEqual(self.flushLoggedErrors(), [])
