"""The commands about the server itself: PING, QUIT, MOTD, VERSION, ADMIN, STATS, OPER and others."""

from irchat.irc.irc_lines import REASON_LENGTH
from irchat.irc.isupport import isupport_lines
from irchat.irc.numerics import Numeric
from irchat.protocol import events, requests
from irchat.protocol.rules import visible
from irchat.server.protocols.irc.calls import Call
from irchat.server.protocols.irc.entering.welcome_lines import VERSION, lusers_lines, motd_lines
from irchat.system.clock import rfc3339

_ABOUT = (
    "IRChat: one nick is one account, and all that is said is stored.",
    "#global is everyone. /join #name creates a group, /invite adds to it.",
    "/msg *irchat !help shows what IRC has no word for.",
)


def ping(call: Call) -> None:
    """``PING token``, answered after the messages before it."""
    protocol = call.protocol
    if not call.params[0]:
        call.say(protocol.lines.numeric(Numeric.ERR_NOORIGIN, protocol.nick))
    else:
        call.say(protocol.lines.line("PONG", protocol.lines.name, text=call.params[0]))


def pong(call: Call) -> None:
    """Any line answers the keepalive."""


def quit_session(call: Call) -> None:
    """``QUIT :why``: end the session. Others are not told the reason."""
    reason = visible(call.line.param(0)[:REASON_LENGTH])
    call.label = None  # there is nobody left to wait for the end of the answer

    def ended(event: events.Event) -> bytes:
        if isinstance(event, events.Error):
            return b""
        return call.protocol.lines.error(f"Quit: {reason}" if reason else "Quit")

    call.ask(requests.Logout(), ended)


def motd(call: Call) -> None:
    """The message of the day, if there is one."""
    call.in_turn(lambda: motd_lines(call.protocol))


def lusers(call: Call) -> None:
    """The numbers of users and of connections that have not signed in."""
    call.in_turn(lambda: lusers_lines(call.protocol))


def isupport(call: Call) -> None:
    """The tokens of 005 again, in a batch for clients that know it."""

    def answer() -> bytes:
        protocol = call.protocol
        inner = isupport_lines(protocol.lines, protocol.nick, protocol.shared.network)
        has_batch = "batch" in protocol.caps and "draft/extended-isupport" in protocol.caps
        return protocol.batches.batch("draft/isupport", inner=inner) if has_batch else inner

    call.in_turn(answer)


def version(call: Call) -> None:
    """The version of the server, and the tokens of 005."""
    protocol = call.protocol
    lines, nick = protocol.lines, protocol.nick
    said = lines.numeric(Numeric.RPL_VERSION, nick, VERSION, lines.name, text=protocol.shared.network)
    call.say(said + isupport_lines(lines, nick, protocol.shared.network))


def time(call: Call) -> None:
    """The time of the server, in UTC."""
    protocol = call.protocol
    now = rfc3339(protocol.shared.wall_ms())
    call.say(protocol.lines.numeric(Numeric.RPL_TIME, protocol.nick, protocol.lines.name, text=now))


def info(call: Call) -> None:
    """Some lines about this server."""
    lines, nick = call.protocol.lines, call.protocol.nick
    said = b"".join(lines.numeric(Numeric.RPL_INFO, nick, text=text) for text in (VERSION, *_ABOUT))
    call.say(said + lines.numeric(Numeric.RPL_ENDOFINFO, nick))


def admin(call: Call) -> None:
    """Whom to ask: the administrators are named on the server, and not told to strangers."""
    lines, nick, network = call.protocol.lines, call.protocol.nick, call.protocol.shared.network
    call.say(
        lines.numeric(Numeric.RPL_ADMINME, nick, lines.name, text=f"Administrative info about {network}")
        + lines.numeric(Numeric.RPL_ADMINLOC1, nick, text=network)
        + lines.numeric(Numeric.RPL_ADMINLOC2, nick, text="The administrators are named on the server")
        + lines.numeric(Numeric.RPL_ADMINEMAIL, nick, text="Ask whoever gave you the address of this server")
    )


def links(call: Call) -> None:
    """One server."""
    lines, nick, network = call.protocol.lines, call.protocol.nick, call.protocol.shared.network
    call.say(
        lines.numeric(Numeric.RPL_LINKS, nick, lines.name, lines.name, text=f"0 {network}")
        + lines.numeric(Numeric.RPL_ENDOFLINKS, nick, "*")
    )


def stats(call: Call) -> None:
    """Answer STATS without figures: those are for the administrator (``--metrics-port``)."""
    letter = call.line.param(0)[:1] or "*"
    call.say(call.protocol.lines.numeric(Numeric.RPL_ENDOFSTATS, call.protocol.nick, letter))


def oper(call: Call) -> None:
    """Administrators are named on the server."""
    call.say(call.protocol.lines.numeric(Numeric.ERR_NOOPERHOST, call.protocol.nick))


def not_permitted(call: Call) -> None:
    """Refuse what operators may do on other servers."""
    call.say(call.protocol.lines.numeric(Numeric.ERR_NOPRIVILEGES, call.protocol.nick))


HANDLERS = {
    "PING": ping,
    "PONG": pong,
    "QUIT": quit_session,
    "MOTD": motd,
    "LUSERS": lusers,
    "ISUPPORT": isupport,
    "VERSION": version,
    "TIME": time,
    "INFO": info,
    "ADMIN": admin,
    "LINKS": links,
    "STATS": stats,
    "OPER": oper,
    "KILL": not_permitted,
    "WALLOPS": not_permitted,
}
