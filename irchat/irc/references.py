"""The grammar of CHATHISTORY, MARKREAD and SEARCH: subcommands, references, attributes, times."""

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from irchat.irc.message_tags import parse_tags
from irchat.irc.targets import Msgid, parse_msgid
from irchat.protocol.rules import PAGE_DEFAULT

PAGE_MOST = 500

_TIME = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The last time that can be shown, in ms since the epoch.
_LAST_MS = (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1) + 999
_ONE_REFERENCE = frozenset({"LATEST", "BEFORE", "AFTER", "AROUND"})


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

    ``target`` is '' for TARGETS, whose references are both a `Moment`. ``limit`` is 1 to 500.
    """

    subcommand: str
    target: str
    first: Msgid | Moment | None
    second: Msgid | Moment | None
    limit: int


def parse_chathistory(params: list[str]) -> HistoryQuery:
    """Parse the parameters of CHATHISTORY. Raises `BadReference`."""
    subcommand = params[0].upper() if params else "*"
    if subcommand == "TARGETS":
        first, second, limit = _exactly(params[1:], 3, subcommand)
        query = HistoryQuery("TARGETS", "", _moment(first, subcommand), _moment(second, subcommand), _limit(limit))
    elif subcommand == "BETWEEN":
        target, first, second, limit = _exactly(params[1:], 4, subcommand)
        query = HistoryQuery(
            "BETWEEN", target, _reference(first, subcommand), _reference(second, subcommand), _limit(limit)
        )
    elif subcommand in _ONE_REFERENCE:
        target, first, limit = _exactly(params[1:], 3, subcommand)
        reference = None if subcommand == "LATEST" and first == "*" else _reference(first, subcommand)
        query = HistoryQuery(subcommand, target, reference, None, _limit(limit))
    else:
        raise BadReference("INVALID_PARAMS", subcommand, text="Unknown subcommand")
    if not query.limit:
        raise BadReference("INVALID_PARAMS", subcommand, text="The limit is a number from 1 on")
    return query


def _exactly(params: list[str], count: int, subcommand: str) -> list[str]:
    if len(params) < count:
        raise BadReference("INVALID_PARAMS", subcommand, text="Not enough parameters")
    return params[:count]


def _limit(text: str) -> int:
    """Return a limit of at most `PAGE_MOST`, or 0 if it is none."""
    return min(int(text[:9]), PAGE_MOST) if text.isascii() and text.isdecimal() else 0


def _reference(text: str, subcommand: str) -> Msgid | Moment:
    kind, _, value = text.partition("=")
    found: Msgid | Moment | None = None
    if kind == "msgid":
        found = parse_msgid(value)
    elif kind == "timestamp":
        ms = parse_time(value)
        found = None if ms is None else Moment(ms)
    if found is None:
        raise BadReference("INVALID_PARAMS", subcommand, text="Unknown message, or not a msgid= or timestamp=")
    return found


def _moment(text: str, subcommand: str) -> Moment:
    reference = _reference(text, subcommand)
    if not isinstance(reference, Moment):
        raise BadReference("INVALID_PARAMS", subcommand, text="TARGETS takes two timestamp=")
    return reference


class MarkQuery(NamedTuple):
    """A MARKREAD request. ``at`` (ms) is None if it only asks."""

    target: str
    at: int | None


def parse_markread(params: list[str]) -> MarkQuery:
    """Parse the parameters of MARKREAD. Raises `BadReference`."""
    if not params or not params[0]:
        raise BadReference("NEED_MORE_PARAMS", text="Missing target")
    if len(params) == 1:
        return MarkQuery(params[0], None)
    kind, _, value = params[1].partition("=")
    at = parse_time(value) if kind == "timestamp" else None
    if at is None:
        raise BadReference("INVALID_PARAMS", params[0], text="Not a time such as timestamp=2026-03-02T14:03:00.000Z")
    return MarkQuery(params[0], at)


class SearchAttributes(NamedTuple):
    """A SEARCH request. Empty fields and None do not restrict it; ``target`` or ``text`` is given.

    ``after`` and ``before`` are the first and the last time (ms) that match. ``limit`` is 1 to 500.
    """

    target: str
    sender: str
    after: int | None
    before: int | None
    text: str
    limit: int


def parse_search(params: list[str]) -> SearchAttributes:
    """Parse the parameter of SEARCH, encoded as tags (soju.im/search). Unknown attributes are ignored.

    Raises `BadReference`.
    """
    given = parse_tags(params[0]) if params else {}
    target, text, limit = given.get("in", ""), given.get("text", ""), given.get("limit", "")
    if not target and not text:
        raise BadReference("INVALID_PARAMS", "text", text="Give text= or in=, such as SEARCH in=#global;text=word")
    count = _limit(limit) if limit else PAGE_DEFAULT
    if not count:
        raise BadReference("INVALID_PARAMS", "limit", text="The limit is a number from 1 on")
    after, before = _bound(given, "after"), _bound(given, "before")
    return SearchAttributes(target, given.get("from", ""), after, before, text, count)


def _bound(given: dict[str, str], name: str) -> int | None:
    """Return a time of SEARCH in ms, or None if it is not given."""
    value = given.get(name)
    if not value:
        return None
    at = parse_time(value)
    if at is None:
        raise BadReference("INVALID_PARAMS", name, text="Not a time such as 2026-03-02T14:03:00.000Z")
    return at


def parse_time(text: str) -> int | None:
    """Return a time such as ``2026-03-02T14:03:00.000Z`` in ms since the epoch, or None if it is none.

    A time before 1970 counts as 1970. Parts of a millisecond are cut.
    """
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    *parts, fraction = found.groups()
    year, month, day, hour, minute, second = map(int, parts)
    try:
        # A leap second counts as the second before it.
        moment = datetime(year, month, day, hour, minute, min(second, 59) if second == 60 else second, tzinfo=UTC)
    except ValueError:
        return None
    ms = (moment - _EPOCH) // timedelta(milliseconds=1)
    return max(0, ms + int((fraction or "0").ljust(3, "0")[:3]))


def format_time(ms: int) -> str:
    """Return ms since the epoch as the tag ``time`` writes it: ``2026-03-02T14:03:00.000Z``.

    A time before 1970 or after 9999 is written as the nearest one in that range.
    """
    moment = _EPOCH + timedelta(milliseconds=min(max(ms, 0), _LAST_MS))
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
