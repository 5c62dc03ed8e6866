"""Requests for the members and the pins of the open chat."""

from irchat.client.view.screen_state import ScreenState
from irchat.protocol import events, requests
from tests.client.control.test_controller import ControllerCase
from tests.helpers.client_fakes import FakeServer, amended, error, message, welcome

_TEAM = events.Group("*team", "*1", "bob", ["bob", "alice"])
_MEMBERS = requests.Members(group="*team")
_PIN = events.Mark("pin", 1, ["bob"], False)


def _pins(chat: str) -> requests.Search:
    return requests.Search(chat=chat, mark="pin", limit=100)


class DetailsTests(ControllerCase):
    """The details in the header are requested once, for the open chat."""

    def open_team(self, *replies: events.Event, rev: int = 0) -> list[object]:
        """Open the group team. Return the requests after its page, and answer them."""
        self.asked()
        self.controller.open("*team")
        self.server.answer(events.History("*team", [message("hi", chat="*team", seq=1)], False, rev))
        asked = [request for request in self.asked() if not isinstance(request, requests.Read)]
        self.server.answer(*replies)
        return asked

    def names(self, view: ScreenState) -> list[str]:
        """Return the members of team."""
        return list(view.chat("*team").roster.names)

    def test_members(self) -> None:
        """The members are requested when a group opens, and then follow events and replies."""
        self.assertEqual(self.open_team(_TEAM), [_MEMBERS])
        self.assertEqual(self.names(self.view), ["bob", "alice"])
        self.server.tell(events.Added("*team", "*1", "carol", "bob", "bob"))
        self.assertEqual(self.names(self.view), ["bob", "alice", "carol"])
        self.server.tell(events.Removed("*team", "*1", "bob", "bob", "alice"))
        self.assertEqual(self.names(self.view), ["alice", "carol"])
        self.submit("-carol team")
        self.server.answer(events.Group("*team", "*1", "alice", ["alice"]))
        self.assertEqual(self.names(self.view), ["alice"])
        self.controller.open("GLOBAL")
        self.asked()
        self.controller.open("*team")
        self.assertEqual(self.asked(), [])

    def test_pins(self) -> None:
        """Pins are requested where a message was ever changed, and then follow events and the user's own marks."""
        found = events.Found([message("hi", chat="*team", seq=1, rev=3, marks=[_PIN])], False)
        self.assertEqual(self.open_team(_TEAM, found, rev=3), [_MEMBERS, _pins("*team")])
        pins = self.view.here.pins
        self.assertEqual(str(pins), "pin 1")
        self.server.tell(amended(chat="*team", seq=7, rev=4, mark="pin", on=True))
        self.assertEqual(str(pins), "pin 2")
        self.submit("#1-pin")
        self.asked()
        self.server.answer(amended(chat="*team", seq=1, rev=5, mark="pin", on=False))
        self.assertEqual((str(pins), self.asked()), ("pin 1", []))

    def test_first_mark(self) -> None:
        """A chat without changes causes no request until the first change arrives, and then one."""
        self.server.tell(amended(rev=1, mark="ok", on=True))
        self.server.tell(amended(rev=2, mark="ok", on=False))
        self.assertEqual(self.asked(), [_pins("GLOBAL")])

    def test_older_server(self) -> None:
        """A server without marks has no pins to request."""
        self.view.features = frozenset()
        self.server.tell(amended(rev=1, mark="ok", on=True))
        self.assertEqual(self.asked(), [])

    def test_refused(self) -> None:
        """A refusal is not shown and not repeated."""
        self.open_team(error("no-such-group", "No such group."), error("bad-request", "No."), rev=1)
        self.controller.changed()
        self.assertEqual((self.asked(), self.texts()), ([], ["hi"]))

    def test_blocks(self) -> None:
        """After a change of the blocks other marks are visible, so the pins are requested again."""
        self.server.tell(amended(rev=1, mark="pin", on=True))
        self.asked()
        self.server.tell(events.Blocks(["bob"]))
        self.server.answer(events.Found([message("hi", seq=1, rev=1, marks=[_PIN])], False), events.Chats([]))
        self.assertEqual(str(self.view.here.pins), "")
        self.server.answer(events.History("GLOBAL", [message("hi", seq=1, rev=1)], False, 1))
        self.assertEqual(self.asked()[-1], _pins("GLOBAL"))

    def test_added_again(self) -> None:
        """A user who comes back to a group does not see the members of before."""
        self.view.chats.of_id("*team", "*1")
        self.open_team(_TEAM)
        self.server.tell(events.Removed("*team", "*1", "alice", "bob", "bob"))
        self.server.tell(events.Added("*team", "*1", "alice", "bob", "bob"))
        self.assertEqual(self.names(self.view), [])
        self.server.answer(events.History("*team", [], False))
        self.assertEqual(self.asked(), [_MEMBERS])

    def test_after_reconnecting(self) -> None:
        """After a lost connection, also one lost during a request, all is requested again when the chat is there."""
        self.open_team(rev=1)
        self.lose()
        self.servers.append(FakeServer())
        self.clock.advance(1)
        self.server.answer(welcome())
        kinds = {type(request) for request in self.asked()}
        self.assertFalse(kinds & {requests.Members, requests.Search})
        chats = [events.Chat("*team", "*1", 0, 1, 1, None, 1)]
        self.server.answer(events.Chats(chats), events.Users([], [], False), events.Blocks([]))
        self.server.answer(events.History("*team", [], False, 1))
        self.assertEqual(self.asked(), [_MEMBERS, _pins("*team")])
