"""Groups: made by anyone, grown by any member, cut by their owner."""

import unicodedata
from collections.abc import Callable, Iterable
from typing import Any

from twisted.internet.defer import Deferred

from irchat.chat.commits import Change, CommitQueue
from irchat.chat.directory import Directory, Group, User
from irchat.chat.timed import TimedMessages
from irchat.interfaces.limits import Limits
from irchat.interfaces.store import AddMember, CreateGroup, Publication, RemoveGroup, RemoveMember, Write
from irchat.protocol import events
from irchat.protocol.errors import Code, Refusal
from irchat.text.names import check_new_name


class Groups:
    """Makes and changes groups."""

    def __init__(
        self,
        directory: Directory,
        queue: CommitQueue,
        timed: TimedMessages,
        wall_ms: Callable[[], int],
        limits: Limits,
    ) -> None:
        self.directory = directory
        self.timed = timed
        self.limits = limits
        self.wall_ms = wall_ms
        self._queue = queue

    def create(self, owner: User, name: str, members: Iterable[str], origin: object) -> Deferred[events.Group]:
        """A group of ``owner`` and the users called ``members``.

        Fails with Refusal ``bad-name``, ``group-exists``, ``no-such-user``, ``blocked`` or ``too-many``.
        """
        return self._queue.submit(_Create(self, owner, origin, name.removeprefix("*"), list(members)))

    def add(self, member: User, group: str, name: str, origin: object) -> Deferred[events.Group]:
        """``member`` adds the user called ``name``.

        Fails with Refusal ``no-such-group``, ``no-such-user``, ``already-a-member``, ``blocked`` or ``too-many``.
        """
        return self._queue.submit(_Add(self, member, origin, group, name))

    def remove(self, member: User, group: str, name: str, origin: object) -> Deferred[events.Group | events.Ok]:
        """``member`` removes the user called ``name``, which may be ``member``.

        Fails with Refusal ``no-such-group``, ``no-such-user``, ``not-a-member`` or ``not-the-owner``.
        """
        return self._queue.submit(_Remove(self, member, origin, group, name))

    def members(self, member: User, group: str) -> events.Group:
        """The group as it is. Raises Refusal ``no-such-group``."""
        return described(self.directory.group(member, group))


def described(group: Group) -> events.Group:
    """The group as its members are told of it."""
    return events.Group(
        group=f"*{group.name}",
        id=f"*{group.id}",
        owner=group.owner.name,
        members=[member.name for member in group.members.values()],
    )


class _GroupChange(Change):
    """A change of who is in a group: what comes after it in the queue is checked when it is done."""

    alone = True

    def __init__(self, groups: Groups, user: User, origin: object) -> None:
        self.groups = groups
        self.directory = groups.directory
        self.user = user
        self.origin = origin

    def whose(self) -> User:
        return self.user

    def refuse_too_many(self, members: int, joining: Iterable[User]) -> None:
        """Raises Refusal ``too-many`` for a group of so many members, or for one who is in too many groups."""
        limits = self.groups.limits
        if members > limits.group_members:
            raise Refusal(Code.TOO_MANY, f"A group has at most {limits.group_members:,} members.")
        for user in joining:
            if limits.groups and len(user.groups) >= limits.groups:
                raise Refusal(Code.TOO_MANY, f"{user.name} is in {limits.groups:,} groups, and more are not allowed.")

    def added(self, group: Group, member: User) -> events.Added:
        return events.Added(
            group=f"*{group.name}", id=f"*{group.id}", name=member.name, by=self.user.name, owner=group.owner.name
        )


class _Create(_GroupChange):
    def __init__(self, groups: Groups, user: User, origin: object, name: str, members: list[str]) -> None:
        super().__init__(groups, user, origin)
        self.name = name
        # Told apart by something cheap first: a thousand spellings of one name would take long to fold.
        spellings: dict[str, str] = {}
        for member in members:
            spellings.setdefault(unicodedata.normalize("NFKC", member).lower(), member)
        self.member_names = spellings.values()

    def check(self) -> Write:
        self.directory.refuse_removed(self.user)
        check_new_name(self.name)
        members = {self.user.id: self.user}
        for name in self.member_names:
            member = self.directory.user(name)
            self.directory.refuse_silenced(self.user, member)
            members[member.id] = member
        self.refuse_too_many(len(members), members.values())
        self.key = self.directory.new_group_key(self.name)
        self.members = list(members.values())
        return CreateGroup(self.name, self.key, tuple(members), self.groups.wall_ms())

    def apply(self, result: Any, publications: list[Publication]) -> events.Group:
        group = Group(result, self.name, self.key, self.user, self.members)
        self.directory.add_group(group)
        publications.extend(
            Publication(self.added(group, member), (member.id,), origin=self.origin)
            for member in self.members
            if member.sessions
        )
        return described(group)


class _Add(_GroupChange):
    def __init__(self, groups: Groups, user: User, origin: object, group: str, name: str) -> None:
        super().__init__(groups, user, origin)
        self.group_name = group
        self.name = name

    def check(self) -> Write:
        self.group = self.directory.group(self.user, self.group_name)
        self.member = self.directory.user(self.name)
        if self.member.id in self.group.members:
            raise Refusal(Code.ALREADY_A_MEMBER, f"{self.member.name} is in {self.group.name} already.")
        self.directory.refuse_silenced(self.user, self.member)
        self.refuse_too_many(len(self.group.members) + 1, [self.member])
        return AddMember(self.group.id, self.member.id)

    def apply(self, result: Any, publications: list[Publication]) -> events.Group:
        self.directory.add_member(self.group, self.member)
        self.groups.timed.begin_sight(self.group.id, self.member)
        publications.append(Publication(self.added(self.group, self.member), self.group.member_ids, origin=self.origin))
        return described(self.group)


class _Remove(_GroupChange):
    def __init__(self, groups: Groups, user: User, origin: object, group: str, name: str) -> None:
        super().__init__(groups, user, origin)
        self.group_name = group
        self.name = name

    def check(self) -> Write:
        group = self.group = self.directory.group(self.user, self.group_name)
        member = self.member = self.directory.user(self.name)
        if member.id not in group.members:
            raise Refusal(Code.NOT_A_MEMBER, f"{member.name} is not in {group.name}. +{group.name} lists who is.")
        if member is not self.user and group.owner is not self.user:
            raise Refusal(
                Code.NOT_THE_OWNER, f"Only {group.owner.name}, who owns {group.name}, may remove others from it."
            )
        if len(group.members) == 1:
            return RemoveGroup(group.id)
        owner = next(other for other in group.members.values() if other is not member)
        return RemoveMember(group.id, member.id, owner.id if group.owner is member else group.owner.id)

    def apply(self, result: Any, publications: list[Publication]) -> events.Group | events.Ok:
        group, member = self.group, self.member
        self.directory.remove_member(group, member)
        publications.append(
            Publication(
                events.Removed(
                    group=f"*{group.name}",
                    id=f"*{group.id}",
                    name=member.name,
                    by=self.user.name,
                    owner=group.owner.name if group.members else "",
                ),
                (*group.members, member.id),
                origin=self.origin,
            )
        )
        if not group.members:
            self.groups.timed.end_chat(group.id)
        return events.Ok() if member is self.user else described(group)
