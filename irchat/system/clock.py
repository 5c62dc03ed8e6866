"""The forward clock of server and client: never set back, and it counts the time of a suspended machine."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

# CLOCK_BOOTTIME is Linux's; elsewhere the monotonic clock of clock_gettime is the nearest (on macOS it counts sleep).
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def forward_seconds() -> float:
    """Return the seconds of a clock that is never set, and runs on while the machine is suspended."""
    return time.clock_gettime(_CLOCK)


class HasSeconds(Protocol):
    """The reactor, on which the clock is installed."""

    seconds: Callable[[], float]


def install_forward_clock(reactor: HasSeconds) -> None:
    """Have ``reactor`` use `forward_seconds` for ``callLater``. Call this before anything is scheduled.

    Twisted's own reactors schedule by ``time.time``, so a clock set back an hour would hold every timer for an hour.
    """
    reactor.seconds = forward_seconds


def wall_ms() -> int:
    """Return milliseconds since the epoch, by the wall clock: to show, never to decide how long something lives."""
    return time.time_ns() // 1_000_000


def rfc3339(ms: int) -> str:
    """Return ``ms`` since the epoch as RFC 3339 in UTC with milliseconds: ``2026-11-22T14:03:05.120Z``."""
    seconds, rest = divmod(ms, 1000)
    return f"{_to_the_second(seconds)}.{rest:03d}Z"


@lru_cache(maxsize=1_024)
def _to_the_second(seconds: int) -> str:
    """Format a second. It is cached: most messages at one time are of the same second."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]
