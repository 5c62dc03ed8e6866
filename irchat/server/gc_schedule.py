"""The schedule of garbage collection: young objects often, all objects only if they are few.

The automatic collector of Python sometimes scans all objects in one turn, which takes a quarter of a second with a
million timed messages. Reference counting frees sessions and messages, so the collector is needed only for the few
cycles created by exceptions.
"""

import gc
import sys

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall

# A collection without garbage takes a microsecond. A storm of sign-ins creates 50,000 objects in a quarter of a second.
_YOUNG_SECONDS = 0.1
# The generation of new objects. A full collection would also release the memory that Python keeps for small objects.
_YOUNG = 0
# Seconds between scans of all objects, if they are few enough for less than about 20 ms. The limit is in memory blocks,
# two or three per object, because counting a million objects would take 40 ms.
_ALL_SECONDS = 600.0
_FEW_BLOCKS = 300_000


class GCSchedule:
    """Replaces the automatic collection from `start` to `stop`."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._collecting = LoopingCall(self._collect)
        self._collecting.clock = clock
        self._all_at = 0.0

    def start(self) -> None:
        """Collect once, then follow the schedule."""
        gc.collect()
        gc.disable()
        gc.freeze()
        self._all_at = self._clock.seconds() + _ALL_SECONDS
        self._collecting.start(_YOUNG_SECONDS, now=False)

    def stop(self) -> None:
        """Return to the automatic collection."""
        if self._collecting.running:
            self._collecting.stop()
            gc.unfreeze()
            gc.enable()

    def _collect(self) -> None:
        gc.collect(_YOUNG)
        now = self._clock.seconds()
        if now >= self._all_at:
            self._all_at = now + _ALL_SECONDS
            if sys.getallocatedblocks() <= _FEW_BLOCKS:
                gc.unfreeze()
                gc.collect()
        gc.freeze()
