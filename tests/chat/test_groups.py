"""Groups: created by anyone, extended by any member, reduced by the owner, invisible to others."""

from itertools import product
from unittest.mock import patch

from twisted.internet.defer import Deferred, ensureDeferred

from irchat.protocol import events
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import fold_name
from tests.helpers.chat import WorldTestCase


class GroupTests(WorldTestCase):
    """Four users. Dave is offline."""

    names = ("alice", "bob", "carol", "dave")
    away = ("dave",)

    def create(self, name: str, *members: str) -> Deferred[events.Group]:
        """Let the first of ``members`` request a group."""
        return self.world.chat.groups.create(self.world[members[0]], name, members[1:], None)

    def add(self, by: str, name: str, group: str = "team", origin: int | None = None) -> Deferred[events.Group]:
        """Let one user add another."""
        return self.world.chat.groups.add(self.world[by], group, name, origin)

    def remove(self, by: str, name: str, group: str = "team", origin: int | None = None) -> Deferred[events.Event]:
        """Let one user remove another."""
        return self.world.chat.groups.remove(self.world[by], group, name, origin)

    def members(self, name: str, group: str = "team") -> list[str]:
        """Return the members as shown to a member, the owner first if they are the longest-standing one."""
        shown = self.world.chat.groups.members(self.world[name], group)
        self.assertEqual(shown.owner, shown.members[0] if shown.owner in shown.members else shown.owner)
        return shown.members

    def unchanged(self, code: Code, ask: object, *args: str) -> None:
        """Check that a request is refused and changes nothing, in memory or on the disk."""
        before = (self.world.store.snapshot(), [list(group.members) for group in self.world.directory.groups.values()])
        count = len(self.world.published)
        self.refused(code, ask, *args)  # type: ignore[arg-type]
        after = (self.world.store.snapshot(), [list(group.members) for group in self.world.directory.groups.values()])
        self.assertEqual((after, len(self.world.published)), (before, count))

    def assert_saved(self) -> None:
        """Check that memory equals the disk."""
        stored = [(group.id, group.name, group.owner, group.members) for group in self.world.store.snapshot().groups]
        held = [
            (group.id, group.name, group.owner.id, list(group.members))
            for group in self.world.directory.groups.values()
        ]
        self.assertEqual(held, stored)

    def test_create(self) -> None:
        """A group has its creator and the named users, in that order, each once. Those online are notified."""
        group = self.done(self.create("*Team", "bob", "carol", "ALICE", "bob", "dave", "carol"))
        self.assertEqual(group.members, ["bob", "carol", "alice", "dave"])
        self.assertEqual((group.group, group.owner, group.id[0]), ("*Team", "bob", "*"))
        for name in ("alice", "carol"):
            added = events.Added(group="*Team", id=group.id, name=name, by="bob", owner="bob")
            self.assertEqual(self.world.told(name), [added])
        self.assertEqual(self.world.told("dave"), [])
        self.assert_saved()

    def test_spellings(self) -> None:
        """A thousand spellings of a name are found equal at little cost. Names of two users stay two."""
        for name in ("dmitry", "stra\u00dfe", "strasse"):
            self.world.add_user(name)
        cases = product(*zip("dmitry", "DMITRY", "\uff44\uff4d\uff49\uff54\uff52\uff59", strict=True))
        folded = fold_name.cache_info().misses
        group = self.done(self.create("team", "alice", *map("".join, cases), "stra\u00dfe", "STRASSE"))
        self.assertEqual(group.members, ["alice", "dmitry", "stra\u00dfe", "strasse"])
        self.assertLess(fold_name.cache_info().misses - folded, 10)

    def test_names_in_refusals(self) -> None:
        """A refusal names a member as it was typed."""
        self.assertIn("Nobody-Here", self.failureResultOf(self.create("team", "alice", "Nobody-Here")).value.text)

    def test_of_oneself(self) -> None:
        """A group of one user alone is possible."""
        self.assertEqual(self.done(self.create("team", "alice")).members, ["alice"])

    def test_create_refused(self) -> None:
        """An invalid or taken name, an unknown member or a block refuses the group."""
        self.done(self.create("team", "alice", "bob"))
        self.block("alice", "carol")
        for code, *asked in (
            (Code.BAD_NAME, "a b", "alice"), (Code.BAD_NAME, "", "alice"), (Code.BAD_NAME, "GLOBAL", "alice"),
            (Code.BAD_NAME, "a b", "alice", "nobody"),
            (Code.GROUP_EXISTS, "TEAM", "alice"), (Code.GROUP_EXISTS, "team", "dave"),
            (Code.NO_SUCH_USER, "new", "alice", "bob", "nobody"), (Code.BLOCKED, "new", "alice", "bob", "carol"),
            (Code.BLOCKED, "new", "carol", "alice"),
        ):  # fmt: skip
            self.unchanged(code, self.create, *asked)

    def test_two_at_once(self) -> None:
        """Of two simultaneous requests for a name, one succeeds."""
        self.world.store.holding = True
        asked = [self.create("team", name) for name in ("alice", "bob")]
        self.world.store.let_through()
        self.assertEqual(self.done(asked[0]).owner, "alice")
        self.refused(Code.GROUP_EXISTS, lambda: asked[1])

    def test_removed_meanwhile(self) -> None:
        """A user whose account is removed before its turn creates nothing."""
        self.world.store.holding = True
        removed = ensureDeferred(self.world.chat.moderation.remove("alice", False, lambda count: None))
        asked = self.create("team", "alice", "bob")
        for _ in range(3):
            self.world.store.let_through()
        self.done(removed)
        self.refused(Code.NOT_LOGGED_IN, lambda: asked)
        self.assertEqual(self.world.directory.groups, {})

    def test_most_members(self) -> None:
        """The number of members is limited, at creation and later."""
        with patch.object(self.world.chat.limits, "group_members", 2):
            self.unchanged(Code.TOO_MANY, self.create, "team", "alice", "bob", "carol")
            self.done(self.create("team", "alice", "bob"))
            self.unchanged(Code.TOO_MANY, self.add, "alice", "carol")
        with patch.object(self.world.chat.limits, "group_members", 3):
            self.done(self.add("alice", "carol"))

    def test_most_groups(self) -> None:
        """The number of groups of a user is limited, whoever adds them. Leaving one makes room."""
        with patch.object(self.world.chat.limits, "groups", 1):
            self.done(self.create("team", "alice", "bob"))
            refusal = self.refused(Code.TOO_MANY, self.create, "more", "carol", "bob")
            self.assertTrue(refusal.text.startswith("bob has reached the limit of 1 groups"), refusal.text)
            self.unchanged(Code.TOO_MANY, self.create, "more", "alice", "carol")
            self.done(self.create("late", "carol"))
            self.unchanged(Code.TOO_MANY, self.add, "alice", "carol")
            self.done(self.remove("carol", "carol", "late"))
            self.done(self.add("alice", "carol"))
        with patch.object(self.world.chat.limits, "groups", 0):
            for number in range(3):
                self.done(self.create(f"g{number}", "alice", "bob"))

    def test_add(self) -> None:
        """Any member adds. All members except the requesting session are notified, including the new one."""
        group = self.done(self.create("team", "alice", "bob"))
        self.world.published.clear()
        session = 1
        answer = self.done(self.add("bob", "carol", "*team", session))
        self.assertEqual(
            answer, events.Group(group="*team", id=group.id, owner="alice", members=["alice", "bob", "carol"])
        )
        added = events.Added(group="*team", id=group.id, name="carol", by="bob", owner="alice")
        for name in ("alice", "bob", "carol"):
            self.assertEqual(self.world.told(name), [added])
        self.assertEqual((self.world.told("bob", session), self.world.told("dave")), ([], []))
        self.assert_saved()

    def test_add_refused(self) -> None:
        """Adding fails in a foreign group, and for an unknown user, a member, or a blocked one."""
        self.done(self.create("team", "alice", "bob"))
        self.block("dave", "bob")
        for code, *asked in (
            (Code.NO_SUCH_GROUP, "carol", "dave"), (Code.NO_SUCH_GROUP, "carol", "carol"),
            (Code.NO_SUCH_GROUP, "alice", "dave", "none"), (Code.NO_SUCH_USER, "alice", "nobody"),
            (Code.ALREADY_A_MEMBER, "alice", "BOB"), (Code.ALREADY_A_MEMBER, "alice", "alice"),
            (Code.BLOCKED, "bob", "dave"),
        ):  # fmt: skip
            self.unchanged(code, self.add, *asked)
        self.done(self.add("alice", "dave"))

    def test_remove(self) -> None:
        """The owner removes others. They and the members are notified, and the removed user loses the group."""
        group = self.done(self.create("team", "alice", "bob", "carol"))
        self.done(self.world.send("alice", "team", "secret"))
        self.world.published.clear()
        answer = self.done(self.remove("alice", "bob"))
        self.assertEqual(answer, events.Group(group="*team", id=group.id, owner="alice", members=["alice", "carol"]))
        removed = events.Removed(group="*team", id=group.id, name="bob", by="alice", owner="alice")
        for name in ("alice", "bob", "carol"):
            self.assertEqual(self.world.told(name), [removed])
        self.refused(Code.NO_SUCH_GROUP, self.world.history, "bob", "*team")
        self.refused(Code.NO_SUCH_GROUP, self.world.send, "bob", "*team")
        self.assertEqual((self.found("bob", "secret"), self.unread("bob")), ([], {}))
        self.done(self.world.send("alice", "team", "more"))
        self.assertNotIn("more", self.world.texts("bob"))
        self.assert_saved()

    def test_reasons(self) -> None:
        """A reason is shown to the removed user and the members, once. A user that leaves may give one too."""
        self.done(self.create("team", "alice", "bob", "carol"))
        remove = self.world.chat.groups.remove
        alice, bob, carol = (self.world[name] for name in ("alice", "bob", "carol"))
        self.world.published.clear()
        self.failureResultOf(remove(bob, "team", "carol", None, "refused"), Refusal)
        self.done(remove(alice, "team", "bob", None, "spam\x1b\nx"))
        self.done(self.add("alice", "bob"))
        self.done(remove(alice, "team", "bob", None))
        self.done(remove(carol, "team", "carol", None, "bye"))
        self.done(remove(alice, "team", "alice", None, "last"))
        reasons = [one.event.reason for one in self.world.published if isinstance(one.event, events.Removed)]
        self.assertEqual(reasons, ["spam\u241b\u240ax", None, "bye", "last"])
        self.assertEqual(self.world.chat.reasons._given, {})

    def test_remove_refused(self) -> None:
        """Other members remove only themselves, and only members can be removed."""
        self.done(self.create("team", "alice", "bob", "carol"))
        for code, *asked in (
            (Code.NOT_THE_OWNER, "bob", "carol"), (Code.NOT_THE_OWNER, "bob", "alice"),
            (Code.NOT_A_MEMBER, "alice", "dave"), (Code.NO_SUCH_USER, "alice", "nobody"),
            (Code.NO_SUCH_GROUP, "dave", "alice"), (Code.NO_SUCH_GROUP, "dave", "dave"),
        ):  # fmt: skip
            self.unchanged(code, self.remove, *asked)

    def test_same_for_strangers(self) -> None:
        """To outsiders, an existing group and a nonexistent one look the same for every request."""
        self.done(self.create("real", "alice", "bob"))
        for ask in (
            lambda group: self.add("carol", "dave", group), lambda group: self.remove("carol", "bob", group),
            lambda group: self.world.chat.groups.members(self.world["carol"], group),
            lambda group: self.world.send("carol", f"*{group}"), lambda group: self.world.history("carol", f"*{group}"),
            lambda group: self.world.chat.reading.mark(self.world["carol"], f"*{group}", 1, None),
        ):  # fmt: skip
            texts = {self.refused(Code.NO_SUCH_GROUP, ask, group).text.replace(group, "") for group in ("real", "none")}
            self.assertEqual(len(texts), 1)

    def test_leave(self) -> None:
        """Leaving is answered by ok, because there is nothing left to show."""
        self.done(self.create("team", "alice", "bob"))
        self.assertEqual(self.done(self.remove("bob", "bob")), events.Ok())
        self.assertEqual(self.members("alice"), ["alice"])
        self.assert_saved()

    def test_owner_goes(self) -> None:
        """When the owner leaves, the longest-standing member owns, also after a restart and a return."""
        self.done(self.create("team", "alice", "carol", "bob"))
        self.done(self.remove("alice", "carol"))
        self.done(self.add("bob", "carol"))
        self.done(self.add("bob", "dave"))
        self.world.published.clear()
        self.done(self.remove("alice", "alice"))
        self.assertEqual([event.owner for event in self.world.told("carol")], ["bob"])
        self.assertEqual(self.world.told("alice")[0].owner, "bob")
        self.assert_saved()
        self.world.restart()
        self.assertEqual(self.members("dave"), ["bob", "carol", "dave"])
        self.done(self.remove("bob", "bob"))
        self.assertEqual(self.members("dave"), ["carol", "dave"])
        self.unchanged(Code.NOT_THE_OWNER, self.remove, "dave", "carol")
        self.assert_saved()

    def test_last_goes(self) -> None:
        """With its last member the group ends, with its messages and timed ones. Its name is free, its id is not."""
        group = self.done(self.create("team", "alice", "bob"))
        self.done(self.world.send("alice", "team", "secret"))
        timed = self.done(self.world.send("alice", "team", "psst", expires_in=500))
        self.done(self.remove("bob", "bob"))
        self.world.published.clear()
        self.assertEqual(self.done(self.remove("alice", "alice")), events.Ok())
        removed = events.Removed(group="*team", id=group.id, name="alice", by="alice", owner="")
        self.assertEqual(self.world.told("alice"), [events.Erased(chat="*team", id=timed.id), removed])
        self.assertEqual(self.world.told("bob"), [events.Erased(chat="*team", id=timed.id)])
        self.assert_saved()
        again = self.done(self.create("team", "bob", "alice"))
        self.assertNotEqual(again.id, group.id)
        self.assertEqual((self.said("alice", "team"), self.found("alice", "secret")), ([], []))
        self.assertEqual(self.done(self.world.send("alice", "team")).seq, 1)
        self.world.pass_time(500)
        self.assertEqual([event for event in self.world.told("bob") if isinstance(event, events.Erased)][1:], [])

    def test_late_member(self) -> None:
        """A member sees a group from joining on, including timed messages, also after a return."""
        self.done(self.create("team", "alice", "bob"))
        self.done(self.world.send("alice", "team", "old"))
        self.done(self.world.send("alice", "team", "old timed", expires_in=500))
        self.done(self.add("alice", "carol"))
        self.done(self.remove("bob", "bob"))
        self.done(self.add("alice", "bob"))
        self.assertEqual(self.unread("carol"), {})
        self.done(self.world.send("alice", "team", "new"))
        self.done(self.world.send("alice", "team", "new timed", expires_in=500))
        for name in ("bob", "carol"):
            self.assertEqual((self.said(name, "team"), self.unread(name)), (["new", "new timed"], {"*team": 2}))
            self.assertEqual((self.found(name, "old"), self.found(name, "new")), ([], ["new"]))
        self.assertEqual(self.said("alice", "team"), ["old", "new", "old timed", "new timed"])

    def test_in_the_order_of_asking(self) -> None:
        """A message sent before a removal reaches the removed user, one sent by them after it is refused."""
        self.done(self.create("team", "alice", "bob"))
        self.world.published.clear()
        self.world.store.holding = True
        before = self.world.send("bob", "team", "before")
        removing = self.remove("alice", "bob")
        after = self.world.send("bob", "*team", "after")
        others = self.world.send("alice", "team", "after")
        for _ in range(3):
            self.world.store.let_through()
        self.assertEqual(self.done(before).seq, 1)
        self.done(removing)
        self.refused(Code.NO_SUCH_GROUP, lambda: after)
        self.assertEqual((self.done(others).seq, self.world.texts("bob")), (2, ["before"]))

    def test_unavailable(self) -> None:
        """If the disk refuses a change, memory stays as it was and nobody is notified."""
        self.done(self.create("team", "alice", "bob"))
        count = len(self.world.published)
        self.world.store.holding = True
        for ask in (
            lambda: self.create("new", "alice"),
            lambda: self.add("alice", "carol"),
            lambda: self.remove("alice", "bob"),
            lambda: self.world.chat.blocks.block(self.world["alice"], "bob", True, None),
        ):
            asked = ask()
            self.world.store.fail()
            self.refused(Code.UNAVAILABLE, lambda asked=asked: asked)
        self.assertEqual((self.members("alice"), len(self.world.published)), (["alice", "bob"], count))
        self.assertEqual((len(self.world.directory.groups), self.world["alice"].hidden), (1, frozenset()))
        self.assert_saved()
