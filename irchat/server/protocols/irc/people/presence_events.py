"""Who comes online and goes offline: JOIN and PART of the channel of everyone, AWAY for those in common groups."""

from typing import TYPE_CHECKING

from irchat.interfaces.bus import Publication
from irchat.interfaces.stored import GLOBAL
from irchat.irc.irc_lines import build
from irchat.irc.targets import GLOBAL_TARGET, target_key
from irchat.protocol import events
from irchat.server.protocols.irc.chats.channels import away_line, join_line
from irchat.server.protocols.irc.people.monitoring import watched_changes

if TYPE_CHECKING:
    from irchat.chat.state.entities import User
    from irchat.server.protocols.irc.protocol import IRCProtocol

_GONE = "offline"


def presence(protocol: "IRCProtocol", event: events.Presence, publication: Publication) -> bytes:
    """Return the lines that show a bundle of changes."""
    shared, own = protocol.shared, protocol.user
    came = [user for name in event.online if (user := shared.find_user(name)) is not None and user is not own]
    is_shown = GLOBAL not in protocol.state.hidden_chats
    tells_away = "away-notify" in protocol.caps
    said = []
    for user in came:
        if is_shown:
            said.append(join_line(protocol, user, GLOBAL_TARGET))
        if tells_away and (_share_a_group(protocol, user) or (is_shown and shared.person(user).away is not None)):
            said.append(away_line(protocol, user))
    for name in event.offline:
        if name == own.name:
            continue
        if is_shown:
            said.append(build("PART", GLOBAL_TARGET, source=shared.mask_of_name(name), text=_GONE))
        gone = shared.find_user(name)
        if tells_away and gone is not None and _share_a_group(protocol, gone):
            said.append(away_line(protocol, gone))
    said.append(watched_changes(protocol, map(shared.person, came), event.offline))
    return b"".join(said)


def personas(protocol: "IRCProtocol", event: events.Personas, publication: Publication) -> bytes:
    """Return the lines for those who went away or came back, and for new realnames."""
    said = []
    if "away-notify" in protocol.caps:
        said += [away_line(protocol, user) for name in event.away if (user := _seen(protocol, name)) is not None]
    if "setname" in protocol.caps:
        for name, realname in event.realnames.items():
            if (user := _seen(protocol, name)) is not None:
                said.append(build("SETNAME", source=protocol.shared.mask(user), text=realname))
    return b"".join(said)


def _seen(protocol: "IRCProtocol", name: str) -> "User | None":
    """Return the user called ``name`` if it is in a channel of the session, or watched, else None."""
    user = protocol.shared.find_user(name)
    if user is None or user is protocol.user:
        return None
    is_seen = GLOBAL not in protocol.state.hidden_chats or _share_a_group(protocol, user)
    is_watched = "extended-monitor" in protocol.caps and target_key(name) in protocol.state.watched
    return user if is_seen or is_watched else None


def _share_a_group(protocol: "IRCProtocol", user: "User") -> bool:
    return not protocol.user.groups.keys().isdisjoint(user.groups)
