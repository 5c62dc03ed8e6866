"""The state machine: it applies committed entries to memory, and derives the events shown to users."""

from irchat.chat.state import bans
from irchat.chat.state.directory import Directory
from irchat.chat.state.presence import LocalPresence
from irchat.chat.timed.timed_messages import TimedMessages
from irchat.interfaces import writes
from irchat.interfaces.bus import MemberIds, Publication
from irchat.interfaces.stored import Snapshot
from irchat.interfaces.writes import Entry
from irchat.protocol import events


class StateMachine:
    """Applies entries to the directory, and to the timed messages and presence that depend on it."""

    def __init__(self, directory: Directory, timed: TimedMessages, presence: LocalPresence) -> None:
        self._directory = directory
        self._timed = timed
        self._presence = presence

    def apply(self, entry: Entry, origin: int | None = None) -> list[Publication]:
        """Apply ``entry`` to memory. Return the events to publish to all sessions but ``origin``."""
        publications = self._publications(entry, origin)
        if isinstance(entry.write, writes.UserRemoved):
            self._presence.forget(entry.write.user)  # others know it by its current name
        self._directory.apply(entry)
        match entry.write:
            case writes.MemberAdded(group=group, user=user):
                self._timed.begin_sight(group, self._directory.users[user])
            case writes.GroupRemoved(group=group):
                self._timed.end_chat(group)
            case writes.UserRemoved(groups=groups):
                for group, owner in groups:
                    if owner is None:
                        self._timed.end_chat(group)
        return publications

    def load(self, snapshot: Snapshot) -> None:
        """Replace the directory by a snapshot, after entries that this node cannot read."""
        before = {group.id: set(group.members) for group in self._directory.groups.values()}
        self._directory.load(snapshot)
        for group_id, members in before.items():
            group = self._directory.groups.get(group_id)
            if group is None:
                self._timed.end_chat(group_id)
                continue
            for user in group.members.keys() - members:
                self._timed.begin_sight(group_id, self._directory.users[user])

    def _publications(self, entry: Entry, origin: int | None) -> list[Publication]:
        """Return the publications of ``entry``. Call before it is applied."""
        match entry:
            case Entry(writes.GroupCreated() as write, int(group_id)):
                owner = write.members[0]
                return [
                    Publication(self._added(write.name, group_id, user, owner, owner), (user,), origin=origin)
                    for user in write.members
                    if user in self._presence.sessions
                ]
            case Entry(writes.MemberAdded() as write):
                group = self._directory.groups[write.group]
                added = self._added(group.name, group.id, write.user, write.by, group.owner.id)
                return [Publication(added, MemberIds({*group.members, write.user}), origin=origin)]
            case Entry(writes.MemberRemoved() as write):
                removed = self._removed(write.group, write.user, write.by, write.owner)
                return [Publication(removed, tuple(self._directory.groups[write.group].members), origin=origin)]
            case Entry(writes.GroupRemoved() as write):
                (last,) = self._directory.groups[write.group].members
                return [Publication(self._removed(write.group, last, last, None), (last,), origin=origin)]
            case Entry(writes.UserRemoved() as write):
                return self._user_removed(write)
            case Entry(writes.BanSet(ban=ban)) if ban.user is not None:
                return [Publication(events.Bye(reason=bans.notice(ban)), (ban.user,))]
            case Entry(writes.BlockSet() as write) if self._presence.count(write.blocker) > 1:
                blocking = self._directory.users[write.blocker].blocking - {write.blocked_user}
                listed = self._directory.listed(blocking | {write.blocked_user} if write.blocked else blocking)
                return [Publication(events.Blocks(names=listed), (write.blocker,), origin=origin)]
        return []

    def _user_removed(self, write: writes.UserRemoved) -> list[Publication]:
        publications = []
        for group, owner in write.groups:
            if owner is not None:
                others = tuple(user for user in self._directory.groups[group].members if user != write.user)
                publications.append(Publication(self._removed(group, write.user, write.user, owner), others))
        return [*publications, Publication(events.Bye(reason="your account was removed"), (write.user,))]

    def _added(self, name: str, group: int, user: int, by: int, owner: int) -> events.Added:
        users = self._directory.users
        return events.Added(
            group=f"*{name}", id=f"*{group}", name=users[user].name, by=users[by].name, owner=users[owner].name
        )

    def _removed(self, group: int, user: int, by: int, owner: int | None) -> events.Removed:
        """Return the event of a removal. ``owner`` is the next owner, or None if the group ends."""
        users = self._directory.users
        return events.Removed(
            group=f"*{self._directory.groups[group].name}",
            id=f"*{group}",
            name=users[user].name,
            by=users[by].name,
            owner="" if owner is None else users[owner].name,
        )
