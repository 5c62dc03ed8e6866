"""A schedule for garbage collection: young objects are collected soon, old ones never if there are many.

Python's own schedule would visit all objects in one turn now and then: a quarter of a second with a million timed
messages. Sessions and messages are freed by reference counting; only a few cycles, made by exceptions, need the
collector.
"""

import gc
import sys

from twisted.internet.interfaces import IDelayedCall, IReactorTime

# An idle collection takes a microsecond; a storm of sign-ins creates 50,000 objects in a quarter of a second.
_YOUNG_SECONDS = 0.1
# The generation of the objects since the last collection. A full one would also free Python's caches.
_YOUNG = 0
# Seconds between full collections, which run while there are so few objects that they take less than about 20 ms. The
# measure is the number of memory blocks, two or three for each object: counting a million objects takes 40 ms itself.
_ALL_SECONDS = 600.0
_FEW_BLOCKS = 300_000


class GarbagePlan:
    """Replaces the automatic collection from `start` to `stop`."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._next: IDelayedCall | None = None
        self._all_at = 0.0

    def start(self) -> None:
        """Collect once, and from now on by the schedule."""
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
