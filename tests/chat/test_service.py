"""The entrance to the core: presence, the list of users, and the state after a restart."""

from irchat.chat.local_bus import LocalBus
from irchat.chat.service import ChatService
from irchat.interfaces.bus import Publication
from irchat.interfaces.limits import Limits
from irchat.protocol import events
from tests.helpers.chat import WorldTestCase


class PresenceTests(WorldTestCase):
    """Presence."""

    away = ("alice", "bob", "carol")

    def test_sessions(self) -> None:
        """A user is online from the first session to the end of the last, and only these changes are published."""
        for session, name in enumerate(("alice", "alice", "bob")):
            self.world.enter(name, session)
        self.world.leave("alice", 0)
        self.assertEqual(self.world.chat.online(9), ["alice", "bob"])
        self.world.leave("alice", 1)
        self.world.enter("alice", 3)
        self.assertEqual(self.world.presence, ["+alice", "+bob", "-alice", "+alice"])
        self.assertEqual((self.world.chat.online(9), self.world.chat.online(1)), (["bob", "alice"], ["bob"]))

    def test_other_nodes(self) -> None:
        """Of the users that other nodes report, only those known here that were not removed are online."""
        bob = self.world["bob"].id
        self.done(self.world.chat.moderation.remove("carol", False, lambda count: None))
        for user in bob, 3, 99:
            self.world.chat.presence.came("b", user, 1)
        self.assertEqual((self.world.chat.online(9), self.world.presence), (["bob"], ["+bob"]))

    def test_settled(self) -> None:
        """`settled` fires when everything requested is committed."""
        self.world.store.holding = True
        self.world.send("alice", "GLOBAL")
        settled = self.world.chat.settled()
        self.assertNoResult(settled)
        self.world.store.let_through()
        self.done(settled)


class GatheringTests(WorldTestCase):
    """A service that gathers changes, as in a server."""

    def test_turn(self) -> None:
        """All changes of a turn of the reactor are committed together, at its end."""
        world = self.world
        chat = ChatService(
            world.store, LocalBus(), lambda name, is_online: None, world.clock, world.wall_ms, gathers=True
        )
        sender = chat.directory.user("alice")
        sent = [
            chat.queue.submit(chat.messages.to_send(sender, "GLOBAL", text, expires_in=None, nonce=None, origin=None))
            for text in "ab"
        ]
        self.assertEqual(world.store.commits, [])
        world.clock.advance(0)
        self.assertEqual([len(commit) for commit in world.store.commits], [2])
        self.assertEqual([self.done(one).seq for one in sent], [1, 2])
        self.assertEqual(chat.limits.timed, Limits().timed)


class UsersTests(WorldTestCase):
    """The list of users."""

    names = ("bob", "Alice", "Ács", "aaron", "Änne", "carol")
    away = ("aaron", "carol")

    def test_all(self) -> None:
        """Online users come first, each half sorted by name."""
        expected = events.Users(online=["Alice", "bob", "Ács", "Änne"], offline=["aaron", "carol"], more=False)
        self.assertEqual(self.world.chat.users("", 100), expected)

    def test_prefix(self) -> None:
        """A prefix matches the name in any case."""
        for prefix, online, offline in (
            ("A", ["Alice"], ["aaron"]),
            ("ä", ["Änne"], []),
            ("ALI", ["Alice"], []),
            ("x", [], []),
            ("\x1b", [], []),
            ("Alice2", [], []),
            ("c", [], ["carol"]),
        ):
            self.assertEqual(self.world.chat.users(prefix, 100), events.Users(online, offline, False), prefix)

    def test_limit(self) -> None:
        """The limit drops offline users first, and the reply says so."""
        for limit, online, offline, more in ((6, 4, 2, False), (5, 4, 1, True), (4, 4, 0, True), (2, 2, 0, True)):
            users = self.world.chat.users("", limit)
            self.assertEqual((len(users.online), len(users.offline), users.more), (online, offline, more), limit)

    def test_new_user(self) -> None:
        """A new user is in the list immediately."""
        self.world.add_user("abel")
        self.assertEqual(self.world.chat.users("a", 9).offline, ["aaron", "abel"])


class RestartTests(WorldTestCase):
    """The state after a restart."""

    def test_all_is_there(self) -> None:
        """Users, groups, blocks, messages and markers are as before."""
        self.group("team", "alice", "bob")
        self.block("carol", "bob")
        for sender, chat in (("alice", "*team"), ("bob", "@alice"), ("alice", "GLOBAL"), ("bob", "GLOBAL")):
            self.done(self.world.send(sender, chat))
        self.done(self.world.chat.reading.mark(self.world["carol"], "GLOBAL", 1, None))

        def state() -> list[object]:
            return [
                self.world.store.snapshot(), self.unread("alice"), self.unread("bob"), self.unread("carol"),
                self.said("carol", "GLOBAL"), self.world.chat.groups.members(self.world["bob"], "team"),
                self.world["carol"].hidden, self.world["bob"].hidden,
            ]  # fmt: skip

        before = state()
        self.world.restart()
        self.assertEqual(state(), before)
        self.assertEqual((self.world.chat.online(9), self.world.chat.users("", 9).online), ([], []))

    def test_publications_hold_no_live_objects(self) -> None:
        """A published audience stays unchanged, whoever joins and leaves afterwards."""
        self.group("team", "alice", "bob")
        self.world.published.clear()
        self.done(self.world.send("alice", "*team"))
        self.done(self.world.send("alice", "*team", expires_in=9))
        self.done(self.world.chat.groups.add(self.world["bob"], "team", "carol", None))
        audiences: list[Publication] = list(self.world.published)
        before = [publication.audience and sorted(publication.audience) for publication in audiences]
        self.done(self.world.chat.groups.remove(self.world["alice"], "team", "bob", None))
        self.block("alice", "carol")
        after = [publication.audience and sorted(publication.audience) for publication in audiences]
        self.assertEqual((after, before), ([[1, 2], [1, 2], [1, 2, 3]],) * 2)
