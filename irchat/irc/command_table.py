"""The commands of IRC: the fewest parameters of each, and where it is allowed."""

from typing import NamedTuple

from irchat.irc.irc_lines import Line
from irchat.irc.numerics import ServerLines
from irchat.irc.registration.registering import Phase


class Verdict(NamedTuple):
    """Whether to run a command. If not, ``refusal`` is the answer, which may be empty (the line is swallowed)."""

    runs: bool
    refusal: bytes = b""


def check(line: Line, phase: Phase, nick: str, lines: ServerLines) -> Verdict:
    """Return whether a line may run in a phase: ``421``, ``451``, ``477``, ``461``, ``431``, ``411``, ``412`` if not."""
    raise NotImplementedError
