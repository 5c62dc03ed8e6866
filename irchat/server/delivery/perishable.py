"""What holds the text of timed messages while it waits for a reader: it is not to be handed out after their end.

A whole line that waits is said anew when its turn comes. Of bytes that were handed to the socket's writer nothing can
be taken back, so there the connection is closed at the end.
"""

import math
from collections.abc import Callable
from typing import Protocol

from twisted.internet.interfaces import IReactorTime

from irchat.system.alarm import Alarm

# A line that has waited for less is as it was said: its left_ms is right to what a network takes.
_FRESH_SECONDS = 0.01


class Perishable:
    """A line that says timed messages. ``data``: its bytes; ``begun``: how many of them were handed over.

    ``again`` says it anew at this moment, without what has ended: it is handed the moment for which to tell what is
    left of each message. ``until`` returns when the first message ends that was said last, infinity where none was.
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
        """The bytes that wait."""
        return len(self.data) - self.begun

    def renew(self) -> bool:
        """Say the rest without what has ended. Return False where a part of that was handed over already."""
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
        """Hand over at most so many bytes."""
        piece = self.data[self.begun : self.begun + most]
        self.begun += len(piece)
        return piece


class Held(Protocol):
    """An outbox that waits with timed messages in it."""

    @property
    def until(self) -> float:
        """When the first of them ends, in seconds of the forward clock."""

    def expire(self, now: float) -> None:
        """Hand out nothing of what has ended."""


class Watch:
    """Has outboxes `expire` when the first timed message in each ends. One alarm serves all."""

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
        """Watch it no longer."""
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
