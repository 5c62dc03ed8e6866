"""Users, groups and chats in the memory of the core."""

from collections.abc import Collection, Iterable

from irchat.interfaces.bus import MemberIds
from irchat.interfaces.stored import ChatKey, StoredBan
from irchat.protocol.rules import GLOBAL_NAME


class User:
    """An account. ``hidden``: the ids of the users that it blocks or that block it.

    The name of a ``removed`` account cannot be registered. ``resets`` counts the changes of its password.
    """

    __slots__ = (
        "ban",
        "blocked_by",
        "blocking",
        "groups",
        "hidden",
        "id",
        "key",
        "name",
        "removed",
        "resets",
    )

    def __init__(self, user_id: int, name: str, key: str, removed: bool = False) -> None:
        self.id = user_id
        self.name = name
        self.key = key
        self.removed = removed
        self.ban: StoredBan | None = None
        self.resets = 0
        self.groups: dict[int, DirectoryGroup] = {}
        self.blocking: set[int] = set()
        self.blocked_by: set[int] = set()
        self.hidden: frozenset[int] = frozenset()


class DirectoryGroup:
    """A group. ``members`` are by id, in join order."""

    __slots__ = ("_member_ids", "id", "key", "members", "name", "owner")

    def __init__(self, group_id: int, name: str, key: str, owner: User, members: Iterable[User]) -> None:
        self.id = group_id
        self.name = name
        self.key = key
        self.owner = owner
        self.members = {member.id: member for member in members}
        self._member_ids: MemberIds | None = None

    @property
    def member_ids(self) -> MemberIds:
        """The ids of the members."""
        if self._member_ids is None:
            self._member_ids = MemberIds(self.members)
        return self._member_ids

    def owner_without(self, leaving: User) -> User | None:
        """Return the owner after ``leaving`` leaves: the member that joined first, or None if nobody is left."""
        if self.owner is not leaving:
            return self.owner
        return next((member for member in self.members.values() if member is not leaving), None)

    def members_changed(self) -> None:
        """Drop values derived from ``members``. Call after each change of it."""
        self._member_ids = None


class DirectoryChat:
    """A chat as the server sees it: GLOBAL, a group, or a pair of users."""

    __slots__ = ("group", "key", "pair")

    def __init__(
        self, key: ChatKey, group: DirectoryGroup | None = None, pair: tuple[User, User] | None = None
    ) -> None:
        self.key = key
        self.group = group
        self.pair = pair

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
