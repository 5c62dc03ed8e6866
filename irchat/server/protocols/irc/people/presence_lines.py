"""A bundle of presence, prepared once for all sessions: in a storm of sign-ins every session gets one a second."""

from typing import TYPE_CHECKING

from irchat.irc.targets import GLOBAL_TARGET, target_key
from irchat.protocol import events
from irchat.server.protocols.irc.chats.channels import away_line, join_line
from irchat.server.protocols.irc.user_lines import user_line

if TYPE_CHECKING:
    from irchat.chat.state.entities import User
    from irchat.server.protocols.irc.irc_shared import IRCShared
    from irchat.server.protocols.irc.protocol import IRCProtocol

_GONE = "offline"
# Capabilities that change the lines about the channel of everyone.
_CAPS = ("extended-join", "account-tag", "server-time", "message-tags", "away-notify")


class Bundle:
    """The changes of a presence event. Users that were removed since are left out of ``online``.

    ``names``: all names. ``online`` and ``offline``: by the key of the name. ``of_group``: the changed users of each
    group, and whether the lines of `everyone` say that they are away.
    """

    def __init__(self, shared: "IRCShared", event: events.Presence) -> None:
        self.event = event
        self.names = frozenset((*event.online, *event.offline))
        found = ((name, shared.find_user(name)) for name in event.online)
        self.online = {target_key(name): user for name, user in found if user is not None}
        self.offline = {target_key(name): name for name in event.offline}
        self.of_group: dict[int, list[tuple[User, bool]]] = {}
        for user in self.online.values():
            self._note_groups(user, shared.person(user).away is not None)
        for name in event.offline:
            gone = shared.find_user(name)
            if gone is not None:
                self._note_groups(gone, False)
        self._lines: dict[tuple[bool, ...], bytes] = {}

    def _note_groups(self, user: "User", is_told: bool) -> None:
        for group in user.groups:
            self.of_group.setdefault(group, []).append((user, is_told))

    def without(self, name: str, shared: "IRCShared") -> "Bundle":
        """Return the bundle without the user of a session itself."""
        online = [one for one in self.event.online if one != name]
        return Bundle(
            shared, events.Presence(online=online, offline=[one for one in self.event.offline if one != name])
        )

    def everyone(self, protocol: "IRCProtocol") -> bytes:
        """Return the lines for the channel of everyone, the same bytes for all sessions with the same `_CAPS`."""
        key = tuple(cap in protocol.caps for cap in _CAPS)
        lines = self._lines.get(key)
        if lines is None:
            lines = self._lines[key] = self._made(protocol)
        return lines

    def _made(self, protocol: "IRCProtocol") -> bytes:
        said = []
        for user in self.online.values():
            said.append(join_line(protocol, user, GLOBAL_TARGET))
            if "away-notify" in protocol.caps and protocol.shared.person(user).away is not None:
                said.append(away_line(protocol, user))
        said += [user_line(protocol, name, "PART", GLOBAL_TARGET, text=_GONE) for name in self.event.offline]
        return b"".join(said)


class Bundles:
    """Keeps the last bundle."""

    def __init__(self) -> None:
        self._last: Bundle | None = None

    def of(self, shared: "IRCShared", event: events.Presence) -> Bundle:
        """Return the bundle of ``event``."""
        if self._last is None or self._last.event is not event:
            self._last = Bundle(shared, event)
        return self._last
