"""The names of members and of users online."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.client.view.details import Roster
from irchat.client.view.people import members_line, online, people
from irchat.client.view.rows import Row
from irchat.client.view.screen_state import ScreenState
from irchat.protocol import events
from tests.helpers.client_fakes import welcome


def _texts(rows: list[Row]) -> list[str]:
    return ["".join(text for _, text in row.pieces) for row in rows]


class MembersLineTests(SynchronousTestCase):
    """The members in the header."""

    def test_as_many_as_fit(self) -> None:
        """The owner comes first. Names are whole, and an ellipsis stands for the others."""
        roster = Roster()
        roster.load(events.Group("*team", "*1", "bob", ["alice", "bob", "carol"]))
        whole = "3 members: bob (owner), alice, carol"
        self.assertEqual(members_line(roster, len(whole)), whole)
        self.assertEqual(members_line(roster, len(whole) - 1), "3 members: bob (owner), alice, …")
        self.assertEqual(members_line(roster, 32), "3 members: bob (owner), alice, …")
        self.assertEqual(members_line(roster, 31), "3 members: bob (owner), …")
        roster.load(events.Group("*team", "*1", "bob", ["bob"]))
        self.assertEqual(members_line(roster, 80), "1 member: bob (owner)")


class PeopleTests(SynchronousTestCase):
    """The list at the right."""

    def setUp(self) -> None:
        """Sign in as alice, with carol online and the group team."""
        self.view = ScreenState("host:7667")
        self.view.welcome(welcome())
        self.view.apply(events.Presence(["carol"], []), 0.0)
        self.view.open_chat("*team")

    def people(self, height: int = 5) -> list[str]:
        """Return the rows of the list."""
        return _texts(people(self.view, 20, height))

    def test_members(self) -> None:
        """The members of the open group, those online first. They are cut to the height."""
        self.assertEqual(self.people(), [" Online 2", " ● carol", "", "", ""])
        self.view.list_members(events.Group("*team", "*1", "bob", ["bob", "alice", "carol"]))
        self.assertEqual(self.people(), [" Members 3", " ● alice", " ● carol", "   bob (owner)", ""])
        self.assertEqual(self.people(3), [" Members 3", " ● alice", " ● carol"])
        self.view.go_home()
        self.assertEqual(self.people(3), [" Online 2", " ● carol", ""])

    def test_online_without_room(self) -> None:
        """The list of users online never has more rows than there is room for."""
        self.assertEqual(_texts(online(self.view, 20, 1)), [" Online 2"])
        self.assertEqual(online(self.view, 20, 0), [])
