"""Presence for sessions: the first change is sent at once, further changes together once a second."""

from collections.abc import Sequence

from irchat.protocol.events import Presence
from irchat.server.delivery.change_feed import ChangeFeed


class PresenceFeed(ChangeFeed[str, bool]):
    """Sends which users are online, by name. A name can pass to another account."""

    def event(self, changes: Sequence[tuple[str, bool]]) -> Presence:
        """Return the event of some names, and whether they are online."""
        presence = Presence(online=[], offline=[])
        for name, is_online in changes:
            (presence.online if is_online else presence.offline).append(name)
        return presence

    def changed(self, name: str, is_online: bool) -> None:
        """Note that the user called ``name`` came online or went offline."""
        self.note(name, is_online)
