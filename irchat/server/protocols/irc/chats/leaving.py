"""PART and KICK: hide a chat from the session, leave a group, remove members."""

from irchat.interfaces.stored import GLOBAL
from irchat.irc.irc_lines import REASON_LENGTH
from irchat.irc.isupport import TARGETS_MOST
from irchat.irc.numerics import Numeric, service_prefix
from irchat.irc.targets import SERVICE, chat_of
from irchat.protocol import events, requests
from irchat.protocol.rules import GLOBAL_NAME, visible
from irchat.server.protocols.irc.calls import Call
from irchat.server.protocols.irc.chats.channels import channel_of, find_channel, not_there, shown_channel
from irchat.server.protocols.irc.refusals import refused
from irchat.server.protocols.irc.user_lines import user_line

_LEAVE = "leave"
_CHANNELS_MOST = 100


def part(call: Call) -> None:
    """``PART #team`` hides it from this session. ``PART #team :leave`` leaves it."""
    reason = call.line.param(1)
    for name in dict.fromkeys([name for name in call.params[0].split(",") if name][:_CHANNELS_MOST]):
        if reason.strip().lower() == _LEAVE and chat_of(name) != GLOBAL_NAME:
            _leave(call, name)
        else:
            _hide(call, name, reason)


def _hide(call: Call, name: str, reason: str) -> None:
    protocol = call.protocol

    def hidden() -> bytes:
        chat = find_channel(protocol, name)
        if chat is None or chat.key in protocol.state.hidden_chats:
            return not_there(protocol, name, Numeric.ERR_NOTONCHANNEL)
        channel = channel_of(chat.group)
        protocol.hide_chat(chat.key)
        gone = user_line(protocol, protocol.user, "PART", channel, text=reason or None)
        if chat.key == GLOBAL:
            note = f"{channel} is hidden in this session. /join {channel} shows it again."
        else:
            note = (
                f"{channel} is hidden in this session; you are still in it. /join {channel} shows it again. To leave it"
                f" for good: /part {channel} {_LEAVE}, or /msg {SERVICE} -{protocol.nick} {channel[1:]}"
            )
        return gone + protocol.lines.notices(service_prefix(SERVICE), protocol.nick, [note])

    call.in_turn(hidden)


def _leave(call: Call, name: str) -> None:
    protocol = call.protocol
    channel, chat = shown_channel(protocol, name), find_channel(protocol, name)

    def left(event: events.Event) -> bytes:
        if isinstance(event, events.Error):
            return refused(protocol, "PART", event, channel)
        if chat is not None:
            protocol.forget_chat(chat.key)
        return user_line(protocol, protocol.user, "PART", channel, text=_LEAVE)

    if not name.startswith("#"):
        call.in_turn(lambda: not_there(protocol, name, Numeric.ERR_NOTONCHANNEL))
    else:
        call.ask(requests.RemoveMember(group=name[1:], name=protocol.nick), left)


def kick(call: Call) -> None:
    """``KICK #team bob,carol :why`` removes members."""
    reason = visible(call.line.param(2)[:REASON_LENGTH])
    channels = call.params[0].split(",")
    users = [one for one in call.params[1].split(",") if one][:TARGETS_MOST]
    if len(channels) == 1:  # else one user of each, as RFC 2812 has it
        channels *= len(users)
    for name, kicked in zip(channels, users, strict=False):
        _kick_one(call, name, kicked, reason)


def _kick_one(call: Call, name: str, kicked: str, reason: str) -> None:
    protocol = call.protocol
    channel, chat = shown_channel(protocol, name), find_channel(protocol, name)

    def removed(event: events.Event) -> bytes:
        if isinstance(event, events.Error):
            return refused(protocol, "KICK", event, kicked, channel)
        user = protocol.shared.find_user(kicked)
        if chat is not None and user is protocol.user:
            protocol.forget_chat(chat.key)
        nick = kicked if user is None else user.name
        return user_line(protocol, protocol.user, "KICK", channel, nick, text=reason or protocol.nick)

    if chat_of(name) == GLOBAL_NAME:
        call.in_turn(lambda: not_there(protocol, channel, Numeric.ERR_CHANOPRIVSNEEDED))
    elif not name.startswith("#"):
        call.in_turn(lambda: not_there(protocol, name))
    else:
        call.ask(requests.RemoveMember(group=name[1:], name=kicked, reason=reason or None), removed)


HANDLERS = {"PART": part, "KICK": kick}
