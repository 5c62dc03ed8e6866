"""Random changes of everything in the log, for state machines that compare the resulting states."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.python.failure import Failure

from irchat.chat.accounts.accounts import Accounts
from irchat.chat.state.directory import Directory
from irchat.protocol.errors import Refusal
from irchat.store.threads import NoThreads
from tests.helpers.chat import World
from tests.helpers.server import cheap_hasher

_PASSWORD = "correct horse"
# The last two look like others.
NAMES = st.sampled_from(["alice", "bob", "carol", "dave", "c\u0101rol", "modern", "m\u00f6dern"])
REMOVED = st.sampled_from(["bob#2", "carol#3", "dave#4"])
_GROUPS = st.sampled_from(["team", "t\u0113am", "crew"])
_ADDRESSES = st.sampled_from(["192.0.2.1", "192.0.2.0/24", "2001:db8::/32"])
CHATS = st.sampled_from(["GLOBAL", "*team", "@alice", "@bob"])


class RandomChanges(RuleBasedStateMachine):
    """The rules. A subclass sets `world`."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.failures: list[Failure] = []

    def accounts(self) -> Accounts:
        """Return the accounts of the world, with a cheap hash."""
        world = self.world
        return Accounts(
            world.directory, world.chat.queue, world.store, NoThreads().read, world.wall_ms, hasher=cheap_hasher()
        )

    def do(self, ask: Any, *args: Any, **how: Any) -> None:
        """Request a change, which may be refused."""
        try:
            asked = ask(*args, **how)
        except Refusal:
            return
        (asked if isinstance(asked, Deferred) else ensureDeferred(asked)).addErrback(self._note)

    def _note(self, failure: Failure) -> None:
        if not failure.check(Refusal):
            self.failures.append(failure)

    @invariant()
    def nothing_fails(self) -> None:
        """Commit or refuse the waiting changes."""
        assert not self.failures

    def is_there(self, *names: str) -> bool:
        """Whether there are users of these names."""
        return all(self.world.directory.find_user(name) is not None for name in names)

    @rule(name=NAMES)
    def register(self, name: str) -> None:
        """Make an account."""
        self.do(self.accounts().register, name, _PASSWORD)

    @rule(name=NAMES)
    def reset_password(self, name: str) -> None:
        """Set a password."""
        self.do(self.accounts().reset_password, name, _PASSWORD)

    @rule(name=NAMES | REMOVED, with_messages=st.booleans())
    def remove_user(self, name: str, with_messages: bool) -> None:
        """Remove an account."""
        self.do(self.world.chat.moderation.remove, name, with_messages, lambda count: None)

    @rule(name=NAMES, group=_GROUPS, members=st.lists(NAMES, max_size=3))
    def create(self, name: str, group: str, members: list[str]) -> None:
        """Create a group."""
        if self.is_there(name):
            self.do(self.world.chat.groups.create, self.world[name], group, members, None)

    @rule(name=NAMES, group=_GROUPS, other=NAMES)
    def add(self, name: str, group: str, other: str) -> None:
        """Add a member."""
        if self.is_there(name):
            self.do(self.world.chat.groups.add, self.world[name], group, other, None)

    @rule(name=NAMES, group=_GROUPS, other=st.none() | NAMES)
    def remove(self, name: str, group: str, other: str | None) -> None:
        """Remove a member, or leave."""
        if self.is_there(name):
            self.do(self.world.chat.groups.remove, self.world[name], group, other or name, None)

    @rule(name=NAMES, other=NAMES | REMOVED, blocked=st.none() | st.booleans())
    def block(self, name: str, other: str, blocked: bool | None) -> None:
        """Set or lift a block."""
        if self.is_there(name):
            self.do(self.world.chat.blocks.block, self.world[name], other, blocked, None)

    @rule(whom=NAMES | _ADDRESSES, seconds=st.none() | st.integers(1, 3))
    def ban(self, whom: str, seconds: int | None) -> None:
        """Ban a user or network."""
        until = None if seconds is None else self.world.wall_ms() + seconds * 1000
        self.do(self.world.chat.moderation.ban, whom, until, "", None)

    @rule(whom=NAMES | _ADDRESSES)
    def unban(self, whom: str) -> None:
        """Lift a ban."""
        self.do(self.world.chat.moderation.unban, whom, None)

    @rule(name=NAMES)
    def kick(self, name: str) -> None:
        """End sessions."""
        self.do(self.world.chat.moderation.kick, name, None)

    @rule(name=NAMES, chat=CHATS, text=st.sampled_from(["hi", "@bob", "#1 hi"]), is_notice=st.booleans())
    def send(self, name: str, chat: str, text: str, is_notice: bool) -> None:
        """Send a message."""
        if self.is_there(name):
            self.do(self.world.send, name, chat, text, is_notice=is_notice)

    @rule(name=NAMES, chat=CHATS, seq=st.integers(1, 9))
    def read(self, name: str, chat: str, seq: int) -> None:
        """Move a read marker."""
        if self.is_there(name):
            self.do(self.world.chat.reading.mark, self.world[name], chat, seq, None)

    @rule(name=NAMES, chat=CHATS, alert=st.sampled_from(["all", "none"]))
    def alert(self, name: str, chat: str, alert: str) -> None:
        """Set when a chat alerts a user."""
        if self.is_there(name):
            self.do(self.world.chat.reading.alert, self.world[name], chat, alert)

    @rule(name=NAMES, chat=CHATS, seq=st.none() | st.integers(1, 5), text=st.none() | st.just("other @carol"))
    def amend(self, name: str, chat: str, seq: int | None, text: str | None) -> None:
        """Edit or delete a message."""
        if self.is_there(name):
            ask = self.world.amend_last if seq is None else self.world.amend
            self.do(ask, name, chat, *(() if seq is None else (seq,)), text)

    @rule(name=NAMES, chat=CHATS, seq=st.integers(1, 5), mark=st.sampled_from(["ok", "no"]))
    def mark(self, name: str, chat: str, seq: int, mark: str) -> None:
        """Put a mark on a message, or take it off."""
        if self.is_there(name):
            self.do(self.world.mark, name, chat, seq, mark, None)


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
