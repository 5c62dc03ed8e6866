"""Schedule a call by the forward clock, on time even if the machine was suspended."""

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

# While an alarm waits, the reactor wakes this often: the timeout of epoll does not count suspended time.
WAKE_SECONDS = 0.25


class Alarm:
    """Calls ``call`` when ``clock`` reaches the time that was set last."""

    def __init__(self, clock: IReactorTime, call: Callable[[], None]) -> None:
        self._clock = clock
        self._call = call
        self._at = 0.0
        self._wake: IDelayedCall | None = None

    def set(self, at: float) -> None:
        """Schedule the call for ``at``, in seconds of the clock, and cancel the one scheduled before."""
        self.cancel()
        self._at = at
        self._sleep()

    def cancel(self) -> None:
        """Cancel the call."""
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None

    def _sleep(self) -> None:
        left = max(0.0, self._at - self._clock.seconds())
        self._wake = self._clock.callLater(min(left, WAKE_SECONDS), self._woken)

    def _woken(self) -> None:
        self._wake = None
        if self._clock.seconds() < self._at:
            self._sleep()
        else:
            self._call()
