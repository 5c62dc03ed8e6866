"""Texts of timed messages that wait for a reader: they are not sent after the messages end.

A whole waiting line is encoded again when its turn comes. Bytes that the socket writer has already cannot be taken
back, so their connection is closed when the message ends.
"""

import math
from collections.abc import Callable
from typing import Protocol

from twisted.internet.interfaces import IReactorTime

from irchat.system.alarm import Alarm

# A line that has waited for less need not be encoded again: its left_ms is as exact as a network is fast.
_FRESH_SECONDS = 0.01


class Perishable:
    """A line with timed messages. ``data``: its bytes; ``begun``: how many of them were taken.

    ``again`` encodes it once more without the messages that have ended; its argument is the time for which remaining
    times are given. ``until`` returns when the first message of the last encoding ends, infinity if there is none.
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
        """Encode the rest without messages that have ended. Return False if a part of one was taken already."""
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
        """Take at most ``most`` bytes."""
        piece = self.data[self.begun : self.begun + most]
        self.begun += len(piece)
        return piece


class Held(Protocol):
    """An outbox with waiting timed messages."""

    @property
    def until(self) -> float:
        """The time at which the first of them ends, in seconds of the forward clock."""

    def expire(self, now: float) -> None:
        """Send nothing of messages that have ended."""


class Watch:
    """Calls `expire` of each outbox when its first timed message ends. One alarm serves all."""

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
                if held.until <= now:  # it closes
                    del self._held[held]
        self._rest()
        if self._held:
            self._at = min(held.until for held in self._held)
            if self._at < math.inf:
                self._alarm.set(self._at)

    def _rest(self) -> None:
        self._at = math.inf
        self._alarm.cancel()
