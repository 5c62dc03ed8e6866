"""Timed messages that wait for a reader. Their texts are not sent after the messages end.

A line that waits as a whole is encoded again before it is sent. Bytes already passed to the socket writer cannot be
withdrawn, so the connection is closed when their message ends.
"""

import math
from collections.abc import Callable
from typing import Protocol

from twisted.internet.interfaces import IReactorTime

from irchat.system.alarm import Alarm

# A line that has waited for less is not encoded again: the network delays its left_ms by as much.
_FRESH_SECONDS = 0.01


class Perishable:
    """A line with timed messages. ``data``: its bytes. ``begun``: the number of bytes taken.

    ``again`` encodes the line without ended messages. Its argument is the time to which remaining times refer.
    ``until`` returns the earliest end of a message in the last encoding, or infinity.
    """

    __slots__ = ("_again", "_now", "_said_at", "begun", "data", "until")

    def __init__(
        self, data: bytes, again: Callable[[float], bytes], until: Callable[[], float], now: Callable[[], float]
    ) -> None:
        self.data = data
        self.begun = 0
        self.until = until
        self._again = again
        self._now = now
        self._said_at = now()

    def __len__(self) -> int:
        """Return the number of waiting bytes."""
        return len(self.data) - self.begun

    def renew(self) -> bool:
        """Encode the rest without ended messages. Return False if a part of one is already taken."""
        now = self._now()
        if not self.begun and now - self._said_at > _FRESH_SECONDS:
            self._said_at = now
        elif self.until() > now:
            return True
        data = self._again(self._said_at)
        if self.begun and not data.startswith(self.data[: self.begun]):
            return False
        self.data = data
        return True

    def take(self, most: int) -> bytes:
        """Take and return at most ``most`` bytes."""
        piece = self.data[self.begun : self.begun + most]
        self.begun += len(piece)
        return piece


class Held(Protocol):
    """An outbox with waiting timed messages."""

    @property
    def until(self) -> float:
        """The earliest end of a waiting message, in seconds of the forward clock."""

    def expire(self, now: float) -> None:
        """Drop messages that have ended, or close the connection."""


class Watch:
    """Calls `expire` of each outbox when its first timed message ends, with one alarm for all."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._held: dict[Held, None] = {}
        self._alarm = Alarm(clock, self._look)
        self._at = math.inf

    def add(self, held: Held) -> None:
        """Watch ``held`` until it is removed."""
        self._held[held] = None
        until = held.until
        if until < self._at:
            self._at = until
            self._alarm.set(until)

    def remove(self, held: Held) -> None:
        """Stop watching ``held``."""
        self._held.pop(held, None)
        if not self._held:
            self._rest()

    def _look(self) -> None:
        now = self._clock.seconds()
        for held in list(self._held):
            if held.until <= now:
                held.expire(now)
                if held.until <= now:  # it is closing
                    del self._held[held]
        self._rest()
        if self._held:
            self._at = min(held.until for held in self._held)
            if self._at < math.inf:
                self._alarm.set(self._at)

    def _rest(self) -> None:
        self._at = math.inf
        self._alarm.cancel()
