"""Users, groups and chats in the memory of the core."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import cached_property

from irchat.interfaces.bus import MemberIds
from irchat.interfaces.stored import ChatKey, StoredBan
from irchat.protocol.rules import GLOBAL_NAME


@dataclass(eq=False, repr=False, slots=True)
class User:
    """An account. ``hidden``: the ids of the users that it blocks or that block it.

    The name of a ``removed`` account cannot be registered. ``resets`` counts the changes of its password.
    """

    id: int
    name: str
    key: str
    removed: bool = False
    ban: StoredBan | None = None
    resets: int = 0
    groups: "dict[int, DirectoryGroup]" = field(default_factory=dict)
    blocking: set[int] = field(default_factory=set)
    blocked_by: set[int] = field(default_factory=set)
    hidden: frozenset[int] = frozenset()

    @property
    def known_as(self) -> str:
        """The name under which clients have seen the user, also after its removal."""
        return self.name.removesuffix(f"#{self.id}")

    def forget(self) -> None:
        """Drop everything that a new snapshot brings. Without an account there, it stays removed."""
        self.removed, self.ban = True, None
        self.resets += 1
        self.groups, self.blocking, self.blocked_by, self.hidden = {}, set(), set(), frozenset()


class DirectoryGroup:
    """A group. ``members`` are by id, in join order."""

    def __init__(self, group_id: int, name: str, key: str, owner: User, members: Iterable[User]) -> None:
        self.id = group_id
        self.name = name
        self.key = key
        self.owner = owner
        self.members = {member.id: member for member in members}

    @cached_property
    def member_ids(self) -> MemberIds:
        """The ids of the members."""
        return MemberIds(self.members)

    def owner_without(self, leaving: User) -> User | None:
        """Return the owner after ``leaving`` leaves: the member that joined first, or None if nobody is left."""
        if self.owner is not leaving:
            return self.owner
        return next((member for member in self.members.values() if member is not leaving), None)

    def members_changed(self) -> None:
        """Drop values derived from ``members``. Call after each change of it."""
        vars(self).pop("member_ids", None)


@dataclass(eq=False, repr=False, slots=True)
class DirectoryChat:
    """A chat as the server sees it: GLOBAL, a group, or a pair of users."""

    key: ChatKey
    group: DirectoryGroup | None = None
    pair: tuple[User, User] | None = None

    def label(self, reader: User) -> str:
        """Return the name of the chat as ``reader`` writes it: ``GLOBAL``, ``*team`` or ``@bob``."""
        if self.pair is not None:
            return f"@{self.peer(reader).name}"
        return GLOBAL_NAME if self.group is None else f"*{self.group.name}"

    def wire_id(self, reader: User) -> str:
        """Return an id that is never reused, even if the name of the chat is."""
        if self.pair is not None:
            return f"@{self.peer(reader).id}"
        return GLOBAL_NAME if self.group is None else f"*{self.group.id}"

    def peer(self, reader: User) -> User:
        """Return the other user of a private chat."""
        assert self.pair is not None
        return self.pair[1] if self.pair[0] is reader else self.pair[0]

    def has(self, user: User) -> bool:
        """Return whether ``user`` is still in a chat that it was in. Only groups can be left."""
        return self.group is None or user.id in self.group.members

    @property
    def audience(self) -> Collection[int] | None:
        """The ids of the users that are in it now, or None for everyone."""
        if self.pair is not None:
            return (self.pair[0].id, self.pair[1].id)
        return None if self.group is None else self.group.member_ids
