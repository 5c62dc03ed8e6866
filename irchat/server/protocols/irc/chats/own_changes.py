"""Changes of groups that this session made by a line of the command language, as lines of IRC."""

from typing import TYPE_CHECKING

from irchat.protocol import events, requests
from irchat.server.protocols.irc.chats.channels import channel_of, find_channel, join_line, join_lines, shown_channel
from irchat.server.protocols.irc.talk import markers
from irchat.server.protocols.irc.user_lines import user_line

if TYPE_CHECKING:
    from irchat.server.protocols.irc.protocol import IRCProtocol


def channel_in(protocol: "IRCProtocol", request: requests.Request) -> str:
    """Return the channel from which ``request`` removes a member, as it is called before, or ''."""
    if not isinstance(request, requests.RemoveMember):
        return ""
    return shown_channel(protocol, f"#{request.group.removeprefix('*')}")


def own_change(protocol: "IRCProtocol", request: requests.Request, event: events.Event, left: str) -> bytes:
    """Return the lines for the channels that ``request`` changed, which was answered with ``event``.

    ``left``: the result of `channel_in` before.
    """
    match request, event:
        case requests.CreateGroup(), events.Group(group=group):
            chat = find_channel(protocol, f"#{group[1:]}")
            return b"" if chat is None else join_lines(protocol, chat, markers.line(protocol, chat.key))
        case requests.AddMember(name=name), events.Group(group=group):
            user = protocol.shared.find_user(name)
            channel = _shown(protocol, group)
            return b"" if user is None or channel is None else join_line(protocol, user, channel)
        case requests.RemoveMember(name=name), events.Group(group=group):
            user = protocol.shared.find_user(name)
            channel = _shown(protocol, group)
            if user is None or channel is None:
                return b""
            return user_line(protocol, protocol.user, "KICK", channel, user.name, text=protocol.nick)
        case requests.RemoveMember(), events.Ok():
            for group_id in protocol.state.owners.keys() - protocol.user.groups.keys():
                protocol.forget_chat(group_id)
            return user_line(protocol, protocol.user, "PART", left)
    return b""


def _shown(protocol: "IRCProtocol", group: str) -> str | None:
    """Return the channel of a group of the user, or None if it is hidden."""
    chat = find_channel(protocol, f"#{group[1:]}")
    return None if chat is None or chat.key in protocol.state.hidden_chats else channel_of(chat.group)
