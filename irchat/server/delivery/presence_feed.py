"""Presence for sessions: the first change is sent at once, further changes together once a second."""

from collections.abc import Callable, Sequence

from twisted.internet.interfaces import IReactorTime

from irchat.protocol.events import Presence
from irchat.server.delivery.change_feed import ChangeFeed
from irchat.server.delivery.delivery import Delivery


class PresenceFeed(ChangeFeed[str, bool]):
    """Sends which users are online, by name. A name can pass to another account.

    ``on_change``: called with each change at once.
    """

    def __init__(self, clock: IReactorTime, delivery: Delivery) -> None:
        super().__init__(clock, delivery)
        self.on_change: Callable[[str, bool], None] = _ignore

    def event(self, changes: Sequence[tuple[str, bool]]) -> Presence:
        """Return the event of some names, and whether they are online."""
        presence = Presence(online=[], offline=[])
        for name, is_online in changes:
            (presence.online if is_online else presence.offline).append(name)
        return presence

    def changed(self, name: str, is_online: bool) -> None:
        """Note that the user called ``name`` came online or went offline."""
        self.note(name, is_online)
        self.on_change(name, is_online)


def _ignore(name: str, is_online: bool) -> None:
    """Do nothing."""
