"""Groups: anyone can create one, any member can add users, and only the owner can remove others."""

import unicodedata
from collections.abc import Callable, Iterable
from typing import Generic

from twisted.internet.defer import Deferred

from irchat.chat.changes import Change, Reply_co, Result
from irchat.chat.commits import CommitQueue
from irchat.chat.state.directory import Directory
from irchat.chat.state.entities import DirectoryGroup, User
from irchat.interfaces.bus import Publication
from irchat.interfaces.limits import Limits
from irchat.interfaces.writes import GroupCreated, GroupRemoved, MemberAdded, MemberRemoved
from irchat.protocol import events
from irchat.protocol.errors import Code, Refusal
from irchat.text.names import check_new_name


class Groups:
    """Creates, changes and describes groups. ``origin`` is the id of the session that requests a change."""

    def __init__(self, directory: Directory, queue: CommitQueue, wall_ms: Callable[[], int], limits: Limits) -> None:
        self.directory = directory
        self.limits = limits
        self.wall_ms = wall_ms
        self._queue = queue

    def create(self, owner: User, name: str, members: Iterable[str], origin: int | None) -> Deferred[events.Group]:
        """Create a group with ``owner`` and the users named in ``members``.

        Fails with Refusal ``bad-name``, ``group-exists``, ``no-such-user``, ``blocked`` or ``too-many``.
        """
        return self._queue.submit(_CreateGroup(self, owner, origin, name.removeprefix("*"), list(members)))

    def add(self, member: User, group: str, name: str, origin: int | None) -> Deferred[events.Group]:
        """Add the user called ``name`` to the group called ``group``, on behalf of ``member``.

        Fails with Refusal ``no-such-group``, ``no-such-user``, ``already-a-member``, ``blocked`` or ``too-many``.
        """
        return self._queue.submit(_AddMember(self, member, origin, group, name))

    def remove(self, member: User, group: str, name: str, origin: int | None) -> Deferred[events.Group | events.Ok]:
        """Remove the user called ``name`` from a group, on behalf of ``member``. A member who removes itself leaves.

        The result is the group, or `events.Ok` for a member who left.

        Fails with Refusal ``no-such-group``, ``no-such-user``, ``not-a-member`` or ``not-the-owner``.
        """
        return self._queue.submit(_RemoveMember(self, member, origin, group, name))

    def members(self, member: User, group: str) -> events.Group:
        """Return the group with its members. Raises Refusal ``no-such-group``."""
        return described(self.directory.group(member, group))


def described(group: DirectoryGroup) -> events.Group:
    """Return the group as it is shown to its members."""
    return events.Group(
        group=f"*{group.name}",
        id=f"*{group.id}",
        owner=group.owner.name,
        members=[member.name for member in group.members.values()],
    )


class _GroupChange(Change[Result, Reply_co], Generic[Result, Reply_co]):
    """Base of the changes that a member makes to a group."""

    alone = True

    def __init__(self, groups: Groups, user: User, origin: int | None) -> None:
        self.groups = groups
        self.directory = groups.directory
        self.user = user
        self.origin = origin

    def whose(self) -> User:
        return self.user

    def refuse_too_many(self, members: int, joining: Iterable[User]) -> None:
        """Raise Refusal ``too-many`` if a group cannot have ``members`` users, or a ``joining`` user another group."""
        limits = self.groups.limits
        if members > limits.group_members:
            raise Refusal(Code.TOO_MANY, f"A group has at most {limits.group_members:,} members. Create another group.")
        for user in joining:
            if limits.groups and len(user.groups) >= limits.groups:
                raise Refusal(Code.TOO_MANY, f"{user.name} has reached the limit of {limits.groups:,} groups.")


class _CreateGroup(_GroupChange[int, events.Group]):
    def __init__(self, groups: Groups, user: User, origin: int | None, name: str, members: list[str]) -> None:
        super().__init__(groups, user, origin)
        self.name = name
        # Drop duplicates by a cheap comparison first: folding a thousand spellings of one name would take long.
        spellings: dict[str, str] = {}
        for member in members:
            spellings.setdefault(unicodedata.normalize("NFKC", member).lower(), member)
        self.member_names = spellings.values()

    def check(self) -> GroupCreated:
        self.directory.refuse_removed(self.user)
        check_new_name(self.name)
        members = {self.user.id: self.user}
        for name in self.member_names:
            member = self.directory.user(name)
            self.directory.refuse_silenced(self.user, member)
            members[member.id] = member
        self.refuse_too_many(len(members), members.values())
        key = self.directory.new_group_key(self.name)
        return GroupCreated(self.name, key, tuple(members), self.groups.wall_ms())

    def reply(self, result: int, publications: list[Publication]) -> events.Group:
        return described(self.directory.groups[result])


class _AddMember(_GroupChange[None, events.Group]):
    def __init__(self, groups: Groups, user: User, origin: int | None, group: str, name: str) -> None:
        super().__init__(groups, user, origin)
        self.group_name = group
        self.name = name

    def check(self) -> MemberAdded:
        group = self.group = self.directory.group(self.user, self.group_name)
        member = self.directory.user(self.name)
        if member.id in group.members:
            raise Refusal(Code.ALREADY_A_MEMBER, f"{member.name} is already in {group.name}.")
        self.directory.refuse_silenced(self.user, member)
        self.refuse_too_many(len(group.members) + 1, [member])
        return MemberAdded(group.id, member.id, self.user.id)

    def reply(self, result: None, publications: list[Publication]) -> events.Group:
        return described(self.group)


class _RemoveMember(_GroupChange[None, "events.Group | events.Ok"]):
    def __init__(self, groups: Groups, user: User, origin: int | None, group: str, name: str) -> None:
        super().__init__(groups, user, origin)
        self.group_name = group
        self.name = name

    def check(self) -> MemberRemoved | GroupRemoved:
        group = self.group = self.directory.group(self.user, self.group_name)
        member = self.member = self.directory.user(self.name)
        if member.id not in group.members:
            raise Refusal(Code.NOT_A_MEMBER, f"{member.name} is not in {group.name}. +{group.name} lists the members.")
        if member is not self.user and group.owner is not self.user:
            raise Refusal(
                Code.NOT_THE_OWNER, f"Only {group.owner.name}, who owns {group.name}, may remove others from it."
            )
        owner = group.owner_without(member)
        if owner is None:
            return GroupRemoved(group.id)
        return MemberRemoved(group.id, member.id, owner.id, self.user.id)

    def reply(self, result: None, publications: list[Publication]) -> events.Group | events.Ok:
        return events.Ok() if self.member is self.user else described(self.group)
