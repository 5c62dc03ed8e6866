"""Durations and times: the formats that administrators type, and the one that users see."""

import re
from datetime import UTC, date, datetime, time, timedelta

from irchat.protocol.errors import Code, Refusal

_UNITS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_DURATION = re.compile(r"(?=.)" + "".join(rf"(?:([0-9]{{1,9}}){unit})?" for unit in _UNITS))
_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)
# The last time that can be shown, in ms since the epoch.
_LAST_MS = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp()) * 1000


def end_after(text: str, now_ms: int) -> int:
    """Return the time (ms since the epoch) after the duration ``text``, such as ``2h30m``. Raises Refusal ``bad-time``.

    The units are w, d, h, m and s, each at most once, in this order.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise _bad_time(text)
    seconds = sum(int(count) * unit for count, unit in zip(match.groups(), _UNITS.values(), strict=True) if count)
    return _future(now_ms + seconds * 1000, now_ms, text)


def end_at(text: str, now_ms: int) -> int:
    """Return the time ``text``, such as ``2026-12-01T12:00``. Without a time zone it is a local time.

    Raises Refusal ``bad-time``.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
        ms = int(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        raise _bad_time(text) from None
    return _future(ms, now_ms, text)


def end_of(text: str, now_ms: int) -> int:
    """Return the time for ``text`` in the format of `end_after` or of `end_at`. Raises Refusal ``bad-time``."""
    return (end_at if "-" in text else end_after)(text, now_ms)


def start_of_day(text: str) -> int:
    """Return the start of the day ``text``, such as ``2026-03-01``, in the local time zone (ms since the epoch).

    Raises ValueError or OverflowError if there is no such day.
    """
    return int(datetime.combine(date.fromisoformat(text), time.min).timestamp() * 1000)


def shown_moment(ms: int) -> str:
    """Return a time for people, rounded up to the minute: ``2026-12-01 12:00 UTC``.

    A time before 1970 or after 9999 is shown as the nearest one in that range.
    """
    seconds = -(-min(max(ms, 0), _LAST_MS) // 60_000) * 60
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


def check_end(ms: int | None, now_ms: int) -> int | None:
    """Return ``ms``, an end sent by a program, or None for never. Raises Refusal ``bad-time``."""
    return None if ms is None else _future(ms, now_ms, str(ms))


def moment(text: str) -> int:
    """Return the first ms since the epoch that is not before a time in RFC 3339. Raises Refusal ``bad-request``."""
    try:
        if _RFC3339.fullmatch(text) is None:
            raise ValueError
        since = datetime.fromisoformat(text.upper()) - datetime(1970, 1, 1, tzinfo=UTC)
    except (ValueError, OverflowError):
        raise Refusal(
            Code.BAD_REQUEST, f"{text[:40]!a} is not a time in RFC 3339. Write it as 2026-12-01T12:00:00Z."
        ) from None
    return -(-since // timedelta(milliseconds=1))


def _future(ms: int, now_ms: int, text: str) -> int:
    if not now_ms < ms <= _LAST_MS:
        raise _bad_time(text)
    return ms


def _bad_time(text: str) -> Refusal:
    return Refusal(
        Code.BAD_TIME,
        f"{text[:40]!a} is not a future time. Write 2h30m (units: w, d, h, m, s) or a time such as 2026-12-01T12:00.",
    )
