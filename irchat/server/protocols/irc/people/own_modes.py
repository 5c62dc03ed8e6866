"""MODE of a user: ``+B`` marks a bot, ``+i`` is always set."""

from irchat.irc.numerics import Numeric
from irchat.irc.targets import same_target
from irchat.server.protocols.irc.calls import Call


def mode(call: Call) -> None:
    """``MODE alice [+B]``."""
    call.in_turn(lambda: _mode(call))


def _mode(call: Call) -> bytes:
    protocol = call.protocol
    numeric, nick = protocol.lines.numeric, protocol.nick
    if not same_target(call.params[0], nick):
        known = protocol.shared.has_account(call.params[0])
        if not known:
            return numeric(Numeric.ERR_NOSUCHNICK, nick, call.params[0])
        return numeric(Numeric.ERR_USERSDONTMATCH, nick)
    person = protocol.shared.person(protocol.user)
    if len(call.params) == 1:
        return numeric(Numeric.RPL_UMODEIS, nick, "+Bi" if person.bot else "+i")
    sign, is_bot, has_unknown = "+", person.bot, False
    for letter in call.params[1]:
        if letter in "+-":
            sign = letter
        elif letter == "B":
            is_bot = sign == "+"
        elif letter != "i":
            has_unknown = True
    lines = b""
    if is_bot != person.bot:
        protocol.shared.set_persona(protocol, is_bot=is_bot)
        lines = protocol.lines.line("MODE", nick, "+B" if is_bot else "-B")
    return lines + numeric(Numeric.ERR_UMODEUNKNOWNFLAG, nick) if has_unknown else lines
