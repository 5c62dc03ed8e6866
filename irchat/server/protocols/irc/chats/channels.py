"""The chats of a session as channels: their names, members and JOIN lines."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from irchat.chat.state.entities import DirectoryChat, DirectoryGroup, User
from irchat.interfaces.stored import GLOBAL
from irchat.irc.numerics import Numeric
from irchat.irc.reply_lines import Person, names_lines
from irchat.irc.targets import GLOBAL_TARGET, chat_of
from irchat.protocol.rules import GLOBAL_NAME
from irchat.server.protocols.irc.user_lines import user_line

if TYPE_CHECKING:
    from irchat.server.protocols.irc.protocol import IRCProtocol


# The members that are looked at in one millisecond, and the lines about chats or users that are made in it.
_MEMBERS_OF_MS = 400
LINES_OF_MS = 100


def channel_of(group: DirectoryGroup | None) -> str:
    """Return the name of the channel of a group, or of everyone (None)."""
    return GLOBAL_TARGET if group is None else f"#{group.name}"


def chats_of(protocol: "IRCProtocol") -> list[DirectoryChat]:
    """Return the chats of a session that are channels: GLOBAL, and its groups by name."""
    groups = sorted(protocol.user.groups.values(), key=lambda group: group.key)
    return [DirectoryChat(GLOBAL), *(DirectoryChat(group.id, group) for group in groups)]


def find_channel(protocol: "IRCProtocol", target: str) -> DirectoryChat | None:
    """Return the chat that ``target`` names if it is a channel of the user, hidden or not, else None."""
    name = chat_of(target) if target.startswith("#") else None
    if name == GLOBAL_NAME:
        return DirectoryChat(GLOBAL)
    group = None if name is None else protocol.shared.directory.find_group(protocol.user, name[1:])
    return None if group is None else DirectoryChat(group.id, group)


def shown_channel(protocol: "IRCProtocol", target: str) -> str:
    """Return the name of a channel of the user in its first spelling, or ``target`` as typed."""
    chat = find_channel(protocol, target)
    return target if chat is None else channel_of(chat.group)


def members_of(protocol: "IRCProtocol", chat: DirectoryChat) -> Iterator[User]:
    """Return the members of a group, or the users that are online for GLOBAL."""
    if chat.group is not None:
        return iter(chat.group.members.values())
    users = protocol.shared.directory.users
    return (users[user] for user in protocol.shared.services.chat.presence.online)


def count_of(protocol: "IRCProtocol", chat: DirectoryChat) -> int:
    """Return the number of `members_of`, without looking at each."""
    return len(protocol.shared.services.chat.presence.online if chat.group is None else chat.group.members)


def is_in(protocol: "IRCProtocol", chat: DirectoryChat, user: User) -> bool:
    """Return whether a user is one of `members_of`."""
    return user.id in (protocol.shared.services.chat.presence.online if chat.group is None else chat.group.members)


def person_in(protocol: "IRCProtocol", chat: DirectoryChat, user: User) -> Person:
    """Return a user as it shows in a chat."""
    is_owner = chat.group is not None and chat.group.owner is user
    return protocol.shared.person(user)._replace(owner=is_owner)


def names_of(protocol: "IRCProtocol", chat: DirectoryChat) -> bytes:
    """Return 353 and 366."""
    owner = None if chat.group is None else chat.group.owner
    members = list(members_of(protocol, chat))
    protocol.session.charge(len(members) / _MEMBERS_OF_MS)
    if "userhost-in-names" in protocol.caps:
        mask = protocol.shared.mask
        words = [f"@{mask(user)}" if user is owner else mask(user) for user in members]
    else:
        words = [f"@{user.name}" if user is owner else user.name for user in members]
    return names_lines(protocol.lines, protocol.nick, channel_of(chat.group), words)


def join_line(protocol: "IRCProtocol", user: User, channel: str) -> bytes:
    """Return the line that shows that a user is in a channel now."""
    if "extended-join" not in protocol.caps:
        return user_line(protocol, user, "JOIN", channel)
    person = protocol.shared.person(user)
    return user_line(protocol, user, "JOIN", channel, person.account or "*", text=person.realname)


def away_line(protocol: "IRCProtocol", user: User) -> bytes:
    """Return the line that shows a user as away or back."""
    return user_line(protocol, user, "AWAY", text=protocol.shared.person(user).away)


def join_lines(protocol: "IRCProtocol", chat: DirectoryChat, markread: bytes) -> bytes:
    """Return the lines that put the session into a chat, with the line of its read marker."""
    if chat.group is not None:
        protocol.state.owners[chat.group.id] = chat.group.owner.id
    lines = join_line(protocol, protocol.user, channel_of(chat.group)) + markread
    if "no-implicit-names" in protocol.caps or "draft/no-implicit-names" in protocol.caps:
        return lines
    return lines + names_of(protocol, chat)


def not_there(protocol: "IRCProtocol", channel: str, numeric: Numeric = Numeric.ERR_NOSUCHCHANNEL) -> bytes:
    """Return the answer about a channel in which the user is not, whether there is one or not."""
    return protocol.lines.numeric(numeric, protocol.nick, channel)
