"""The schedule of garbage collection: young objects often, old ones only while they are few.

By default Python goes through all objects now and then: with a million timed messages, for a quarter of a second.
Almost nothing here needs the collector, because sessions and messages go by reference counting. It is for the few
cycles that exceptions leave.
"""

import gc
import sys

from twisted.internet.interfaces import IDelayedCall, IReactorTime

# An idle collection takes a microsecond. A storm of sign-ins makes 50,000 objects in a quarter of a second.
_YOUNG_SECONDS = 0.1
# The generation of new objects. A full collection also returns the memory that Python keeps for small objects.
_YOUNG = 0
# How often all objects are collected, if they are so few that it takes under about 20 ms. Blocks of memory stand for
# their number, two or three for each: to count a million objects takes 40 ms itself.
_ALL_SECONDS = 600.0
_FEW_BLOCKS = 300_000


class GCSchedule:
    """Replaces the automatic collection from `start` to `stop`."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._next: IDelayedCall | None = None
        self._all_at = 0.0

    def start(self) -> None:
        """Collect once, and then on schedule."""
        gc.collect()
        gc.disable()
        gc.freeze()
        self._all_at = self._clock.seconds() + _ALL_SECONDS
        self._schedule()

    def stop(self) -> None:
        """Return to the automatic collection."""
        if self._next is not None:
            self._next.cancel()
            self._next = None
            gc.unfreeze()
            gc.enable()

    def _schedule(self) -> None:
        self._next = self._clock.callLater(_YOUNG_SECONDS, self._collect)

    def _collect(self) -> None:
        gc.collect(_YOUNG)
        now = self._clock.seconds()
        if now >= self._all_at:
            self._all_at = now + _ALL_SECONDS
            if sys.getallocatedblocks() <= _FEW_BLOCKS:
                gc.unfreeze()
                gc.collect()
        gc.freeze()
        self._schedule()
