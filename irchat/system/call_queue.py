"""A queue of calls that run in time slices of the reactor."""

from collections import deque
from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

# Seconds per turn of the reactor after which no further call starts.
_SLICE_SECONDS = 0.005

_log = Logger()


class CallQueue:
    """Runs calls soon, in order, for 5 ms of each turn of the reactor. A failing call is logged."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._calls: deque[Callable[[], None]] = deque()

    def add(self, call: Callable[[], None]) -> None:
        """Run ``call`` in a later turn."""
        self._calls.append(call)
        if len(self._calls) == 1:
            self._clock.callLater(0, self._run)

    def _run(self) -> None:
        deadline = self._clock.seconds() + _SLICE_SECONDS
        while self._calls:
            try:
                self._calls[0]()
            except Exception:
                _log.failure("a queued call failed")
            self._calls.popleft()  # only now, so that a call that adds another one schedules nothing
            if self._calls and self._clock.seconds() > deadline:
                self._clock.callLater(0, self._run)
                return
