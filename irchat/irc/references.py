"""The grammar of CHATHISTORY and MARKREAD: subcommands, references, times."""

from typing import NamedTuple

from irchat.irc.targets import Msgid

PAGE_MOST = 500


class Moment(NamedTuple):
    """A reference by ``timestamp=``, in ms since the epoch."""

    ms: int


class BadReference(Exception):
    """A request that is refused as ``FAIL <command> <code> <context...>``."""

    def __init__(self, code: str, *context: str, text: str) -> None:
        super().__init__(code, context, text)
        self.code = code
        self.context = context
        self.text = text


class HistoryQuery(NamedTuple):
    """A CHATHISTORY request. ``first`` is None for ``LATEST <target> *``; ``second`` is that of BETWEEN and TARGETS.

    ``target`` is '' for TARGETS. ``limit`` is 1 to 500.
    """

    subcommand: str
    target: str
    first: Msgid | Moment | None
    second: Msgid | Moment | None
    limit: int


def parse_chathistory(params: list[str]) -> HistoryQuery:
    """Parse the parameters of CHATHISTORY. Raises `BadReference`."""
    raise NotImplementedError


class MarkQuery(NamedTuple):
    """A MARKREAD request. ``at`` (ms) is None if it only asks."""

    target: str
    at: int | None


def parse_markread(params: list[str]) -> MarkQuery:
    """Parse the parameters of MARKREAD. Raises `BadReference`."""
    raise NotImplementedError


def parse_time(text: str) -> int | None:
    """Return a time such as ``2026-03-02T14:03:00.000Z`` in ms since the epoch, or None if it is none."""
    raise NotImplementedError


def format_time(ms: int) -> str:
    """Return ms since the epoch as the tag ``time`` writes it: ``2026-03-02T14:03:00.000Z``."""
    raise NotImplementedError
