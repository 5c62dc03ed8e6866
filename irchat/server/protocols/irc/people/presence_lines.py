"""JOIN and PART of the channel of everyone, made once for all sessions with the same capabilities."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from irchat.irc.targets import GLOBAL_TARGET
from irchat.protocol import events
from irchat.server.protocols.irc.chats.channels import away_line, join_line
from irchat.server.protocols.irc.user_lines import user_line

if TYPE_CHECKING:
    from irchat.chat.state.entities import User
    from irchat.server.protocols.irc.protocol import IRCProtocol

_GONE = "offline"
# What changes the lines of the channel of everyone.
_CAPS = ("extended-join", "account-tag", "server-time", "message-tags", "away-notify")


class PresenceLines:
    """The lines of the last bundle for the channel of everyone, made once for all sessions with the same `_CAPS`."""

    def __init__(self) -> None:
        self._event: events.Presence | None = None
        self._lines: dict[tuple[bool, ...], bytes] = {}

    def of(self, protocol: "IRCProtocol", event: events.Presence) -> bytes:
        """Return the lines to a session."""
        if event is not self._event:
            self._event, self._lines = event, {}
        key = tuple(cap in protocol.caps for cap in _CAPS)
        lines = self._lines.get(key)
        if lines is None:
            lines = self._lines[key] = self._made(protocol, event)
        return lines

    def _made(self, protocol: "IRCProtocol", event: events.Presence) -> bytes:
        said = []
        for user in known_users(protocol, event.online):
            said.append(join_line(protocol, user, GLOBAL_TARGET))
            if "away-notify" in protocol.caps and protocol.shared.person(user).away is not None:
                said.append(away_line(protocol, user))
        said += [user_line(protocol, name, "PART", GLOBAL_TARGET, text=_GONE) for name in event.offline]
        return b"".join(said)


def known_users(protocol: "IRCProtocol", names: Iterable[str]) -> "list[User]":
    """Return the users with these names, without those that were removed since."""
    return [user for name in names if (user := protocol.shared.find_user(name)) is not None]
