"""Users, groups and chats in memory."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.chat.state.entities import DirectoryChat, DirectoryGroup, User
from irchat.interfaces.stored import GLOBAL


class EntityTests(SynchronousTestCase):
    """Two users, and a group of them owned by bob."""

    def setUp(self) -> None:
        """Create them."""
        self.alice, self.bob = User(1, "Alice", "alice"), User(2, "bob", "bob")
        self.team = DirectoryGroup(7, "Team", "team", self.bob, [self.alice, self.bob])

    def test_next_owner(self) -> None:
        """The owner stays until leaving. Then the earliest member owns, and after the last nobody."""
        self.assertIs(self.team.owner_without(self.alice), self.bob)
        self.assertIs(self.team.owner_without(self.bob), self.alice)
        alone = DirectoryGroup(8, "Alone", "alone", self.bob, [self.bob])
        self.assertIsNone(alone.owner_without(self.bob))

    def test_member_ids(self) -> None:
        """The set of ids is one object until the members change."""
        before = self.team.member_ids
        self.assertIs(self.team.member_ids, before)
        del self.team.members[1]
        self.team.members_changed()
        self.assertEqual((before, self.team.member_ids), ({1, 2}, {2}))

    def test_known_as(self) -> None:
        """A removed user is known by the name that it had."""
        self.assertEqual((self.alice.known_as, User(7, "bob#7", "bob#7").known_as), ("Alice", "bob"))
        self.assertEqual(User(7, "bob#8", "bob#8").known_as, "bob#8")

    def test_chats(self) -> None:
        """Each kind of chat has its name, id and audience, and only a group can be left."""
        everyone = DirectoryChat(GLOBAL)
        pair = DirectoryChat((1, 2), pair=(self.alice, self.bob))
        team = DirectoryChat(7, group=self.team)
        self.assertEqual([chat.label(self.alice) for chat in (everyone, pair, team)], ["GLOBAL", "@bob", "*Team"])
        self.assertEqual([chat.wire_id(self.bob) for chat in (everyone, pair, team)], ["GLOBAL", "@1", "*7"])
        self.assertEqual([chat.audience for chat in (everyone, pair, team)], [None, (1, 2), {1, 2}])
        del self.team.members[1]
        self.assertEqual([chat.has(self.alice) for chat in (everyone, pair, team)], [True, True, False])
