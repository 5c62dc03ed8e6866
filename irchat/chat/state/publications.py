"""The publications of each kind of entry, for commits of this node and of others."""

from irchat.chat.state import bans
from irchat.chat.state.directory import Directory
from irchat.chat.state.message_publications import MessagePublications
from irchat.chat.state.presence import Presence
from irchat.chat.state.reasons import Reasons
from irchat.interfaces import writes
from irchat.interfaces.bus import MemberIds, Publication
from irchat.interfaces.stored import Marker, Stored, StoredChange
from irchat.interfaces.writes import Entry
from irchat.protocol import events


class Publications:
    """Creates the publications of entries. ``messages`` creates those of messages, and is also called by changes."""

    def __init__(self, directory: Directory, presence: Presence, reasons: Reasons) -> None:
        self.messages = MessagePublications(directory, presence)
        self._directory = directory
        self._presence = presence
        self._reasons = reasons

    def of(self, entry: Entry, origin: int | None) -> list[Publication]:
        """Return the publications of ``entry`` to all sessions but ``origin``. Call before it is applied."""
        match entry:
            case Entry(writes.MessageAdded() as write, Stored() as stored):
                return self._message(write, stored, origin)
            case Entry(
                (writes.MessageEdited() | writes.MessageDeleted() | writes.MarkSet()) as write,
                StoredChange() as result,
            ):
                return self.messages.amended_anywhere(write, result, origin)
            case Entry(writes.MarksRemoved() as write, tuple() as results):
                return self.messages.marks_removed(write, results)
            case Entry(writes.MarkerMoved() as write, Marker() as marker):
                return self.read(write, marker, origin)
            case Entry(writes.AlertSet() as write):
                return self.alert(write, origin)
            case Entry(writes.PasswordSet() as write) if write.goodbye:
                return [Publication(events.Bye(reason=write.goodbye), (write.user,), origin=origin)]
            case Entry(writes.OtherSignInsEnded() as write):
                return [Publication(events.Bye(reason=write.goodbye), (write.user,), origin=origin)]
            case Entry(writes.SignInEnded() as write) | Entry(writes.KeyRemoved() as write, True):
                return [Publication(events.Bye(reason=write.goodbye), (write.user,), sign_in=write.sign_in)]
            case Entry(writes.SessionsEnded() as write):
                return [Publication(events.Bye(reason=write.goodbye), (write.user,))]
            case Entry(writes.BanSet(ban=ban)) if ban.user is not None:
                return [Publication(events.Bye(reason=bans.notice(ban)), (ban.user,))]
            case Entry(writes.BlockSet() as write):
                return self._block(write, origin)
        return self._of_members(entry, origin)

    def _of_members(self, entry: Entry, origin: int | None) -> list[Publication]:
        """Return the publications of an entry that changes the members of a group."""
        groups = self._directory.groups
        match entry:
            case Entry(writes.GroupCreated() as write, int(group_id)):
                owner = write.members[0]
                return [
                    Publication(self._added(write.name, group_id, user, owner, owner), (user,), origin=origin)
                    for user in write.members
                    if user in self._presence.sessions
                ]
            case Entry(writes.MemberAdded() as write):
                group = groups[write.group]
                added = self._added(group.name, group.id, write.user, write.by, group.owner.id)
                return [Publication(added, MemberIds({*group.members, write.user}), origin=origin)]
            case Entry(writes.MemberRemoved() as write):
                reason = self._reasons.take(write.group, write.user, write.by)
                removed = self._removed(write.group, write.user, write.by, write.owner, reason)
                return [Publication(removed, tuple(groups[write.group].members), origin=origin)]
            case Entry(writes.GroupRemoved() as write):
                (last,) = groups[write.group].members
                reason = self._reasons.take(write.group, last, last)
                return [Publication(self._removed(write.group, last, last, None, reason), (last,), origin=origin)]
            case Entry(writes.UserRemoved() as write):
                return self._user_removed(write)
        return []

    def read(self, write: writes.MarkerMoved, marker: Marker, origin: int | None) -> list[Publication]:
        """Return the publications of a read marker, to the other sessions of its user."""
        chat = self._directory.chat_by_key(write.chat) if self._has_others(write.user, origin) else None
        if chat is None:
            return []
        label = chat.label(self._directory.users[write.user])
        event = events.Read(chat=label, seq=marker.seq if write.shown is None else write.shown)
        return [Publication(event, (write.user,), origin=origin)]

    def alert(self, write: writes.AlertSet, origin: int | None) -> list[Publication]:
        """Return the publications of a setting of a chat, to the other sessions of its user."""
        chat = self._directory.chat_by_key(write.chat) if self._has_others(write.user, origin) else None
        if chat is None:
            return []
        event = events.Alert(chat=chat.label(self._directory.users[write.user]), alert=write.alert)
        return [Publication(event, (write.user,), origin=origin)]

    def _message(self, write: writes.MessageAdded, stored: Stored, origin: int | None) -> list[Publication]:
        publications: list[Publication] = []
        chat = self._directory.chat_by_key(stored.chat)
        if chat is not None:
            sender = self._directory.users[write.sender]
            kind = events.Notice if write.notice else events.Message
            self.messages.added(chat, sender, write.text, stored, origin, publications, kind)
        return publications

    def _block(self, write: writes.BlockSet, origin: int | None) -> list[Publication]:
        if not self._has_others(write.blocker, origin):
            return []
        blocking = self._directory.users[write.blocker].blocking - {write.blocked_user}
        listed = self._directory.listed(blocking | {write.blocked_user} if write.blocked else blocking)
        return [Publication(events.Blocks(names=listed), (write.blocker,), origin=origin)]

    def _user_removed(self, write: writes.UserRemoved) -> list[Publication]:
        publications = []
        for group, owner in write.groups:
            if owner is not None:
                others = tuple(user for user in self._directory.groups[group].members if user != write.user)
                publications.append(Publication(self._removed(group, write.user, write.user, owner), others))
        return [*publications, Publication(events.Bye(reason="your account was removed"), (write.user,))]

    def _has_others(self, user: int, origin: int | None) -> bool:
        """Return whether a user has sessions here other than ``origin``."""
        sessions = self._presence.sessions.get(user, ())
        return len(sessions) > 1 or (len(sessions) == 1 and sessions[0] != origin)

    def _added(self, name: str, group: int, user: int, by: int, owner: int) -> events.Added:
        users = self._directory.users
        return events.Added(
            group=f"*{name}", id=f"*{group}", name=users[user].name, by=users[by].name, owner=users[owner].name
        )

    def _removed(self, group: int, user: int, by: int, owner: int | None, reason: str | None = None) -> events.Removed:
        """Return the event of a removal. ``owner`` is the next owner, or None if the group ends."""
        users = self._directory.users
        return events.Removed(
            group=f"*{self._directory.groups[group].name}",
            id=f"*{group}",
            name=users[user].name,
            by=users[by].name,
            owner="" if owner is None else users[owner].name,
            reason=reason,
        )
