"""JOIN and INVITE: create a group, show a hidden chat again, add a user to a group."""

from typing import TYPE_CHECKING

from irchat.commands.inquiries import Encoded, Inquiry
from irchat.irc.numerics import Numeric, service_prefix
from irchat.irc.targets import GLOBAL_TARGET, SERVICE, chat_of
from irchat.protocol import events, requests
from irchat.protocol.errors import Code
from irchat.protocol.rules import GLOBAL_NAME
from irchat.server.protocols.irc.calls import Call
from irchat.server.protocols.irc.chats.channels import (
    away_line,
    channel_of,
    find_channel,
    join_line,
    join_lines,
    not_there,
    shown_channel,
)
from irchat.server.protocols.irc.refusals import refused
from irchat.server.protocols.irc.talk import markers

if TYPE_CHECKING:
    from irchat.server.protocols.irc.protocol import IRCProtocol

_CHANNELS_MOST = 100


def join(call: Call) -> None:
    """``JOIN #a,#b``: each in turn. Keys are ignored."""
    names = [name for name in call.params[0].split(",") if name][:_CHANNELS_MOST]
    for name in dict.fromkeys(names):
        _join_one(call, name)


def _join_one(call: Call, name: str) -> None:
    protocol = call.protocol
    chat_name = chat_of(name) if name.startswith("#") else None
    if chat_name is None:
        call.in_turn(lambda: not_there(protocol, name))
    elif find_channel(protocol, name) is not None:

        def shown(event: events.Event) -> bytes:
            return event.data if isinstance(event, Encoded) else b""

        call.ask(Inquiry(read=lambda _: _show(protocol, name)), shown)
    else:

        def created(event: events.Event) -> bytes:
            if isinstance(event, events.Error):
                # An earlier line, or a member, may have made the channel one of the user meanwhile.
                if event.code == Code.GROUP_EXISTS and find_channel(protocol, name) is not None:
                    return b""
                return refused(protocol, "JOIN", event, name)
            chat = find_channel(protocol, name)
            return b"" if chat is None else join_lines(protocol, chat, markers.line(protocol, chat.key))

        call.ask(requests.CreateGroup(name=chat_name[1:], members=[]), created)


async def _show(protocol: "IRCProtocol", name: str) -> Encoded:
    """Show a chat of the user again if it is hidden.

    A client that does not ask for history then gets the latest messages that it was not shown: those that come later
    move the marker of the chat past them.
    """
    await protocol.talk.level()
    chat, read = find_channel(protocol, name), {}
    if chat is not None and chat.key in protocol.state.hidden_chats:
        read = await markers.of_chats(protocol, (chat.key,))
        chat = find_channel(protocol, name)  # it may have ended meanwhile
    if chat is None:
        return Encoded(data=not_there(protocol, name))
    if chat.key not in protocol.state.hidden_chats:
        return Encoded(data=b"")
    unseen = protocol.state.hidden_chats[chat.key]
    protocol.show_chat(chat.key)
    lines = join_lines(protocol, chat, read.get(chat.key, b""))
    if unseen.latest and "draft/chathistory" not in protocol.caps:
        if (older := unseen.count - len(unseen.latest)) > 0:
            label = chat.label(protocol.user).removeprefix("*")
            text = f"{channel_of(chat.group)}: {older} older not shown; /msg {SERVICE} ls {label} <day> shows a day"
            lines += protocol.lines.notices(service_prefix(SERVICE), protocol.nick, [text])
        protocol.session.outbox.send_unseen(chat.key, unseen.latest[0], unseen.latest[-1])
    return Encoded(data=lines)


def invite(call: Call) -> None:
    """``INVITE bob #team`` adds bob at once. Without parameters nothing waits."""
    protocol = call.protocol
    if not call.params:
        call.in_turn(lambda: protocol.lines.numeric(Numeric.RPL_ENDOFINVITELIST, protocol.nick))
        return
    name, channel = call.params[0], call.params[1]
    if chat_of(channel) == GLOBAL_NAME:
        call.in_turn(lambda: _invite_to_global(call, name))
        return

    def added(event: events.Event) -> bytes:
        if isinstance(event, events.Error):
            return refused(protocol, "INVITE", event, name, shown_channel(protocol, channel))
        user = protocol.shared.directory.find_user(name)
        chat = find_channel(protocol, channel)
        if user is None or chat is None:  # removed since
            return b""
        where = channel_of(chat.group)
        lines = protocol.lines.numeric(Numeric.RPL_INVITING, protocol.nick, user.name, where)
        if chat.key not in protocol.state.hidden_chats:
            lines += join_line(protocol, user, where)
            if "away-notify" in protocol.caps and protocol.shared.person(user).away is not None:
                lines += away_line(protocol, user)
        return lines

    group = channel.removeprefix("#")
    call.ask(requests.AddMember(group=group, name=name), added)


def _invite_to_global(call: Call, name: str) -> bytes:
    """Refuse an invitation to the channel of everyone: each online user is in it."""
    protocol = call.protocol
    user = protocol.shared.find_user(name)
    numeric = Numeric.ERR_NOSUCHNICK if user is None else Numeric.ERR_USERONCHANNEL
    context = (name,) if user is None else (user.name, GLOBAL_TARGET)
    return protocol.lines.numeric(numeric, protocol.nick, *context)


HANDLERS = {"JOIN": join, "INVITE": invite}
