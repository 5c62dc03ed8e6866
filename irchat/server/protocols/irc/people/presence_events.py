"""Presence: JOIN and PART of the channel of everyone, and AWAY for members of common groups."""

from typing import TYPE_CHECKING

from irchat.interfaces.bus import Publication
from irchat.interfaces.stored import GLOBAL
from irchat.irc.targets import target_key
from irchat.protocol import events
from irchat.server.protocols.irc.chats.channels import away_line
from irchat.server.protocols.irc.people.monitored import watched_changes
from irchat.server.protocols.irc.user_lines import user_line

if TYPE_CHECKING:
    from irchat.chat.state.entities import User
    from irchat.server.protocols.irc.protocol import IRCProtocol


def presence(protocol: "IRCProtocol", event: events.Presence, publication: Publication) -> bytes:
    """Return the lines that show a bundle of changes."""
    own, shared = protocol.user, protocol.shared
    bundle = shared.bundles.of(shared, event)
    if own.name in bundle.names:  # of a session that ends, or begins
        bundle = bundle.without(own.name, shared)
    is_shown = GLOBAL not in protocol.state.hidden_chats
    said = [bundle.everyone(protocol)] if is_shown else []
    if "away-notify" in protocol.caps:
        members = {member for group in own.groups.keys() & bundle.of_group.keys() for member in bundle.of_group[group]}
        said += [away_line(protocol, user) for user, is_told in members if not (is_shown and is_told)]
    if watched := protocol.state.watched.keys():
        came = [shared.person(bundle.online[key]) for key in watched & bundle.online.keys()]
        said.append(watched_changes(protocol, came, [bundle.offline[key] for key in watched & bundle.offline.keys()]))
    return b"".join(said)


def personas(protocol: "IRCProtocol", event: events.Personas, publication: Publication) -> bytes:
    """Return the lines for those who went away or came back, and for new realnames."""
    said = []
    if "away-notify" in protocol.caps:
        said += [away_line(protocol, user) for name in event.away if (user := _seen(protocol, name)) is not None]
    if "setname" in protocol.caps:
        for name, realname in event.realnames.items():
            if (user := _seen(protocol, name)) is not None:
                said.append(user_line(protocol, user, "SETNAME", text=realname))
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
