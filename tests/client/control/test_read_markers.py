"""Read markers: messages that were shown count as read."""

from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.connect.request_channel import RequestChannel
from irchat.client.control.read_markers import ReadMarkers, ShownMarkers
from irchat.protocol import events, requests
from tests.helpers.client_fakes import AT, FakeServer, error, message, sent


class ReadMarkersTests(SynchronousTestCase):
    """The server learns how far the user has seen each chat."""

    def setUp(self) -> None:
        """Begin a session."""
        self.clock = Clock()
        self.server = FakeServer()
        self.channel = RequestChannel(self.clock, self.server.connection, lambda event: None, lambda stop: None)
        self.markers = ReadMarkers(self.clock, self.channel.request)
        self.shown = ShownMarkers(self.clock, self.channel.request, timed_too=True)

    def test_within_a_second(self) -> None:
        """Each chat's marker is reported once, a second after the first message, however many follow."""
        for seq in 1, 2, 4:
            self.shown.shown(message("hi", seq=seq))
        self.shown.shown(message("hi", chat="@bob", seq=9))
        self.clock.advance(0.9)
        self.assertEqual(self.server.asked(), [])
        self.clock.advance(0.1)
        self.assertEqual(self.server.asked(), [requests.Read(chat="@bob", seq=9), requests.Read(chat="GLOBAL", seq=4)])
        self.clock.advance(10)
        self.assertEqual(self.server.asked(), [])

    def test_again(self) -> None:
        """Later messages cause a later report."""
        self.shown.shown(message("hi", seq=1))
        self.clock.advance(1)
        self.server.answer(events.Ok())
        self.shown.shown(message("hi", seq=2))
        self.clock.advance(1)
        self.assertEqual(self.server.asked(), [requests.Read(chat="GLOBAL", seq=2)])

    def test_now(self) -> None:
        """After an immediate report nothing is left to report."""
        self.shown.report()
        self.shown.shown(message("hi", seq=1))
        self.shown.report()
        self.assertEqual(self.server.asked(), [requests.Read(chat="GLOBAL", seq=1)])
        self.clock.advance(10)
        self.assertEqual(self.server.asked(), [])

    def test_timed(self) -> None:
        """A timed message is read with the last message seen before it in its chat, and does not move that marker."""
        self.shown.shown(message("hi", id="t1", left_ms=5000))
        self.shown.report()
        self.assertEqual(self.server.asked(), [requests.Read(chat="GLOBAL", seq=0)])
        self.shown.shown(sent(seq=4))
        self.shown.shown(events.History("GLOBAL", [message("a", seq=3), message("b", id="t2")], more=False))
        self.shown.shown(message("hi", id="t3", left_ms=5000))
        self.shown.report()
        self.assertEqual(self.server.asked(), [requests.Read(chat="GLOBAL", seq=4)])

    def test_timed_withheld(self) -> None:
        """A timed message whose text was not shown is not read."""
        shown = ShownMarkers(self.clock, self.channel.request, timed_too=False)
        shown.shown(message("hi", id="t1", left_ms=5000))
        shown.report()
        self.assertEqual(self.server.asked(), [])
        shown.shown(message("hi", seq=1))
        shown.report()
        self.assertEqual(self.server.asked(), [requests.Read(chat="GLOBAL", seq=1)])

    def test_read_before(self) -> None:
        """A timed message in a chat read to its end in an earlier session is read with that end."""
        self.shown.shown(events.Chats([events.Chat("@bob", "c2", 0, 8, 8, AT)]))
        self.shown.shown(message("hi", chat="@bob", id="t1", left_ms=5000))
        self.shown.report()
        self.assertEqual(self.server.asked(), [requests.Read(chat="@bob", seq=8)])

    def test_forget(self) -> None:
        """After a restore from a backup, no earlier number is reported."""
        self.markers.know("@bob", 8)
        self.markers.read("GLOBAL", 9)
        self.markers.forget()
        self.markers.read("GLOBAL", 2)
        self.clock.advance(1)
        self.assertEqual(self.server.asked(), [requests.Read(chat="GLOBAL", seq=2)])
        self.markers.read("@bob", None)
        self.clock.advance(1)
        self.assertEqual(self.server.asked(), [requests.Read(chat="@bob", seq=0)])

    def test_own_requests(self) -> None:
        """Sending and paging move the marker on the server, and other events contain nothing to read."""
        self.shown.shown(sent(seq=4))
        self.shown.shown(events.History("GLOBAL", [message("a", seq=3)], more=False))
        self.shown.shown(events.Presence(["bob"], []))
        self.clock.advance(10)
        self.assertEqual(self.server.asked(), [])

    def test_refused_or_lost(self) -> None:
        """A marker that is refused, as in a group that was left, or lost with the connection, is ignored."""
        self.shown.shown(message("hi", seq=1))
        self.shown.report()
        self.server.answer(error("no-such-group"))
        self.shown.shown(message("hi", seq=2))
        self.server.lose(ConnectionDone())
        self.clock.advance(10)
        self.assertEqual(self.flushLoggedErrors(), [])
