"""The lines that welcome a client: 001 to 005, LUSERS, and the message of the day."""

from typing import TYPE_CHECKING

from irchat import __version__
from irchat.irc.irc_lines import cut
from irchat.irc.isupport import isupport_lines
from irchat.irc.numerics import Numeric
from irchat.system.clock import rfc3339

if TYPE_CHECKING:
    from irchat.server.protocols.irc.protocol import IRCProtocol

VERSION = f"IRChat-{__version__}"
_USER_MODES = "Bi"
_CHANNEL_MODES = "ino"


def welcome_lines(protocol: "IRCProtocol") -> bytes:
    """Return all of them, to a client that has registered, whether it is signed in or waits."""
    lines, nick, shared = protocol.lines, protocol.nick, protocol.shared
    return b"".join((
        lines.numeric(Numeric.RPL_WELCOME, nick, text=f"Welcome to {shared.network}, {nick}"),
        lines.numeric(Numeric.RPL_YOURHOST, nick, text=f"Your host is {lines.name}, running {VERSION}"),
        lines.numeric(Numeric.RPL_CREATED, nick, text=f"This server was started at {rfc3339(shared.began_ms)}"),
        lines.numeric(Numeric.RPL_MYINFO, nick, lines.name, VERSION, _USER_MODES, _CHANNEL_MODES),
        isupport_lines(lines, nick, shared.network),
        lusers_lines(protocol),
        motd_lines(protocol),
    ))  # fmt: skip


def lusers_lines(protocol: "IRCProtocol") -> bytes:
    """Return 251 to 266: users online, and connections that have not signed in."""
    lines, nick, services = protocol.lines, protocol.nick, protocol.shared.services
    online = len(services.chat.presence.online)
    waiting = services.admission.pending
    channels = 1 + (len(protocol.user.groups) if protocol.is_signed_in else 0)
    protocol.shared.online_most = max(online, protocol.shared.online_most)
    counts = str(online), str(protocol.shared.online_most)
    of_users = f"Current users {counts[0]}, max {counts[1]}"
    return b"".join((
        lines.numeric(Numeric.RPL_LUSERCLIENT, nick, text=f"There are {online} users and 0 invisible on 1 servers"),
        lines.numeric(Numeric.RPL_LUSEROP, nick, "0"),
        lines.numeric(Numeric.RPL_LUSERUNKNOWN, nick, str(waiting)),
        lines.numeric(Numeric.RPL_LUSERCHANNELS, nick, str(channels)),
        lines.numeric(Numeric.RPL_LUSERME, nick, text=f"I have {online} clients and 0 servers"),
        lines.numeric(Numeric.RPL_LOCALUSERS, nick, *counts, text=of_users),
        lines.numeric(Numeric.RPL_GLOBALUSERS, nick, *counts, text=of_users),
    ))  # fmt: skip


def motd_lines(protocol: "IRCProtocol") -> bytes:
    """Return the message of the day, or that there is none."""
    numeric, nick, motd = protocol.lines.numeric, protocol.nick, protocol.shared.motd
    if not motd:
        return numeric(Numeric.ERR_NOMOTD, nick)
    lines = [piece for line in motd.splitlines() for piece in cut(line)]
    return b"".join((
        numeric(Numeric.RPL_MOTDSTART, nick, text=f"- {protocol.lines.name} Message of the day -"),
        *(numeric(Numeric.RPL_MOTD, nick, text=f"- {line}") for line in lines),
        numeric(Numeric.RPL_ENDOFMOTD, nick),
    ))  # fmt: skip
