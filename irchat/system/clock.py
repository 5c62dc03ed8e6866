"""The clock of server and client. It never goes back, and it counts the time while the machine is suspended."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

_FRACTIONS = tuple(f".{ms:03d}Z" for ms in range(1000))

# Only Linux has CLOCK_BOOTTIME. Elsewhere CLOCK_MONOTONIC is the nearest; on macOS it counts suspended time.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def forward_seconds() -> float:
    """Return the seconds of a clock that nobody can set and that runs while the machine is suspended."""
    return time.clock_gettime(_CLOCK)


class HasSeconds(Protocol):
    """The method of a reactor that `install_forward_clock` replaces."""

    seconds: Callable[[], float]


def install_forward_clock(reactor: HasSeconds) -> None:
    """Make ``reactor`` schedule ``callLater`` by `forward_seconds`. Call this before anything is scheduled.

    Twisted's reactors schedule by ``time.time``: a clock set back by an hour would delay every timer by an hour.
    """
    reactor.seconds = forward_seconds


def wall_ms() -> int:
    """Return the milliseconds since the epoch by the wall clock. Use them for display, never for lifetimes."""
    return time.time_ns() // 1_000_000


def rfc3339(ms: int) -> str:
    """Return ``ms`` since the epoch in RFC 3339, in UTC with milliseconds: ``2026-11-22T14:03:05.120Z``."""
    return _to_the_second(ms // 1000) + _FRACTIONS[ms % 1000]


@lru_cache(maxsize=1_024)
def _to_the_second(seconds: int) -> str:
    """Return the time without fractions of a second. It is cached: messages sent together mostly share their second."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]
