"""The commands of groups, from the typed line to the reply."""

from irchat.protocol import events, requests
from irchat.protocol.errors import Code
from tests.helpers.commands import CommandTestCase


class GroupCommandTests(CommandTestCase):
    """Alice, bob and carol."""

    def test_life_of_a_group(self) -> None:
        """A group is created, extended, listed, reduced and left."""
        made = self.run_line("alice", "*bob -> team")
        self.assertEqual(made, events.Group("*team", "*2", "alice", ["alice", "bob"]))
        grown = self.run_line("bob", "+carol team")
        self.assertEqual(grown, events.Group("*team", "*2", "alice", ["alice", "bob", "carol"]))
        for line in ("+team", "-team", "+*team"):
            self.assertEqual(self.run_line("carol", line), grown)
        self.assertEqual(self.run_line("alice", "-bob *team"), events.Group("*team", "*2", "alice", ["alice", "carol"]))
        self.assertEqual(self.run_line("carol", "-carol team"), events.Ok())

    def test_own_session(self) -> None:
        """The session that changed the group is not notified, the user's other sessions are."""
        self.run_line("alice", "*bob -> team")
        self.run_line("alice", "+carol team")
        self.run_line("alice", "-carol team")
        self.assertEqual(self.world.told("alice", self.callers["alice"].id), [])
        self.assertEqual(len(self.world.told("alice")), 3)

    def test_refused(self) -> None:
        """Refusals of the group are passed on."""
        self.refused(Code.NO_SUCH_GROUP, self.ask, "alice", requests.Members(group="team"))
        self.refused(Code.NO_SUCH_USER, self.ask, "alice", requests.CreateGroup(name="team", members=["dave"]))
        self.refused(Code.NO_SUCH_GROUP, self.ask, "alice", requests.AddMember(group="team", name="bob"))
        self.refused(Code.NO_SUCH_GROUP, self.ask, "alice", requests.RemoveMember(group="team", name="bob"))
