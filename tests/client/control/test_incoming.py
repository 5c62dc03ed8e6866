"""Events that answer no action of the user."""

from irchat.protocol import events, requests
from tests.client.control.test_controller import ControllerCase
from tests.helpers.client_fakes import message


class IncomingTests(ControllerCase):
    """Messages, notifications and the end of timed messages."""

    def test_timed_of_others(self) -> None:
        """One that comes is told of without its text, and gone in time though nothing else happens."""
        self.open("@bob")
        self.server.tell(message("psst", chat="@bob", id="t", left_ms=2_000))
        self.assertEqual(self.told, ["timed message from bob"])
        self.clock.pump([0.25] * 8)
        self.assertEqual(self.texts(), [])

    def test_mention(self) -> None:
        """A mention is told of, a message to all is not."""
        self.server.tell(message("hello all"))
        self.server.tell(message("hello alice"))
        self.assertEqual(self.told, ["bob in GLOBAL: hello alice"])

    def test_erased_elsewhere(self) -> None:
        """When a timed message that is not loaded ends, what is unread is asked for again."""
        self.server.tell(events.Erased("@bob", "t"))
        self.assertEqual(self.asked(), [requests.Chats()])

    def test_added(self) -> None:
        """A group that one is added to is there."""
        self.server.tell(events.Added("*team", "g", "alice", "bob", "bob"))
        self.assertIn("*team", self.view.chats)

    def test_counted_again(self) -> None:
        """Markers of another session that leave the count open make one request a second later, however many come."""
        self.open("@bob")
        self.controller.home()
        for seq in 1, 2, 3:
            self.server.tell(message("hi", chat="*team", seq=seq))
        self.asked()
        for seq in 1, 2:
            self.server.tell(events.Read("*team", seq))
        self.clock.advance(0.9)
        self.assertEqual(self.asked(), [])
        self.clock.advance(0.1)
        self.assertEqual(self.asked(), [requests.Chats()])

    def test_connection_lost_meanwhile(self) -> None:
        """A loss while the lists are on their way is no fault: they are asked for after the next sign-in."""
        self.controller.incoming.refresh()
        self.lose()
        self.assertEqual(self.flushLoggedErrors(), [])
