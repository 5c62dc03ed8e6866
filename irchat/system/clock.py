"""The one clock of server and client: it only goes forward and counts the time that the machine sleeps."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

# CLOCK_BOOTTIME is Linux's; elsewhere the monotonic clock of clock_gettime is the nearest (on macOS it counts sleep).
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def forward_seconds() -> float:
    """Seconds on a clock that is never set back or forth and runs on while the machine is suspended."""
    return time.clock_gettime(_CLOCK)


class HasSeconds(Protocol):
    """What the clock is installed on: a reactor."""

    seconds: Callable[[], float]


def install_forward_clock(reactor: HasSeconds) -> None:
    """Let ``reactor`` keep its ``callLater`` by `forward_seconds`. Call it before anything is scheduled.

    Twisted's own reactors schedule by ``time.time``, so a clock set back an hour would hold every timer for an hour.
    """
    reactor.seconds = forward_seconds


def wall_ms() -> int:
    """Milliseconds since the epoch, by the wall clock: for showing, never for deciding how long something lives."""
    return time.time_ns() // 1_000_000


def rfc3339(ms: int) -> str:
    """``ms`` since the epoch as RFC 3339 in UTC with milliseconds: ``2026-11-22T14:03:05.120Z``."""
    seconds, rest = divmod(ms, 1000)
    return f"{_to_the_second(seconds)}.{rest:03d}Z"


@lru_cache(maxsize=1_024)
def _to_the_second(seconds: int) -> str:
    """Remembered, for most of what is told at one time was said in the same second."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]
