"""An earlier snapshot plus the log of entries equals the later snapshot."""

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule, run_state_machine_as_test
from twisted.internet.defer import ensureDeferred
from twisted.trial.unittest import SynchronousTestCase

from irchat.chat.state.directory import Directory
from irchat.interfaces.bus import Publication
from irchat.interfaces.entry_codec import decode, encode, is_logged
from irchat.interfaces.writes import Entry, PasswordSet, Write
from irchat.protocol import events
from tests.helpers.chat import World, WorldTestCase
from tests.helpers.random_changes import CHATS, NAMES, RandomChanges, state_of


class LogMachine(RandomChanges):
    """Random changes, and a directory that follows them only by the log."""

    @initialize()
    def begin(self) -> None:
        """Begin with three users, one of them online."""
        self.folder = Path(tempfile.mkdtemp())
        self.world = World(self.folder, ("alice", "bob", "carol"))
        self.world.enter("alice")
        queue = self.world.chat.queue
        self.log: list[Entry] = []
        apply = queue._apply

        def noted(entry: Entry, origin: int | None) -> list[Publication]:
            self.log.append(entry)
            return apply(entry, origin)

        queue._apply = noted
        self.take_snapshot()

    def teardown(self) -> None:
        """Leave no file behind."""
        if hasattr(self, "world"):
            self.world.close()
            shutil.rmtree(self.folder)

    @rule()
    def take_snapshot(self) -> None:
        """Restart the second directory from a current snapshot."""
        self.log.clear()
        self.follower = Directory(self.world.store.snapshot())

    @rule(name=NAMES, chat=CHATS)
    def send_timed(self, name: str, chat: str) -> None:
        """Send a timed message."""
        if self.is_there(name):
            self.do(self.world.send, name, chat, expires_in=5)

    @rule(seconds=st.integers(1, 3))
    def pass_time(self, seconds: int) -> None:
        """Let bans expire."""
        self.world.pass_time(seconds)

    @invariant()
    def follower_is_the_snapshot(self) -> None:
        """The earlier snapshot plus the encoded and decoded entries equals the store's and the memory's state."""
        if not hasattr(self, "follower"):
            return
        for entry in self.log:
            if is_logged(entry):
                self.follower.apply(decode(encode(entry)))
        self.log.clear()
        stored = state_of(Directory(self.world.store.snapshot()))
        assert state_of(self.follower) == stored
        assert state_of(self.world.directory) == stored


class LogTests(SynchronousTestCase):
    """The directory and the log."""

    def test_log(self) -> None:
        """After any changes, the log applied to a snapshot equals the snapshot taken later."""
        run_state_machine_as_test(LogMachine, settings=settings(max_examples=15, stateful_step_count=40))

    @pytest.mark.slow
    def test_more(self) -> None:
        """The same, for more changes."""
        run_state_machine_as_test(LogMachine, settings=settings(max_examples=80, stateful_step_count=40))

    def test_bans_that_ended(self) -> None:
        """Expired bans are removed with the next ban, and the ban of a removed user is removed with it."""
        machine = LogMachine()
        self.addCleanup(machine.teardown)
        machine.begin()
        for whom in "bob", "192.0.2.1", "2001:db8::/32":
            machine.ban(whom, 1)
        machine.ban("carol", None)
        machine.follower_is_the_snapshot()
        machine.pass_time(1)
        machine.ban("192.0.2.0/24", None)
        machine.follower_is_the_snapshot()
        self.assertEqual(list(machine.follower.banned), [3])
        machine.remove_user("carol", False)
        machine.follower_is_the_snapshot()
        self.assertEqual(machine.follower.banned, {})


class FollowingTests(WorldTestCase):
    """State outside the directory that follows entries, and publications derived from them."""

    def apply(self, write: Write[object], result: object = None) -> list[Publication]:
        """Follow a write of another node, without a requesting session here."""
        return self.world.chat.queue._apply(Entry(write, result), None)

    def test_password(self) -> None:
        """A new password increases the counts of its user and of all."""
        self.assertEqual(self.apply(PasswordSet(2, "hash", None)), [])
        self.assertEqual((self.world["bob"].resets, self.world["alice"].resets, self.world.directory.resets), (1, 0, 1))

    def test_block_is_listed_for_other_sessions(self) -> None:
        """Another session of the user gets the current list, and other users get nothing."""
        self.world.enter("alice", 2)
        self.block("alice", "carol")
        self.block("alice", "bob")
        self.block("alice", "carol", False)
        names = [event.names for event in self.world.told("alice") if isinstance(event, events.Blocks)]
        self.assertEqual(names, [["carol"], ["bob", "carol"], ["bob"]])
        self.assertEqual(self.world.told("bob"), [])

    def test_removed_user_is_offline_under_the_old_name(self) -> None:
        """Presence announces the removed user's departure once, under the known name."""
        self.done(ensureDeferred(self.world.chat.moderation.remove("bob", False, lambda count: None)))
        self.assertEqual(self.world.presence[-1], "-bob")
        self.world.chat.presence.leave(2, 1)
        self.assertEqual(self.world.presence.count("-bob"), 1)


class LoadTests(WorldTestCase):
    """A snapshot that replaces everything."""

    def test_back_to_an_older_one(self) -> None:
        """Groups, blocks, bans and accounts that the snapshot lacks are gone, for those who hold their objects too."""
        self.group("team", "alice", "bob")
        before = self.world.store.snapshot()
        expected = state_of(Directory(before))
        dave, bob = self.world.add_user("dave"), self.world["bob"]
        self.group("crew", "alice", "bob", "dave")
        self.block("bob", "carol")
        self.done(self.world.chat.moderation.ban("bob", None, "", None))
        self.done(self.world.chat.groups.add(self.world["alice"], "team", "carol", None))
        resets = self.world.directory.resets
        self.world.chat.state.load(before)
        self.assertEqual(state_of(self.world.directory), expected)
        self.assertIs(self.world["bob"], bob)
        self.assertEqual((bob.hidden, bob.ban, bob.removed), (frozenset(), None, False))
        self.assertEqual((dave.removed, list(dave.groups)), (True, []))
        self.assertEqual((bob.resets, self.world.directory.resets), (1, resets + 1))

    def test_other_owner(self) -> None:
        """A group that stays has the owner and the members of the snapshot, in their order there."""
        self.group("team", "alice", "bob", "carol")
        before = self.world.store.snapshot()
        (group,) = self.world.directory.groups.values()
        self.assertEqual(group.member_ids, {1, 2, 3})
        self.world.chat.state.load(before._replace(groups=[before.groups[0]._replace(owner=3, members=[3, 2])]))
        self.assertIs(self.world.directory.groups[group.id], group)
        self.assertEqual((group.owner.name, list(group.members), group.member_ids), ("carol", [3, 2], {2, 3}))
        self.assertEqual([list(self.world[name].groups) for name in ("alice", "bob")], [[], [group.id]])

    def test_timed(self) -> None:
        """Timed messages live on, but not those of ended groups, and no new member sees earlier ones."""
        self.group("team", "alice", "bob")
        before = self.world.store.snapshot()
        self.group("crew", "alice", "bob")
        for chat in ("*team", "*crew", "GLOBAL"):
            self.done(self.world.send("alice", chat, chat, expires_in=9))
        self.world.chat.state.load(before)
        timed = self.world.chat.messages.timed
        self.assertEqual(timed.count_of(self.world["alice"]), 2)
        (group,) = before.groups
        self.world.chat.state.load(before._replace(groups=[group._replace(members=[1, 2, 3])]))
        seen = [[message.text for message in timed.missed(self.world[name], 0)] for name in ("bob", "carol")]
        self.assertEqual(seen, [["*team", "GLOBAL"], ["GLOBAL"]])

    def test_timed_of_several_groups(self) -> None:
        """A new member of a group sees no earlier one, also if another group has ended."""
        for name in "crew", "team":
            self.group(name, "alice", "bob")
            self.done(self.world.send("alice", f"*{name}", name, expires_in=9))
        before = self.world.store.snapshot()
        team = before.groups[1]._replace(members=[1, 2, 3])
        self.world.chat.state.load(before._replace(groups=[team]))
        timed = self.world.chat.messages.timed
        seen = [[message.text for message in timed.missed(self.world[name], 0)] for name in ("bob", "carol")]
        self.assertEqual(seen, [["team"], []])

    def test_network_bans(self) -> None:
        """The holder of the connections looks for banned ones."""
        called: list[int] = []
        self.world.chat.state.on_network_banned = lambda: called.append(1)
        self.world.chat.state.load(self.world.store.snapshot())
        self.assertEqual(called, [1])
