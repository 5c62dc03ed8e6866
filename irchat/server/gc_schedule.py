"""When garbage is collected: young objects at once, the others, where they are many, not at all.

Python by itself goes through all objects in one turn now and then: a quarter of a second with a million timed messages.
Here almost nothing needs the collector, for sessions and messages go by reference counting; it is left for the few
cycles that exceptions make.
"""

import gc
import sys

from twisted.internet.interfaces import IDelayedCall, IReactorTime

# With nothing to collect it takes a microsecond; a storm of sign-ins makes 50,000 objects in a quarter of a second.
_YOUNG_SECONDS = 0.1
# What came since the last time. A full collection gives up, besides, the memory that Python keeps for small objects.
_YOUNG = 0
# All objects are looked through this often where they are so few that it takes less than about 20 ms. What is asked is
# how many blocks of memory there are, two or three for each object: to count a million objects takes 40 ms itself.
_ALL_SECONDS = 600.0
_FEW_BLOCKS = 300_000


class GCSchedule:
    """Takes the place of the automatic collection from `start` to `stop`."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._next: IDelayedCall | None = None
        self._all_at = 0.0

    def start(self) -> None:
        """Collect once, and from now on by the plan."""
        gc.collect()
        gc.disable()
        gc.freeze()
        self._all_at = self._clock.seconds() + _ALL_SECONDS
        self._schedule()

    def stop(self) -> None:
        """Leave it to Python again."""
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
