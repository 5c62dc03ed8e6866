"""The commands of IRC: the fewest parameters of each, and its treatment before and after the sign-in."""

from enum import Enum
from typing import NamedTuple

from irchat.irc.irc_lines import Line
from irchat.irc.numerics import Numeric, ServerLines


class Phase(Enum):
    """The phase of a session: before ``NICK``, ``USER`` and ``CAP END``; in the waiting room; signed in."""

    BEFORE = "before"
    WAITING = "waiting"
    SIGNED_IN = "signed in"


class Treatment(Enum):
    """The treatment of a command: it runs, it is ignored without an answer, or it is refused."""

    RUN = "run"
    SWALLOW = "swallow"
    REFUSE = "refuse"


class CommandSpec(NamedTuple):
    """A command. ``fewest``: parameters without which it is refused. ``before``: it runs before registration.

    ``or_none``: it may have no parameters as well. ``lacking``: the numeric for too few parameters, or None if the line
    is then ignored.
    """

    name: str
    fewest: int = 0
    before: bool = False
    waiting: Treatment = Treatment.REFUSE
    lacking: Numeric | None = Numeric.ERR_NEEDMOREPARAMS
    or_none: bool = False


class Verdict(NamedTuple):
    """Whether to run a command. If not, ``refusal`` is the answer, which is empty if the line is swallowed."""

    runs: bool
    refusal: bytes = b""


_RUN, _SWALLOW = Treatment.RUN, Treatment.SWALLOW

_COMMANDS = (
    # The sign-in.
    CommandSpec("CAP", 1, before=True, waiting=_RUN),
    CommandSpec("NICK", 1, before=True, waiting=_RUN, lacking=Numeric.ERR_NONICKNAMEGIVEN),
    CommandSpec("USER", 4, before=True, waiting=_RUN),
    CommandSpec("PASS", 1, before=True, waiting=_RUN),
    CommandSpec("AUTHENTICATE", 1, before=True, waiting=_RUN),
    CommandSpec("REGISTER", 3, before=True, waiting=_RUN),
    CommandSpec("VERIFY", 2, before=True, waiting=_RUN),
    CommandSpec("PING", 1, before=True, waiting=_RUN),
    CommandSpec("PONG", before=True, waiting=_RUN),
    CommandSpec("QUIT", before=True, waiting=_RUN),
    # The server.
    CommandSpec("ISUPPORT", before=True, waiting=_RUN),
    CommandSpec("MOTD", waiting=_RUN),
    CommandSpec("LUSERS", waiting=_RUN),
    CommandSpec("VERSION", waiting=_RUN),
    CommandSpec("TIME", waiting=_RUN),
    CommandSpec("INFO", waiting=_RUN),
    CommandSpec("ADMIN", waiting=_RUN),
    CommandSpec("HELP", waiting=_RUN),
    CommandSpec("HELPOP", waiting=_RUN),
    CommandSpec("LINKS"),
    CommandSpec("STATS"),
    CommandSpec("OPER", 2),
    CommandSpec("KILL", 1),
    CommandSpec("WALLOPS", 1),
    # Chats.
    CommandSpec("JOIN", 1),
    CommandSpec("PART", 1),
    CommandSpec("INVITE", 2, or_none=True),
    CommandSpec("KICK", 2),
    CommandSpec("MODE", 1, waiting=_SWALLOW),
    CommandSpec("TOPIC", 1),
    CommandSpec("NAMES"),
    CommandSpec("LIST"),
    # Messages.
    CommandSpec("PRIVMSG", 2, waiting=_RUN),
    CommandSpec("NOTICE", 2, waiting=_SWALLOW, lacking=None),
    CommandSpec("TAGMSG", 1, waiting=_SWALLOW),
    CommandSpec("BATCH", 1),
    CommandSpec("REDACT", 2),
    CommandSpec("CHATHISTORY"),
    CommandSpec("MARKREAD"),
    CommandSpec("SEARCH"),
    CommandSpec("NICKSERV", waiting=_RUN),
    CommandSpec("NS", waiting=_RUN),
    # People.
    CommandSpec("AWAY", before=True, waiting=_RUN),
    CommandSpec("SETNAME", 1),
    CommandSpec("WHO", 1, waiting=_SWALLOW),
    CommandSpec("WHOIS", 1, lacking=Numeric.ERR_NONICKNAMEGIVEN),
    CommandSpec("WHOWAS", 1, lacking=Numeric.ERR_NONICKNAMEGIVEN),
    CommandSpec("MONITOR", 1, waiting=_SWALLOW),
    CommandSpec("ISON", 1, waiting=_SWALLOW),
    CommandSpec("USERHOST", 1, waiting=_SWALLOW),
    CommandSpec("SILENCE"),
)

COMMANDS: dict[str, CommandSpec] = {spec.name: spec for spec in _COMMANDS}
"""The commands by name. Any other is ``421``."""


def check(line: Line, phase: Phase, nick: str, lines: ServerLines) -> Verdict:
    """Return whether a line may run in a phase. ``nick``: that of the session, or ``*`` before its registration."""
    spec = COMMANDS.get(line.command)
    if phase is Phase.BEFORE and (spec is None or not spec.before):
        return Verdict(False, lines.numeric(Numeric.ERR_NOTREGISTERED, nick))
    if phase is Phase.WAITING and (spec is None or spec.waiting is not Treatment.RUN):
        is_ignored = spec is not None and spec.waiting is Treatment.SWALLOW
        return Verdict(False, b"" if is_ignored else _sign_in_first(line, nick, lines))
    if spec is None:
        return Verdict(False, lines.numeric(Numeric.ERR_UNKNOWNCOMMAND, nick, line.command))
    if len(line.params) >= spec.fewest or (spec.or_none and not line.params):
        return Verdict(True)
    return Verdict(False, b"" if spec.lacking is None else _lacking(line, spec.lacking, nick, lines))


def _sign_in_first(line: Line, nick: str, lines: ServerLines) -> bytes:
    return lines.numeric(Numeric.ERR_NEEDREGGEDNICK, nick, line.param(0, line.command))


def _lacking(line: Line, numeric: Numeric, nick: str, lines: ServerLines) -> bytes:
    if line.command == "PRIVMSG":
        if line.params:
            return lines.numeric(Numeric.ERR_NOTEXTTOSEND, nick)
        return lines.numeric(Numeric.ERR_NORECIPIENT, nick, text=f"No recipient given ({line.command})")
    context = () if numeric is Numeric.ERR_NONICKNAMEGIVEN else (line.command,)
    return lines.numeric(numeric, nick, *context)
