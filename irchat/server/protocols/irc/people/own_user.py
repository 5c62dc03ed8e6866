"""The commands of a user about itself: NICK, AWAY, SETNAME, and SILENCE, which sets blocks."""

from irchat.irc.irc_lines import REASON_LENGTH
from irchat.irc.numerics import Numeric, service_prefix
from irchat.irc.targets import SERVICE, clean_realname, nick_of_mask, same_target
from irchat.protocol import events, requests
from irchat.protocol.rules import visible
from irchat.server.protocols.irc.calls import Call
from irchat.server.protocols.irc.chats.channels import LINES_OF_MS
from irchat.server.protocols.irc.refusals import refused
from irchat.server.protocols.irc.user_lines import user_line

_BLOCKED = "{name} is blocked: neither of you sees what the other writes. SILENCE -{name} lifts the block"
_NOT_BLOCKED = "You do not block {name}"


def nick(call: Call) -> None:
    """The nick is the account: it does not change."""
    protocol, name = call.protocol, call.params[0]
    if not name:
        call.say(protocol.lines.numeric(Numeric.ERR_NONICKNAMEGIVEN, protocol.nick))
    elif same_target(name, protocol.nick):
        call.say(b"")
    elif protocol.shared.has_account(name):
        call.say(protocol.lines.numeric(Numeric.ERR_NICKNAMEINUSE, protocol.nick, name))
    else:
        call.say(protocol.lines.numeric(Numeric.ERR_NONICKCHANGE, protocol.nick))


def away(call: Call) -> None:
    """``AWAY :text`` of this session, ``AWAY`` when it is back."""
    protocol = call.protocol
    text = visible(call.line.param(0)[:REASON_LENGTH]).replace("\n", " ")

    def answer() -> bytes:
        protocol.set_away(text or None)
        return protocol.lines.numeric(Numeric.RPL_NOWAWAY if text else Numeric.RPL_UNAWAY, protocol.nick)

    call.in_turn(answer)


def setname(call: Call) -> None:
    """``SETNAME :Alice Smith``."""
    protocol = call.protocol
    realname = clean_realname(call.params[0])
    if not realname.strip():
        call.say(protocol.lines.fail("SETNAME", "INVALID_REALNAME", text="That is no name"))
        return

    def answer() -> bytes:
        protocol.shared.set_persona(protocol, realname=realname)
        if "setname" not in protocol.caps:
            return b""
        return user_line(protocol, protocol.user, "SETNAME", text=realname)

    call.in_turn(answer)


def silence(call: Call) -> None:
    """``SILENCE +bob`` blocks, ``-bob`` lifts the block, none lists."""
    protocol = call.protocol
    given = call.line.param(0)
    numeric = protocol.lines.numeric
    if not given or given[0] not in "+-":
        name = nick_of_mask(given)

        def listed() -> bytes:
            blocked = protocol.shared.directory.listed(protocol.user.blocking)
            if given and not same_target(name, protocol.nick):
                blocked = []  # only one's own list is shown
            protocol.session.charge(len(blocked) / LINES_OF_MS)
            rows = (numeric(Numeric.RPL_SILELIST, protocol.nick, protocol.nick, f"{one}!*@*") for one in blocked)
            return b"".join(rows) + numeric(Numeric.RPL_ENDOFSILELIST, protocol.nick)

        call.in_turn(listed)
        return
    sign, name = given[0], nick_of_mask(given[1:])

    def changed(event: events.Event) -> bytes:
        if isinstance(event, events.Error):
            return refused(protocol, "SILENCE", event, name)
        user = protocol.shared.find_user(name)
        shown = name if user is None else user.name
        text = _BLOCKED if sign == "+" else _NOT_BLOCKED
        return protocol.lines.notices(service_prefix(SERVICE), protocol.nick, [text.format(name=shown)])

    call.ask(requests.Block(name=name, blocked=sign == "+"), changed)


HANDLERS = {"NICK": nick, "AWAY": away, "SETNAME": setname, "SILENCE": silence}
