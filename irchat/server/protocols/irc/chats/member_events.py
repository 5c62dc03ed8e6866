"""Changes of groups by other sessions, of any protocol, as lines of IRC."""

from typing import TYPE_CHECKING

from irchat.chat.state.entities import DirectoryChat
from irchat.interfaces.bus import Publication
from irchat.protocol import events
from irchat.server.protocols.irc.chats.channels import away_line, join_line, join_lines
from irchat.server.protocols.irc.talk import markers
from irchat.server.protocols.irc.user_lines import user_line

if TYPE_CHECKING:
    from irchat.server.protocols.irc.protocol import IRCProtocol


def added(protocol: "IRCProtocol", event: events.Added, publication: Publication) -> bytes:
    """Return the lines for a new member: INVITE and the burst for the user itself, JOIN for other members."""
    shared = protocol.shared
    group_id, channel = int(event.id[1:]), f"#{event.group[1:]}"
    if protocol.session.outbox.behind:
        protocol.missed_members.note(protocol, group_id, channel, event.name, is_added=True)
        return b""
    invited = user_line(protocol, event.by, "INVITE", event.name, channel)
    if event.name == protocol.user.name:
        group = shared.directory.groups.get(group_id)
        if group is None or group_id not in protocol.user.groups:  # removed again since
            return b""
        protocol.show_chat(group_id)
        chat = DirectoryChat(group_id, group)
        burst = join_lines(protocol, chat, markers.line(protocol, group_id))
        return burst if event.by == event.name else invited + burst
    if group_id in protocol.state.hidden_chats:
        return b""
    lines = invited if "invite-notify" in protocol.caps else b""
    user = shared.find_user(event.name)
    if user is None:
        return b""
    lines += join_line(protocol, user, channel)
    if "away-notify" in protocol.caps and shared.person(user).away is not None:
        lines += away_line(protocol, user)
    return lines


def removed(protocol: "IRCProtocol", event: events.Removed, publication: Publication) -> bytes:
    """Return the lines for a member that left (PART) or was removed (KICK), and for a new owner."""
    group_id, channel = int(event.id[1:]), f"#{event.group[1:]}"
    if protocol.session.outbox.behind:
        protocol.missed_members.note(protocol, group_id, channel, event.name, is_added=False)
        return b""
    is_hidden = group_id in protocol.state.hidden_chats
    is_own = event.name == protocol.user.name
    new_owner = _note_owner(protocol, group_id, event.owner)
    if is_own:
        protocol.forget_chat(group_id)
    if is_hidden:
        return b""
    if event.by == event.name:
        lines = user_line(protocol, event.by, "PART", channel, text=event.reason)
    else:
        lines = user_line(protocol, event.by, "KICK", channel, event.name, text=event.reason or event.by)
    if new_owner and not is_own:
        lines += protocol.lines.line("MODE", channel, "+o", event.owner)
    return lines


def _note_owner(protocol: "IRCProtocol", group_id: int, name: str) -> bool:
    """Note the owner of a group. Return whether the session knows another one."""
    owner = protocol.shared.find_user(name) if name else None
    known = protocol.state.owners.get(group_id)
    if owner is None or known is None:
        return False
    protocol.state.owners[group_id] = owner.id
    return owner.id != known
