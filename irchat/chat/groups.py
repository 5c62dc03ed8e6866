"""Groups: anyone can create one, any member can add users, and only the owner can remove others."""

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from twisted.internet.defer import Deferred

from irchat.chat.changes import Change, Reply_co, Result
from irchat.chat.commits import CommitQueue
from irchat.chat.state.directory import Directory
from irchat.chat.state.entities import DirectoryGroup, User
from irchat.chat.state.reasons import Reasons
from irchat.interfaces.bus import Publication
from irchat.interfaces.limits import Limits
from irchat.interfaces.writes import GroupCreated, GroupRemoved, MemberAdded, MemberRemoved
from irchat.protocol import events
from irchat.protocol.errors import Code, Refusal
from irchat.text.names import check_new_name


class Groups:
    """Creates, changes and describes groups. ``origin`` is the id of the session that requests a change."""

    def __init__(
        self, directory: Directory, queue: CommitQueue, wall_ms: Callable[[], int], limits: Limits, reasons: Reasons
    ) -> None:
        self.directory = directory
        self.limits = limits
        self.reasons = reasons
        self.wall_ms = wall_ms
        self._queue = queue

    def create(self, owner: User, name: str, members: Iterable[str], origin: int | None) -> Deferred[events.Group]:
        """Create a group with ``owner`` and the users named in ``members``.

        Fails with Refusal ``bad-name``, ``group-exists``, ``no-such-user``, ``blocked`` or ``too-many``.
        """
        # Drop duplicates by a cheap comparison first: folding a thousand spellings of one name would take long.
        spellings: dict[str, str] = {}
        for member in members:
            spellings.setdefault(unicodedata.normalize("NFKC", member).lower(), member)
        return self._queue.submit(_CreateGroup(owner, origin, self, name.removeprefix("*"), spellings.values()))

    def add(self, member: User, group: str, name: str, origin: int | None) -> Deferred[events.Group]:
        """Add the user called ``name`` to the group called ``group``, on behalf of ``member``.

        Fails with Refusal ``no-such-group``, ``no-such-user``, ``already-a-member``, ``blocked`` or ``too-many``.
        """
        return self._queue.submit(_AddMember(member, origin, self, group, name))

    def remove(
        self, member: User, group: str, name: str, origin: int | None, reason: str | None = None
    ) -> Deferred[events.Group | events.Ok]:
        """Remove the user called ``name`` from a group, on behalf of ``member``. A member who removes itself leaves.

        ``reason`` is shown to the members. The result is the group, or `events.Ok` for a member who left.

        Fails with Refusal ``no-such-group``, ``no-such-user``, ``not-a-member`` or ``not-the-owner``.
        """
        return self._queue.submit(_RemoveMember(member, origin, self, group, name, reason))

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


@dataclass(eq=False, repr=False)
class _GroupChange(Change[Result, Reply_co]):
    """Base of the changes that a user makes to a group."""

    by: User
    groups: Groups
    group_name: str
    alone = True

    def refuse_too_many(self, members: int, joining: Iterable[User]) -> None:
        """Raise Refusal ``too-many`` if a group cannot have ``members`` users, or a ``joining`` user another group."""
        limits = self.groups.limits
        if members > limits.group_members:
            raise Refusal(Code.TOO_MANY, f"A group has at most {limits.group_members:,} members. Create another group.")
        for user in joining:
            if limits.groups and len(user.groups) >= limits.groups:
                raise Refusal(Code.TOO_MANY, f"{user.name} has reached the limit of {limits.groups:,} groups.")


@dataclass(eq=False, repr=False)
class _CreateGroup(_GroupChange[int, events.Group]):
    member_names: Iterable[str]

    def check(self) -> GroupCreated:
        directory = self.groups.directory
        directory.refuse_removed(self.by)
        check_new_name(self.group_name)
        members = {self.by.id: self.by}
        for name in self.member_names:
            member = directory.user(name)
            directory.refuse_silenced(self.by, member)
            members[member.id] = member
        self.refuse_too_many(len(members), members.values())
        key = directory.new_group_key(self.group_name)
        return GroupCreated(self.group_name, key, tuple(members), self.groups.wall_ms())

    def reply(self, result: int, publications: list[Publication]) -> events.Group:
        return described(self.groups.directory.groups[result])


@dataclass(eq=False, repr=False)
class _AddMember(_GroupChange[None, events.Group]):
    name: str

    def check(self) -> MemberAdded:
        group = self.group = self.groups.directory.group(self.by, self.group_name)
        member = self.groups.directory.user(self.name)
        if member.id in group.members:
            raise Refusal(Code.ALREADY_A_MEMBER, f"{member.name} is already in {group.name}.")
        self.groups.directory.refuse_silenced(self.by, member)
        self.refuse_too_many(len(group.members) + 1, [member])
        return MemberAdded(group.id, member.id, self.by.id)

    def reply(self, result: None, publications: list[Publication]) -> events.Group:
        return described(self.group)


@dataclass(eq=False, repr=False)
class _RemoveMember(_GroupChange[None, "events.Group | events.Ok"]):
    name: str
    reason: str | None

    def check(self) -> MemberRemoved | GroupRemoved:
        group = self.group = self.groups.directory.group(self.by, self.group_name)
        member = self.member = self.groups.directory.user(self.name)
        if member.id not in group.members:
            raise Refusal(Code.NOT_A_MEMBER, f"{member.name} is not in {group.name}. +{group.name} lists the members.")
        if self.by not in (member, group.owner):
            raise Refusal(
                Code.NOT_THE_OWNER, f"Only {group.owner.name}, who owns {group.name}, may remove others from it."
            )
        self.groups.reasons.give(group.id, member.id, self.by.id, self.reason)
        owner = group.owner_without(member)
        if owner is None:
            return GroupRemoved(group.id)
        return MemberRemoved(group.id, member.id, owner.id, self.by.id)

    def reply(self, result: None, publications: list[Publication]) -> events.Group | events.Ok:
        return events.Ok() if self.member is self.by else described(self.group)
