"""MODE, TOPIC, NAMES and LIST of channels."""

from irchat.irc.numerics import Numeric
from irchat.irc.targets import Mask, is_channel
from irchat.server.protocols.irc.calls import Call
from irchat.server.protocols.irc.chats.channels import (
    LINES_OF_MS,
    channel_of,
    chats_of,
    count_of,
    find_channel,
    is_in,
    names_of,
    not_there,
)
from irchat.server.protocols.irc.people import own_modes

_LISTS = {
    "b": Numeric.RPL_ENDOFBANLIST,
    "e": Numeric.RPL_ENDOFEXCEPTLIST,
    "I": Numeric.RPL_ENDOFINVEXLIST,
}
_ALWAYS_SET = frozenset("ins")
# The usual modes of channels, which groups do not have.
_KNOWN = frozenset("ovbeIklmtrspqahCcMRSTUf")
_NO_MODES = "Channels have no modes to change here, and nobody can be an operator but the owner of a group"
_NO_TOPIC = "Channels have no topics here"


def mode(call: Call) -> None:
    """``MODE #team`` shows its modes, which cannot be changed. ``MODE alice``: those of the user."""
    if not is_channel(call.params[0]):
        own_modes.mode(call)
        return
    call.in_turn(lambda: _mode(call))


def _mode(call: Call) -> bytes:
    protocol = call.protocol
    name, changes, *arguments = [*call.params, ""] if len(call.params) == 1 else call.params
    chat = find_channel(protocol, name)
    if chat is None:
        return not_there(protocol, name)
    channel = channel_of(chat.group)
    if not changes:
        modes = "+n" if chat.group is None else "+ins"
        since = str(protocol.shared.began_ms // 1_000)
        numeric, nick = protocol.lines.numeric, protocol.nick
        return numeric(Numeric.RPL_CHANNELMODEIS, nick, channel, modes) + numeric(
            Numeric.RPL_CREATIONTIME, nick, channel, since
        )
    letter = changes.lstrip("+-")[:1]
    if letter in _LISTS and not arguments:
        return protocol.lines.numeric(_LISTS[letter], protocol.nick, channel)
    return _refuse_change(call, channel, changes, arguments)


def _refuse_change(call: Call, channel: str, changes: str, arguments: list[str]) -> bytes:
    """Answer MODE. To set a mode that is always set has no answer. An error of the user of ``+o`` comes first."""
    protocol = call.protocol
    letters = changes.replace("+", "").replace("-", "")
    unknown = next((letter for letter in letters if letter not in _KNOWN | _ALWAYS_SET), None)
    if unknown is not None:
        return protocol.lines.numeric(Numeric.ERR_UNKNOWNMODE, protocol.nick, unknown)
    if "-" not in changes and _ALWAYS_SET.issuperset(letters):
        return b""
    if letters[:1] in ("o", "v") and arguments:
        user = protocol.shared.find_user(arguments[0])
        if user is None:
            return protocol.lines.numeric(Numeric.ERR_NOSUCHNICK, protocol.nick, arguments[0])
        chat = find_channel(protocol, channel)
        if chat is not None and not is_in(protocol, chat, user):
            return protocol.lines.numeric(Numeric.ERR_USERNOTINCHANNEL, protocol.nick, user.name, channel)
    return protocol.lines.numeric(Numeric.ERR_CHANOPRIVSNEEDED, protocol.nick, channel, text=_NO_MODES)


def topic(call: Call) -> None:
    """``TOPIC #team``: there is none, and none can be set."""

    def answer() -> bytes:
        chat = find_channel(call.protocol, call.params[0])
        if chat is None:
            return not_there(call.protocol, call.params[0])
        numeric, nick, channel = call.protocol.lines.numeric, call.protocol.nick, channel_of(chat.group)
        if len(call.params) == 1:
            return numeric(Numeric.RPL_NOTOPIC, nick, channel)
        return numeric(Numeric.ERR_CHANOPRIVSNEEDED, nick, channel, text=_NO_TOPIC)

    call.in_turn(answer)


def names(call: Call) -> None:
    """``NAMES #team``: its members."""

    def answer() -> bytes:
        protocol = call.protocol
        target = call.params[0].split(",")[0] if call.params else "*"
        chat = find_channel(protocol, target)
        if chat is None:
            return protocol.lines.numeric(Numeric.RPL_ENDOFNAMES, protocol.nick, target)
        return names_of(protocol, chat)

    call.in_turn(answer)


def list_channels(call: Call) -> None:
    """``LIST [masks]``: everyone and the groups of the user."""

    def answer() -> bytes:
        protocol = call.protocol
        masks = [Mask(mask) for mask in call.params[0].split(",")[:20]] if call.params else [Mask("*")]
        numeric, nick = protocol.lines.numeric, protocol.nick
        chats = chats_of(protocol)
        protocol.session.charge(len(chats) * len(masks) / LINES_OF_MS)
        rows = b"".join(
            numeric(Numeric.RPL_LIST, nick, name, str(count_of(protocol, chat)), text="")
            for chat in chats
            if any(mask.matches(name := channel_of(chat.group)) for mask in masks)
        )
        return numeric(Numeric.RPL_LISTSTART, nick, "Channel") + rows + numeric(Numeric.RPL_LISTEND, nick)

    call.in_turn(answer)


HANDLERS = {"MODE": mode, "TOPIC": topic, "NAMES": names, "LIST": list_channels}
