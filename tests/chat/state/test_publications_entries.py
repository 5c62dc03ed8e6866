"""What the sessions of this node learn of each kind of entry, whichever node committed it."""

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.chat.state.directory import Directory
from irchat.chat.state.presence import Presence
from irchat.chat.state.publications import Publications
from irchat.chat.state.reasons import Reasons
from irchat.interfaces import writes
from irchat.interfaces.bus import Publication
from irchat.interfaces.stored import (
    GLOBAL,
    Marker,
    PlacedMark,
    Snapshot,
    Stored,
    StoredBan,
    StoredChange,
    StoredGroup,
    StoredUser,
)
from irchat.protocol import events

_ALICE, _BOB, _CAROL = 1, 2, 3


class EntriesTestCase(SynchronousTestCase):
    """Alice has the sessions 10 and 11, bob has 20, carol is offline. Alice and bob are in the group team."""

    def setUp(self) -> None:
        """Create them."""
        users = [StoredUser(number, name, name) for number, name in enumerate(("alice", "bob", "carol"), 1)]
        self.directory = Directory(Snapshot(users, [StoredGroup(7, "team", "team", _ALICE, [_ALICE, _BOB])], []))
        self.presence = Presence(lambda user, is_online: None)
        for user, session in (_ALICE, 10), (_ALICE, 11), (_BOB, 20):
            self.presence.enter(user, session)
        self.reasons = Reasons(Clock())
        self.publications = Publications(self.directory, self.presence, self.reasons)

    def of(self, write: writes.Write[Any], result: object = None, origin: int | None = None) -> list[Publication]:
        """Return the publications of an entry."""
        return self.publications.of(writes.Entry(write, result), origin)

    def one(self, write: writes.Write[Any], result: object = None, origin: int | None = None) -> tuple[Any, ...]:
        """Return the event, the audience and the origin of the only publication of an entry."""
        (publication,) = self.of(write, result, origin)
        audience = publication.audience
        return publication.event, None if audience is None else sorted(audience), publication.origin


class GoodbyeTests(EntriesTestCase):
    """Entries that end sessions."""

    def test_passwords(self) -> None:
        """A new password ends the other sessions of its user. Without a goodbye it is not announced."""
        write = writes.PasswordSet(_ALICE, "hash", None, "changed")
        self.assertEqual(self.one(write, origin=10), (events.Bye(reason="changed"), [_ALICE], 10))
        self.assertEqual(self.of(writes.PasswordSet(_ALICE, "hash", None)), [])

    def test_sign_ins(self) -> None:
        """One sign-in ends by its id, the others of a user except for a session, and all after a kick."""
        (bye,) = self.of(writes.SignInEnded(_ALICE, b"token", "id", "ended"), origin=10)
        self.assertEqual((bye.event, bye.audience, bye.sign_in), (events.Bye(reason="ended"), (_ALICE,), "id"))
        (bye,) = self.of(writes.OtherSignInsEnded(_ALICE, None, "ended"), origin=10)
        self.assertEqual((bye.audience, bye.sign_in, bye.origin), ((_ALICE,), None, 10))
        (bye,) = self.of(writes.SessionsEnded(_BOB, "kicked"), origin=20)
        self.assertEqual((bye.event, bye.audience, bye.origin), (events.Bye(reason="kicked"), (_BOB,), None))

    def test_keys(self) -> None:
        """A key that was removed ends its sessions. One that did not exist ends nothing."""
        write = writes.KeyRemoved(_ALICE, "print", "id", "removed")
        (bye,) = self.of(write, True)
        self.assertEqual((bye.event, bye.audience, bye.sign_in), (events.Bye(reason="removed"), (_ALICE,), "id"))
        self.assertEqual(self.of(write, False), [])

    def test_bans(self) -> None:
        """A banned user gets the notice, wherever it is. The ban of a network is nobody's event."""
        ban = StoredBan(_BOB, None, None, "spam")
        self.assertEqual(self.one(writes.BanSet(ban, 0)), (events.Bye(reason="You are banned: spam"), [_BOB], None))
        self.assertEqual(self.of(writes.BanSet(StoredBan(None, "192.0.2.0/24", None, ""), 0)), [])
        self.assertEqual(self.of(writes.BanRemoved(_BOB, None)), [])

    def test_removed_user(self) -> None:
        """The members of each group that stays learn of the next owner, and the user gets a bye."""
        write = writes.UserRemoved(_ALICE, "alice#1", "alice#1", 0, ((7, _BOB),))
        removed, bye = self.of(write)
        event = events.Removed(group="*team", id="*7", name="alice", by="alice", owner="bob")
        self.assertEqual((removed.event, removed.audience), (event, (_BOB,)))
        self.assertEqual((type(bye.event), bye.audience), (events.Bye, (_ALICE,)))
        write = writes.UserRemoved(_ALICE, "alice#1", "alice#1", 0, ((7, None),))
        self.assertEqual([type(one.event) for one in self.of(write)], [events.Bye])


class OwnSettingsTests(EntriesTestCase):
    """Entries for the other sessions of one user."""

    def test_markers(self) -> None:
        """A marker goes to the other sessions of its user, at the visible place, if there are any."""
        write = writes.MarkerMoved(_ALICE, GLOBAL, 5)
        self.assertEqual(self.one(write, Marker(4, 9, True), 10), (events.Read("GLOBAL", 4), [_ALICE], 10))
        write = writes.MarkerMoved(_ALICE, (1, 2), 5, shown=3)
        self.assertEqual(self.one(write, Marker(5, 9, True)), (events.Read("@bob", 3), [_ALICE], None))
        self.assertEqual(self.one(writes.MarkerMoved(_BOB, GLOBAL, 5), Marker(4, 9, True), 10)[1], [_BOB])
        for user, chat, origin in (_BOB, GLOBAL, 20), (_CAROL, GLOBAL, None), (_ALICE, 99, 10):
            self.assertEqual(self.of(writes.MarkerMoved(user, chat, 5), Marker(4, 9, True), origin), [])

    def test_alerts(self) -> None:
        """So does a setting of a chat."""
        write = writes.AlertSet((1, 2), _ALICE, "none")
        self.assertEqual(self.one(write, None, 10), (events.Alert("@bob", "none"), [_ALICE], 10))
        for user, chat, origin in (_BOB, GLOBAL, 20), (_CAROL, GLOBAL, None), (_ALICE, 99, 10):
            self.assertEqual(self.of(writes.AlertSet(chat, user, "none"), None, origin), [])

    def test_blocks(self) -> None:
        """So does the list of blocks as it will be."""
        self.directory.apply(writes.Entry(writes.BlockSet(_ALICE, _CAROL, True)))
        for blocked, on, names in (_BOB, True, ["bob", "carol"]), (_CAROL, False, []), (_CAROL, True, ["carol"]):
            found = self.one(writes.BlockSet(_ALICE, blocked, on), None, 10)
            self.assertEqual(found, (events.Blocks(names=names), [_ALICE], 10))
        self.assertEqual(self.directory.users[_ALICE].blocking, {_CAROL})
        self.assertEqual(self.of(writes.BlockSet(_BOB, _CAROL, True), None, 20), [])


class MarksTests(EntriesTestCase):
    """Entries that take marks of removed accounts off."""

    def test_removed(self) -> None:
        """Each end of a mark goes to the readers of its message."""
        marks = PlacedMark(GLOBAL, 1, _CAROL, "ok", "ok"), PlacedMark(7, 2, _BOB, "no", "no")
        results = StoredChange(1, 4, _ALICE, 0, 0, False), StoredChange(2, 5, _ALICE, 0, 0, False)
        found = self.of(writes.MarksRemoved(marks, 0), results)
        ends = [(one.event.chat, one.event.rev, one.event.mark, one.event.on) for one in found]  # type: ignore[attr-defined]
        self.assertEqual(ends, [("GLOBAL", 4, "ok", False), ("*team", 5, "no", False)])


class GroupTests(EntriesTestCase):
    """Entries that change the members of groups."""

    def test_created(self) -> None:
        """Each member with sessions here learns who added it."""
        found = self.of(writes.GroupCreated("crew", "crew", (_BOB, _CAROL, _ALICE), 0), 8, 20)
        wanted = [
            (events.Added(group="*crew", id="*8", name=name, by="bob", owner="bob"), (user,), 20)
            for name, user in (("bob", _BOB), ("alice", _ALICE))
        ]
        self.assertEqual([(one.event, one.audience, one.origin) for one in found], wanted)

    def test_added(self) -> None:
        """All members and the new one learn of it."""
        event = events.Added(group="*team", id="*7", name="carol", by="bob", owner="alice")
        self.assertEqual(self.one(writes.MemberAdded(7, _CAROL, _BOB), None, 20), (event, [1, 2, 3], 20))
        self.assertEqual(list(self.directory.groups[7].members), [_ALICE, _BOB])

    def test_removed(self) -> None:
        """All members and the one that leaves learn of it, once with the reason."""
        self.reasons.give(7, _ALICE, _ALICE, "tired")
        for reason in "tired", None:
            event = events.Removed(group="*team", id="*7", name="alice", by="alice", owner="bob", reason=reason)
            self.assertEqual(self.one(writes.MemberRemoved(7, _ALICE, _BOB, _ALICE), None, 10), (event, [1, 2], 10))

    def test_ended(self) -> None:
        """The last member learns that the group has no owner any more."""
        self.directory.apply(writes.Entry(writes.MemberRemoved(7, _ALICE, _BOB, _ALICE)))
        self.reasons.give(7, _BOB, _BOB, "done")
        event = events.Removed(group="*team", id="*7", name="bob", by="bob", owner="", reason="done")
        self.assertEqual(self.one(writes.GroupRemoved(7), None, 20), (event, [_BOB], 20))


class MessageTests(EntriesTestCase):
    """Messages."""

    def test_kinds(self) -> None:
        """A notice is published as one. A message of a group that has ended is not published."""
        for notice, kind in (False, events.Message), (True, events.Notice):
            write = writes.MessageAdded(GLOBAL, _BOB, "hi", 0, None, 0, notice=notice)
            event, audience, origin = self.one(write, Stored(GLOBAL, 1, 0, repeated=False), 20)
            self.assertEqual((type(event), event.text, audience, origin), (kind, "hi", None, 20))
        write = writes.MessageAdded(99, _BOB, "hi", 0, None, 0)
        self.assertEqual(self.of(write, Stored(99, 1, 0, repeated=False)), [])

    def test_nothing(self) -> None:
        """Entries about tokens and passwords of nobody else are not published."""
        for write in writes.TokenRemoved(b"x"), writes.HashReplaced(_ALICE, "a", "b"), writes.MessagesDeleted(()):
            self.assertEqual(self.of(write), [])
