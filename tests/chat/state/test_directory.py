"""The directory finds users, groups and chats by name, and follows changes."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.chat.state.directory import Directory
from irchat.chat.state.entities import User
from irchat.interfaces.stored import GLOBAL, Snapshot, StoredGroup, StoredUser
from irchat.interfaces.writes import (
    BlockSet,
    Entry,
    GroupCreated,
    GroupRemoved,
    MemberAdded,
    MemberRemoved,
    UserCreated,
    UserRemoved,
    Write,
)
from irchat.protocol.errors import Code, Refusal


class DirectoryTests(SynchronousTestCase):
    """A directory of four users, and a group of two of them."""

    def setUp(self) -> None:
        """Create it from a snapshot."""
        names = ("Alice", "bob", "Čeněk", "team")
        users = [StoredUser(number, name, name.lower()) for number, name in enumerate(names, 1)]
        self.directory = Directory(
            Snapshot(users, [StoredGroup(7, "Team", "team", 2, [2, 1])], [(1, 3), (3, 1), (2, 3)])
        )
        self.alice, self.bob, self.cenek, self.namesake = (self.directory.users[number] for number in (1, 2, 3, 4))
        self.team = self.directory.groups[7]

    def apply(self, write: Write[object], result: object = None) -> None:
        """Apply a write as if it was committed."""
        self.directory.apply(Entry(write, result))

    def refused(self, code: Code, name: str, reader: User | None = None) -> str:
        """Check that the chat of that name is refused."""
        refusal = self.assertRaises(Refusal, self.directory.chat, reader or self.alice, name)
        self.assertEqual(refusal.code, code)
        return refusal.text

    def test_users(self) -> None:
        """A user is found by the name in any case. An invalid name matches nobody."""
        for name in ("alice", "ALICE", "Alice"):
            self.assertIdentical(self.directory.user(name), self.alice)
        self.assertIdentical(self.directory.user("ČENĚK"), self.cenek)
        for name in ("dave", "", "a b", "*", "7", "\x1b[2J", "x" * 1_000):
            refusal = self.assertRaises(Refusal, self.directory.user, name)
            self.assertEqual(refusal.code, Code.NO_SUCH_USER)
            self.assertNotIn("\x1b", refusal.text)
        self.assertIdentical(self.directory.find_user("dave"), None)
        self.assertIdentical(self.directory.find_user("a b"), None)

    def test_groups(self) -> None:
        """A group is found only by its members. To others it looks nonexistent."""
        for name in ("team", "*team", "*TEAM"):
            self.assertIdentical(self.directory.group(self.alice, name), self.team)
        texts = set()
        for name, reader in (("*team", self.cenek), ("team", self.cenek), ("*none", self.cenek), ("none", self.alice)):
            refusal = self.assertRaises(Refusal, self.directory.group, reader, name)
            self.assertEqual(refusal.code, Code.NO_SUCH_GROUP)
            texts.add(refusal.text.replace(name.removeprefix("*"), ""))
        self.assertEqual(len(texts), 1)
        self.assertEqual(self.assertRaises(Refusal, self.directory.group, self.alice, "a b").code, Code.NO_SUCH_GROUP)
        taken = self.assertRaises(Refusal, self.directory.new_group_key, "Team")
        self.assertEqual(taken.code, Code.GROUP_EXISTS)
        self.assertEqual(self.directory.new_group_key("Alice"), "alice")

    def test_look_alikes(self) -> None:
        """A new name is refused if it looks like that of a user or group, whichever has the accents."""
        drawn = "ali\u0307ce"
        users, groups = [StoredUser(1, drawn, drawn), StoredUser(2, "bob", "bob")], [(7, drawn), (8, "team")]
        directory = Directory(Snapshot(users, [StoredGroup(key, name, name, 1, [1]) for key, name in groups], []))
        for make, taken, code in (
            (directory.new_user_key, "bo\u0305b", Code.BAD_NAME),
            (directory.new_group_key, "tea\u0305m", Code.GROUP_EXISTS),
        ):
            for name in "alice", taken:
                self.assertEqual(self.assertRaises(Refusal, make, name).code, code, name)
            self.assertEqual(make("dave"), "dave")

    def test_look_alikes_of_the_past(self) -> None:
        """A name that looked like one in use is free after the removal of that user or group."""
        self.apply(UserCreated("ali\u0307e", "ali\u0307e", None, 0, None), 9)
        self.apply(GroupCreated("cre\u0305w", "cre\u0305w", (1,), 0), 8)
        for make, name in (self.directory.new_user_key, "alie"), (self.directory.new_group_key, "crew"):
            self.assertRaises(Refusal, make, name)
        self.apply(UserRemoved(9, "ali\u0307e#9", "ali\u0307e#9", 0, ()))
        self.apply(GroupRemoved(8))
        for make, name in (self.directory.new_user_key, "alie"), (self.directory.new_group_key, "crew"):
            self.assertEqual(make(name), name)

    def test_listed(self) -> None:
        """Users are listed by name in any case. Those that start with a prefix are found in order."""
        self.assertEqual(self.directory.listed([3, 2, 1, 4]), ["Alice", "bob", "team", "Čeněk"])
        self.assertEqual([user.name for user in self.directory.users_by_name("")], ["Alice", "bob", "team", "Čeněk"])
        self.assertEqual([user.name for user in self.directory.users_by_name("b")], ["bob"])
        self.assertEqual(self.directory.count, 4)

    def test_order_of_standing(self) -> None:
        """The members of a group are in the order of the snapshot, with its owner."""
        self.assertEqual((list(self.team.members), self.team.owner), ([2, 1], self.bob))
        self.assertEqual((self.alice.groups, self.cenek.groups), ({7: self.team}, {}))

    def test_chats(self) -> None:
        """GLOBAL, groups and private chats are found as readers write them, each with key, label, id and audience."""
        found = {}
        for name in ("GLOBAL", "global", "*team", "team", "@bob", "@ BOB", "bob", "@team"):
            chat = self.directory.chat(self.alice, name)
            found[name] = (
                chat.key,
                chat.label(self.alice),
                chat.wire_id(self.alice),
                None if chat.audience is None else sorted(chat.audience),
            )
        everyone = (GLOBAL, "GLOBAL", "GLOBAL", None)
        team, bob = (7, "*Team", "*7", [1, 2]), ((1, 2), "@bob", "@2", [1, 2])
        self.assertEqual(found, {
            "GLOBAL": everyone, "global": everyone, "*team": team, "team": team, "@bob": bob, "@ BOB": bob, "bob": bob,
            "@team": ((1, 4), "@team", "@4", [1, 4]),
        })  # fmt: skip

    def test_bare_name(self) -> None:
        """A bare name is a group of the user or, without one, a user."""
        self.assertEqual(self.directory.chat(self.alice, "team").key, 7)
        self.assertEqual(self.directory.chat(self.cenek, "team").key, (3, 4))

    def test_from_both_sides(self) -> None:
        """A private chat is one chat, named after the other user."""
        chat, same = self.directory.chat(self.alice, "@bob"), self.directory.chat(self.bob, "@alice")
        self.assertEqual(chat.key, same.key)
        self.assertEqual((chat.label(self.bob), chat.wire_id(self.bob)), ("@Alice", "@1"))
        self.assertIdentical(chat.peer(self.bob), self.alice)
        self.assertIdentical(chat.peer(self.alice), self.bob)

    def test_no_chat(self) -> None:
        """An invalid chat is refused according to the kind it was written as."""
        self.refused(Code.NO_SUCH_USER, "@dave")
        self.refused(Code.NO_SUCH_USER, "@")
        self.refused(Code.NO_SUCH_GROUP, "*dave")
        self.refused(Code.NO_SUCH_GROUP, "*")
        self.refused(Code.NO_SUCH_GROUP, "*team", self.cenek)
        self.refused(Code.NO_SUCH_CHAT, "dave")
        self.refused(Code.NO_SUCH_CHAT, "")
        self.refused(Code.YOURSELF, "@ALICE")
        self.refused(Code.YOURSELF, "alice")
        self.assertNotIn("\x1b", self.refused(Code.NO_SUCH_CHAT, "\x1b[2J"))

    def test_find_chat(self) -> None:
        """A chat that is found is the one of that name. Where a name is refused, none is."""
        for name, key in ("GLOBAL", GLOBAL), ("*team", 7), ("@bob", (1, 2)):
            self.assertEqual(getattr(self.directory.find_chat(self.alice, name), "key", None), key)
        for name in "*nothing", "@dave", "@alice", "a b":
            self.assertIsNone(self.directory.find_chat(self.alice, name))

    def test_chat_by_key(self) -> None:
        """A chat is also found by its key, except a dissolved group."""
        for name in ("GLOBAL", "*team", "@bob"):
            chat = self.directory.chat(self.alice, name)
            again = self.directory.chat_by_key(chat.key)
            assert again is not None
            self.assertEqual((again.key, again.label(self.bob)), (chat.key, chat.label(self.bob)))
        self.assertIdentical(self.directory.chat_by_key(8), None)

    def test_has(self) -> None:
        """GLOBAL and private chats belong to a user permanently, a group during membership."""
        team = self.directory.chat(self.alice, "team")
        self.assertTrue(team.has(self.alice))
        self.apply(MemberRemoved(7, 1, 2, 2))
        self.assertFalse(team.has(self.alice))
        self.assertTrue(self.directory.chat(self.alice, "@bob").has(self.alice))
        self.assertTrue(self.directory.chat(self.alice, "GLOBAL").has(self.alice))

    def test_membership(self) -> None:
        """New members come last. The set of member ids is one object until they change, and old sets stay unchanged."""
        before = self.team.member_ids
        self.assertIdentical(self.team.member_ids, before)
        self.apply(MemberAdded(7, 3, 2))
        self.assertEqual((list(self.team.members), self.team.member_ids), ([2, 1, 3], {1, 2, 3}))
        self.assertEqual((before, self.cenek.groups), ({1, 2}, {7: self.team}))
        self.apply(MemberRemoved(7, 1, 2, 2))
        self.assertEqual((self.team.owner, self.team.member_ids, self.alice.groups), (self.bob, {2, 3}, {}))

    def test_owner_goes(self) -> None:
        """After the owner, the longest-standing member owns. After the last, the group is gone and its name free."""
        self.apply(MemberAdded(7, 3, 2))
        for leaving, owner in (self.bob, self.alice), (self.alice, self.cenek):
            self.assertIdentical(self.team.owner_without(leaving), owner)
            self.apply(MemberRemoved(7, leaving.id, owner.id, leaving.id))
            self.assertIdentical(self.team.owner, owner)
        self.assertIdentical(self.team.owner_without(self.cenek), None)
        self.apply(GroupRemoved(7))
        self.assertEqual((self.directory.groups, self.directory.new_group_key("team")), ({}, "team"))
        self.apply(GroupCreated("team", "team", (1,), 0), 8)
        self.assertEqual(self.directory.group(self.alice, "team").id, 8)

    def test_blocks(self) -> None:
        """A block hides both users from each other until each of them has lifted theirs."""
        self.assertEqual([user.hidden for user in (self.alice, self.bob, self.cenek)], [{3}, {3}, {1, 2}])
        self.apply(BlockSet(1, 3, False))
        self.assertEqual((self.alice.hidden, self.alice.blocking, self.cenek.blocking), ({3}, set(), {1}))
        self.apply(BlockSet(3, 1, False))
        self.assertEqual((self.alice.hidden, self.cenek.hidden), (set(), {2}))

    def test_silenced(self) -> None:
        """Both users are refused, and only the blocker learns how to lift the block."""
        texts = {}
        for user, other in ((self.bob, self.cenek), (self.cenek, self.bob)):
            refusal = self.assertRaises(Refusal, self.directory.refuse_silenced, user, other)
            self.assertEqual(refusal.code, Code.BLOCKED)
            texts[user.name] = refusal.text
        self.assertIn("~Čeněk lifts it", texts["bob"])
        self.assertNotIn("~", texts["Čeněk"])
        self.directory.refuse_silenced(self.alice, self.bob)
