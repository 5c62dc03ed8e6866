"""Refusals as IRC says them: numerics, and FAIL where there is none. Texts that name no command of IRC are replaced."""

from typing import TYPE_CHECKING

from irchat.chat.state.bans import BANNED
from irchat.irc.irc_lines import BadIRCLine
from irchat.irc.numerics import Numeric
from irchat.protocol import events
from irchat.protocol.errors import Code
from irchat.server.protocols.base import SILENT

if TYPE_CHECKING:
    from irchat.server.protocols.irc.protocol import IRCProtocol

_NUMERICS = {
    Code.NO_SUCH_USER: Numeric.ERR_NOSUCHNICK,
    Code.NO_SUCH_GROUP: Numeric.ERR_NOSUCHCHANNEL,
    Code.NO_SUCH_CHAT: Numeric.ERR_NOSUCHCHANNEL,
    Code.GROUP_EXISTS: Numeric.ERR_INVITEONLYCHAN,
    Code.BAD_NAME: Numeric.ERR_ERRONEUSNICKNAME,
    Code.EMPTY_TEXT: Numeric.ERR_NOTEXTTOSEND,
    Code.BAD_REQUEST: Numeric.ERR_NEEDMOREPARAMS,
    Code.NOT_LOGGED_IN: Numeric.ERR_NOTREGISTERED,
    Code.ALREADY_LOGGED_IN: Numeric.ERR_ALREADYREGISTERED,
    Code.BANNED: Numeric.ERR_YOUREBANNEDCREEP,
    Code.ALREADY_A_MEMBER: Numeric.ERR_USERONCHANNEL,
    Code.NOT_A_MEMBER: Numeric.ERR_USERNOTINCHANNEL,
    Code.NOT_THE_OWNER: Numeric.ERR_CHANOPRIVSNEEDED,
    Code.BLOCKED: Numeric.ERR_CANNOTSENDTOUSER,
    Code.YOURSELF: Numeric.ERR_CANNOTSENDTOUSER,
    Code.LINE_TOO_LONG: Numeric.ERR_INPUTTOOLONG,
    Code.INTERNAL: Numeric.ERR_UNKNOWNERROR,
    Code.BAD_CREDENTIALS: Numeric.ERR_PASSWDMISMATCH,
    Code.TOO_MANY_TRIES: Numeric.ERR_PASSWDMISMATCH,
}
_OF_COMMAND = {
    ("JOIN", Code.BAD_NAME): Numeric.ERR_NOSUCHCHANNEL,
    ("JOIN", Code.TOO_MANY): Numeric.ERR_TOOMANYCHANNELS,
    ("PART", Code.NO_SUCH_GROUP): Numeric.ERR_NOTONCHANNEL,
    ("INVITE", Code.NO_SUCH_GROUP): Numeric.ERR_NOTONCHANNEL,
}
_WITHOUT_CONTEXT = frozenset({
    Numeric.ERR_INPUTTOOLONG, Numeric.ERR_NOTEXTTOSEND, Numeric.ERR_NOTREGISTERED, Numeric.ERR_ALREADYREGISTERED,
    Numeric.ERR_YOUREBANNEDCREEP, Numeric.ERR_PASSWDMISMATCH,
})  # fmt: skip
_FAILS = {
    Code.TEXT_TOO_LONG: "TEXT_TOO_LONG",
    Code.BAD_ENCODING: "INVALID_UTF8",
    Code.TOO_MANY: "TOO_MANY",
    Code.UNAVAILABLE: "UNAVAILABLE",
    Code.WEAK_PASSWORD: "WEAK_PASSWORD",
    Code.NO_SUCH_MESSAGE: "UNKNOWN_MSGID",
    Code.NOT_YOURS: "REDACT_FORBIDDEN",
    Code.TOO_LATE: "REDACT_WINDOW_EXPIRED",
}
# The texts of the core for these name the error, and no command.
_OWN_TEXTS = frozenset({Code.BAD_NAME, Code.BANNED, Code.INTERNAL, Code.TOO_MANY_TRIES, Code.TOO_MANY})
_BLOCKED = "There is a block between you and this user"


def refused(protocol: "IRCProtocol", command: str, error: events.Error, *context: str) -> bytes:
    """Return the line that says that ``command`` was refused. ``context``: its target, or user and channel.

    A numeric has as much of it as is usual.
    """
    lines, nick = protocol.lines, protocol.nick
    code = Code(error.code)
    if code in (Code.BLOCKED, Code.YOURSELF) and command == "INVITE":
        return lines.fail(command, "BLOCKED", *context, text=_BLOCKED)
    numeric = _OF_COMMAND.get((command, code)) or _NUMERICS.get(code)
    if numeric is None:
        return lines.fail(command, _FAILS.get(code, code.name), *context, text=error.text)
    if numeric in (Numeric.ERR_NEEDMOREPARAMS, Numeric.ERR_UNKNOWNERROR):
        context = (command,)
    elif numeric in _WITHOUT_CONTEXT:
        context = ()
    elif numeric in (Numeric.ERR_NOSUCHNICK, Numeric.ERR_CANNOTSENDTOUSER):
        context = context[:1]
    elif numeric in (Numeric.ERR_NOTONCHANNEL, Numeric.ERR_CHANOPRIVSNEEDED, Numeric.ERR_NOSUCHCHANNEL):
        context = context[-1:]
    text = error.text if code in _OWN_TEXTS else None
    return lines.numeric(numeric, nick, *context, text=text)


def bad_line(protocol: "IRCProtocol", bad: BadIRCLine) -> bytes:
    """Return the answer to a line that was thrown away."""
    if bad.code == Code.LINE_TOO_LONG:
        return protocol.lines.numeric(Numeric.ERR_INPUTTOOLONG, protocol.nick)
    return protocol.lines.fail(bad.command, "INVALID_UTF8", text="The line is not UTF-8, and was ignored")


def farewell(protocol: "IRCProtocol", bye: events.Bye) -> bytes:
    """Return the last lines of a session."""
    if protocol.last_words is not None:
        return protocol.last_words
    if bye.reason.startswith(BANNED):
        banned = protocol.lines.numeric(Numeric.ERR_YOUREBANNEDCREEP, protocol.nick, text=bye.reason)
        return banned + protocol.lines.error(bye.reason)
    return protocol.lines.error("Ping timeout" if bye.reason == SILENT else bye.reason)
