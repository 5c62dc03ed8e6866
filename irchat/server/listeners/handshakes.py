"""TLS handshakes. Each costs more than a message, so they count as work of their address, and take turns."""

from collections import deque
from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from irchat.server.sessions.costs import WORK_OF_CONNECTION
from irchat.server.sessions.rate_limiter import RateLimiters

# How long a turn of the reactor begins further steps of handshakes.
_SLICE_SECONDS = 0.005

_log = Logger()


class Handshakes:
    """Runs the steps of all handshakes, some in each turn of the reactor."""

    def __init__(self, rate_limiters: RateLimiters, clock: IReactorTime) -> None:
        self._rate_limiters = rate_limiters
        self._clock = clock
        self._steps: deque[Callable[[], None]] = deque()

    def of(self, address: str) -> Callable[[Callable[[], None]], None]:
        """Return a function that runs the steps of one connection from ``address`` (a counted address)."""
        limiter = self._rate_limiters.of_address(address)
        is_charged = False

        def begin(step: Callable[[], None]) -> None:
            nonlocal is_charged
            if not is_charged:
                is_charged = True
                limiter.charge(WORK_OF_CONNECTION)
                self._rate_limiters.leave(limiter)
            self._add(step)

        def take(step: Callable[[], None]) -> None:
            if limiter.is_used_up():
                limiter.when_free(lambda: begin(step))
            else:
                begin(step)

        return take

    def _add(self, step: Callable[[], None]) -> None:
        self._steps.append(step)
        if len(self._steps) == 1:
            self._clock.callLater(0, self._make)

    def _make(self) -> None:
        deadline = self._clock.seconds() + _SLICE_SECONDS
        while self._steps:
            try:
                self._steps[0]()
            except Exception:
                _log.failure("a TLS handshake failed")
            self._steps.popleft()
            if self._steps and self._clock.seconds() > deadline:
                self._clock.callLater(0, self._make)
                return
