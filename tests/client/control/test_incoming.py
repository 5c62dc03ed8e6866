"""Events that answer no action of the user."""

from irchat.protocol import events, requests
from tests.client.control.test_controller import ControllerCase
from tests.helpers.client_fakes import message


class IncomingTests(ControllerCase):
    """Messages, notifications and the end of timed messages."""

    def test_timed_of_others(self) -> None:
        """A timed message notifies without its text, and disappears in time without further events."""
        self.open("@bob")
        self.server.tell(message("psst", chat="@bob", id="t", left_ms=2_000))
        self.assertEqual(self.told, ["timed message from bob"])
        self.clock.pump([0.25] * 8)
        self.assertEqual(self.texts(), [])

    def test_mention(self) -> None:
        """A mention notifies, a message to everyone does not, unless the chat is set to that."""
        self.server.tell(message("hello alice"))
        self.server.tell(message("hello @alice", to=["Alice"]))
        self.assertEqual(self.told, ["bob in GLOBAL: hello @alice"])
        self.server.tell(events.Alert("GLOBAL", "all"))
        self.server.tell(message("hello"))
        self.server.tell(events.Alert("GLOBAL", "none"))
        self.server.tell(message("hello @alice", to=["alice"]))
        self.assertEqual(self.told[1:], ["bob in GLOBAL: hello"])

    def test_older_server(self) -> None:
        """A server that does not tell mentions has the name looked for in the text."""
        self.view.features = frozenset()
        self.server.tell(message("hello alice"))
        self.assertEqual(self.told, ["bob in GLOBAL: hello alice"])

    def test_erased_elsewhere(self) -> None:
        """When an unloaded timed message ends, the unread counts are requested again."""
        self.server.tell(events.Erased("@bob", "t"))
        self.assertEqual(self.asked(), [requests.Chats()])

    def test_added(self) -> None:
        """A group that the user is added to appears."""
        self.server.tell(events.Added("*team", "g", "alice", "bob", "bob"))
        self.assertIn("*team", self.view.chats)

    def test_counted_again(self) -> None:
        """Markers of another session with an unknown count cause one request a second later, however many arrive."""
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
        """A loss while the lists are pending is not an error. They are requested again after the next sign-in."""
        self.controller.incoming.refresh()
        self.lose()
        self.assertEqual(self.flushLoggedErrors(), [])
