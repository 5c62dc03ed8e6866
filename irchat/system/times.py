"""When something ends, as an administrator writes it and as people are told it."""

import re
from datetime import UTC, datetime

from irchat.protocol.errors import Code, Refusal

_UNITS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_DURATION = re.compile(r"(?=.)" + "".join(rf"(?:([0-9]{{1,9}}){unit})?" for unit in _UNITS))
# The last moment that has a date, in ms since the epoch.
_LAST_MS = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp()) * 1000


def end_after(text: str, now_ms: int) -> int:
    """The moment (ms since the epoch) that ``text``, as ``2h30m``, comes after now. Raises Refusal ``bad-time``.

    The units are w, d, h, m and s, each at most once and in this order.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise _bad_time(text)
    seconds = sum(int(count) * unit for count, unit in zip(match.groups(), _UNITS.values(), strict=True) if count)
    return _future(now_ms + seconds * 1000, now_ms, text)


def end_at(text: str, now_ms: int) -> int:
    """The moment that ``text``, as ``2026-12-01T12:00``, is: without a time zone, in that of this machine.

    Raises Refusal ``bad-time``.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
        ms = int(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        raise _bad_time(text) from None
    return _future(ms, now_ms, text)


def end_of(text: str, now_ms: int) -> int:
    """What `end_after` or `end_at` gives, whichever ``text`` is written for. Raises Refusal ``bad-time``."""
    return (end_at if "-" in text else end_after)(text, now_ms)


def shown_moment(ms: int) -> str:
    """A moment for people: ``2026-12-01 12:00 UTC``, a minute that has begun counted as a whole one.

    One that no calendar has is shown as the last, or the first, that calendars have.
    """
    seconds = -(-min(max(ms, 0), _LAST_MS) // 60_000) * 60
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


def check_end(ms: int | None, now_ms: int) -> int | None:
    """Return ``ms``, a moment that a program named, None for never. Raises Refusal ``bad-time``."""
    return None if ms is None else _future(ms, now_ms, str(ms))


def _future(ms: int, now_ms: int, text: str) -> int:
    if not now_ms < ms <= _LAST_MS:
        raise _bad_time(text)
    return ms


def _bad_time(text: str) -> Refusal:
    return Refusal(
        Code.BAD_TIME,
        f"{text[:40]!a} is no time to come: write 2h30m (of w, d, h, m and s), or a moment as 2026-12-01T12:00.",
    )
