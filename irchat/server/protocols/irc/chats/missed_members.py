"""Changes of groups while a session is behind. Afterwards it gets the difference to the members that it knows."""

from typing import TYPE_CHECKING

from msgspec import Struct, field

from irchat.chat.state.entities import DirectoryChat
from irchat.server.protocols.irc.chats.channels import join_line, join_lines
from irchat.server.protocols.irc.talk import markers
from irchat.server.protocols.irc.user_lines import user_line

if TYPE_CHECKING:
    from irchat.server.protocols.irc.protocol import IRCProtocol


class _Told(Struct):
    """The members of a group that the client knows. ``seen``: those of whom an event was held back."""

    channel: str
    members: set[int]
    seen: set[int] = field(default_factory=set)


class MissedMembers:
    """The groups that changed while the session was behind."""

    def __init__(self) -> None:
        self._told: dict[int, _Told] = {}

    def note(self, protocol: "IRCProtocol", group_id: int, channel: str, name: str, *, is_added: bool) -> None:
        """Note that a user was added to a group, or removed from it, which the client is not told now."""
        told = self._told.get(group_id)
        if told is None:
            group = protocol.shared.directory.groups.get(group_id)
            told = self._told[group_id] = _Told(channel, set() if group is None else set(group.members))
        user = protocol.shared.find_user(name)
        if user is not None and user.id not in told.seen:
            # The directory is ahead of the events: undo the first one of each user.
            told.seen.add(user.id)
            (told.members.discard if is_added else told.members.add)(user.id)

    def forget(self) -> None:
        """Note that the client is sent the members of all groups now."""
        self._told.clear()

    def lines(self, protocol: "IRCProtocol") -> bytes:
        """Return the lines for the differences, and forget them."""
        told, self._told = self._told, {}
        return b"".join(_difference(protocol, group_id, of_group) for group_id, of_group in told.items())


def _difference(protocol: "IRCProtocol", group_id: int, told: _Told) -> bytes:
    own, users = protocol.user, protocol.shared.directory.users
    group = own.groups.get(group_id)
    was_in = own.id in told.members
    if group is None:
        was_hidden = group_id in protocol.state.hidden_chats
        protocol.forget_chat(group_id)
        return user_line(protocol, own, "PART", told.channel) if was_in and not was_hidden else b""
    if not was_in:
        protocol.show_chat(group_id)
        return join_lines(protocol, DirectoryChat(group_id, group), markers.line(protocol, group_id))
    if group_id in protocol.state.hidden_chats:
        return b""
    gone = [users[user] for user in told.members - group.members.keys() if user in users]
    lines = [user_line(protocol, user, "PART", told.channel) for user in gone]
    lines += [join_line(protocol, group.members[user], told.channel) for user in group.members.keys() - told.members]
    if protocol.state.owners.get(group_id, group.owner.id) != group.owner.id:
        protocol.state.owners[group_id] = group.owner.id
        lines.append(protocol.lines.line("MODE", told.channel, "+o", group.owner.name))
    return b"".join(lines)
