"""How fast a session may send: a bucket that fills at a steady rate."""

from collections.abc import Callable

from irchat.errors import Code, Refusal
from irchat.rules import BURST_SECONDS


class Pace:
    """Admits ``rate`` messages a second and a burst of three times that; 0: any number."""

    __slots__ = ("_at", "_left", "_rate", "_seconds")

    def __init__(self, rate: float, seconds: Callable[[], float]) -> None:
        self._rate = rate
        self._seconds = seconds
        self._left = self._burst
        self._at = seconds()

    @property
    def _burst(self) -> float:
        return max(1.0, self._rate * BURST_SECONDS)

    def admit(self) -> None:
        """Count one message. Raises Refusal ``too-fast``."""
        if not self._rate:
            return
        now = self._seconds()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            raise Refusal(
                Code.TOO_FAST, f"That was too fast: {self._rate:g} messages a second are taken. Wait a moment."
            )
        self._left -= 1
