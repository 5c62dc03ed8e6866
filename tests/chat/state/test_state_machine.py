"""An earlier snapshot plus the log of entries equals the later snapshot."""

import shutil
import tempfile
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any

import msgspec
from argon2 import PasswordHasher
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from irchat.chat.accounts.accounts import Accounts
from irchat.chat.state.directory import Directory
from irchat.interfaces.bus import Publication
from irchat.interfaces.writes import Entry, PasswordSet, Write
from irchat.protocol import events
from irchat.protocol.errors import Refusal
from irchat.store.threads import NoThreads
from tests.helpers.chat import World, WorldTestCase

_AnyWrite: Any = reduce(or_, Write.__subclasses__())

_PASSWORD = "correct horse"
# The last two draw like others.
_NAMES = st.sampled_from(["alice", "bob", "carol", "dave", "c\u0101rol", "modern", "m\u00f6dern"])
_REMOVED = st.sampled_from(["bob#2", "carol#3", "dave#4"])
_GROUPS = st.sampled_from(["team", "t\u0113am", "crew"])
_ADDRESSES = st.sampled_from(["192.0.2.1", "192.0.2.0/24", "2001:db8::/32"])


def state_of(directory: Directory) -> dict[str, Any]:
    """Return everything in a directory except the count of password changes, which no snapshot has."""
    users, groups = directory.users, directory.groups
    return {
        "users": [
            (user.id, user.name, user.key, user.removed, user.ban, user.blocking, user.blocked_by, user.hidden)
            for user in users.values()
        ],
        "groups of users": {user.id: set(user.groups) for user in users.values()},
        "groups": [
            (group.id, group.name, group.key, group.owner.id, list(group.members), group.member_ids)
            for group in groups.values()
        ],
        "same objects": all(
            user.groups[group] is groups[group] and groups[group].members[user.id] is user
            for user in users.values()
            for group in user.groups
        ),
        "by key": {key: user.id for key, user in directory._users_by_key.items()},
        "removed by key": {key: user.id for key, user in directory._removed_by_key.items()},
        "groups by key": {key: group.id for key, group in directory._groups_by_key.items()},
        "keys": directory._keys,
        "lookalikes": (directory._drawn_users._counts, directory._drawn_groups._counts),
        "banned": {user: banned.ban for user, banned in directory.banned.items()},
        "networks": directory.network_bans._bans,
    }


class LogMachine(RuleBasedStateMachine):
    """Random changes, and a directory that follows them only by the log."""

    @initialize()
    def begin(self) -> None:
        """Begin with three users, one of them online."""
        self.folder = Path(tempfile.mkdtemp())
        self.world = World(self.folder, ("alice", "bob", "carol"))
        self.world.enter("alice")
        queue = self.world.chat.queue
        self.accounts = Accounts(
            self.world.directory, queue, self.world.store, NoThreads().read, self.world.wall_ms,
            hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1),
        )  # fmt: skip
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

    def do(self, ask: Any, *args: Any, **how: Any) -> None:
        """Request a change, which may be refused."""
        results: list[Any] = []
        try:
            asked = ask(*args, **how)
        except Refusal:
            return
        (asked if isinstance(asked, Deferred) else ensureDeferred(asked)).addBoth(results.append)
        (result,) = results
        if isinstance(result, Failure):
            result.trap(Refusal)

    def is_there(self, *names: str) -> bool:
        """Whether there are users of these names."""
        return all(self.world.directory.find_user(name) is not None for name in names)

    @rule()
    def take_snapshot(self) -> None:
        """Restart the second directory from a current snapshot."""
        self.log.clear()
        self.follower = Directory(self.world.store.snapshot())

    @rule(name=_NAMES)
    def register(self, name: str) -> None:
        """Make an account."""
        self.do(self.accounts.register, name, _PASSWORD)

    @rule(name=_NAMES)
    def reset_password(self, name: str) -> None:
        """Set a password."""
        self.do(self.accounts.reset_password, name, _PASSWORD)

    @rule(name=_NAMES | _REMOVED, with_messages=st.booleans())
    def remove_user(self, name: str, with_messages: bool) -> None:
        """Remove an account."""
        self.do(self.world.chat.moderation.remove, name, with_messages, lambda count: None)

    @rule(name=_NAMES, group=_GROUPS, members=st.lists(_NAMES, max_size=3))
    def create(self, name: str, group: str, members: list[str]) -> None:
        """Create a group."""
        if self.is_there(name):
            self.do(self.world.chat.groups.create, self.world[name], group, members, None)

    @rule(name=_NAMES, group=_GROUPS, other=_NAMES)
    def add(self, name: str, group: str, other: str) -> None:
        """Add a member."""
        if self.is_there(name):
            self.do(self.world.chat.groups.add, self.world[name], group, other, None)

    @rule(name=_NAMES, group=_GROUPS, other=st.none() | _NAMES)
    def remove(self, name: str, group: str, other: str | None) -> None:
        """Remove a member, or leave."""
        if self.is_there(name):
            self.do(self.world.chat.groups.remove, self.world[name], group, other or name, None)

    @rule(name=_NAMES, other=_NAMES | _REMOVED, blocked=st.none() | st.booleans())
    def block(self, name: str, other: str, blocked: bool | None) -> None:
        """Set or lift a block."""
        if self.is_there(name):
            self.do(self.world.chat.blocks.block, self.world[name], other, blocked, None)

    @rule(whom=_NAMES | _ADDRESSES, seconds=st.none() | st.integers(1, 3))
    def ban(self, whom: str, seconds: int | None) -> None:
        """Ban a user or network."""
        until = None if seconds is None else self.world.ms + seconds * 1000
        self.do(self.world.chat.moderation.ban, whom, until, "", None)

    @rule(whom=_NAMES | _ADDRESSES)
    def unban(self, whom: str) -> None:
        """Lift a ban."""
        self.do(self.world.chat.moderation.unban, whom, None)

    @rule(name=_NAMES)
    def kick(self, name: str) -> None:
        """End sessions."""
        self.do(self.world.chat.moderation.kick, name, None)

    @rule(name=_NAMES, chat=st.sampled_from(["GLOBAL", "*team", "@bob"]), expires_in=st.none() | st.just(5))
    def send(self, name: str, chat: str, expires_in: int | None) -> None:
        """Send a message."""
        if self.is_there(name):
            self.do(self.world.send, name, chat, expires_in=expires_in)

    @rule(name=_NAMES, chat=st.sampled_from(["GLOBAL", "*team", "@bob"]))
    def read(self, name: str, chat: str) -> None:
        """Move a read marker."""
        if self.is_there(name):
            self.do(self.world.chat.reading.mark, self.world[name], chat, 1, None)

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
            write = msgspec.msgpack.decode(msgspec.msgpack.encode(entry.write), type=_AnyWrite)
            assert write == entry.write
            self.follower.apply(Entry(write, entry.result))
        self.log.clear()
        stored = state_of(Directory(self.world.store.snapshot()))
        assert state_of(self.follower) == stored
        assert state_of(self.world.directory) == stored


class LogTests(SynchronousTestCase):
    """The directory and the log."""

    def test_log(self) -> None:
        """After any changes, the log applied to a snapshot equals the snapshot taken later."""
        run_state_machine_as_test(LogMachine, settings=settings(max_examples=60, stateful_step_count=40))

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
