"""The rate of the lines of a client. Lines over it wait: nothing is refused."""

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from irchat.interfaces.limits import Limits

_LINES_A_SECOND = 20.0
_LINES_AT_ONCE = 60.0
# Where the rate of messages is higher than usual, this many lines for each message.
_LINES_OF_MESSAGE = 2.0


class LineRate:
    """A token bucket of lines. ``on_free`` is called when a line may be taken again."""

    def __init__(self, clock: IReactorTime, limits: Limits, on_free: Callable[[], None]) -> None:
        self._clock = clock
        self._limits = limits
        self._on_free = on_free
        self._left = _LINES_AT_ONCE
        self._at = clock.seconds()
        self._resting: IDelayedCall | None = None

    def takes_one(self) -> bool:
        """Take a line. Return False if it has to wait."""
        if not self._limits.rate:
            return True
        if self._resting is not None:
            return False
        rate = max(_LINES_A_SECOND, self._limits.rate * _LINES_OF_MESSAGE)
        now = self._clock.seconds()
        self._left = min(_LINES_AT_ONCE, self._left + (now - self._at) * rate)
        self._at = now
        if self._left < 1:
            # Slightly later, so that rounding never makes the call too early.
            self._resting = self._clock.callLater((1 - self._left) / rate + 0.001, self._rested)
            return False
        self._left -= 1
        return True

    def stop(self) -> None:
        """Call nothing any more."""
        if self._resting is not None:
            self._resting.cancel()
            self._resting = None
        self._on_free = _nothing

    def _rested(self) -> None:
        self._resting = None
        self._on_free()


def _nothing() -> None:
    """Replace the callback of a session that is over."""
