"""The state machine: it applies committed entries to memory, and derives the events shown to users."""

from collections.abc import Callable

from irchat.chat.state.directory import Directory
from irchat.chat.state.entities import User
from irchat.chat.state.presence import Presence
from irchat.chat.state.publications import Publications
from irchat.chat.timed.timed_messages import TimedMessages
from irchat.interfaces import writes
from irchat.interfaces.bus import Publication
from irchat.interfaces.stored import Snapshot, Stored
from irchat.interfaces.writes import Entry


class StateMachine:
    """Applies entries to the directory, and to the timed messages and presence that depend on it.

    All entries of other nodes are applied, and those of this node that change permissions: its other changes publish
    what they do themselves. ``note_stored`` is called with the sender and place of a message of another node, and
    ``on_network_banned`` after a ban of a network.
    """

    def __init__(
        self,
        directory: Directory,
        timed: TimedMessages,
        presence: Presence,
        publications: Publications,
        note_stored: Callable[[User, Stored], None],
    ) -> None:
        self.on_network_banned: Callable[[], None] = lambda: None
        self._directory = directory
        self._timed = timed
        self._presence = presence
        self._publications = publications
        self._note_stored = note_stored

    def apply(self, entry: Entry, origin: int | None = None) -> list[Publication]:
        """Apply ``entry`` to memory. Return the events to publish to all sessions but ``origin``."""
        publications = self._publications.of(entry, origin)
        match entry:
            case Entry(writes.MessageAdded(sender=sender), Stored() as stored):
                self._note_stored(self._directory.users[sender], stored)
                return publications
            case Entry(writes.UserRemoved(user=user)):
                self._presence.forget(user)  # others know it by its current name
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
            case writes.BanSet(ban=ban) if ban.user is None:
                self.on_network_banned()
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
        self.on_network_banned()
