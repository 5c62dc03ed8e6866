"""TLS handshakes. One costs more than a message, so it is charged to its address, and handshakes take turns."""

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime

from irchat.server.call_queue import CallQueue
from irchat.server.sessions.costs import WORK_OF_CONNECTION
from irchat.server.sessions.rate_limiter import RateLimiters


class Handshakes:
    """Runs the steps of all handshakes, a few in each turn of the reactor."""

    def __init__(self, rate_limiters: RateLimiters, clock: IReactorTime) -> None:
        self._rate_limiters = rate_limiters
        self._steps = CallQueue(clock)

    def of(self, address: str) -> Callable[[Callable[[], None]], None]:
        """Return a function that runs the steps of one connection from the counted address ``address``."""
        limiter = self._rate_limiters.of_address(address)
        is_charged = False

        def begin(step: Callable[[], None]) -> None:
            nonlocal is_charged
            if not is_charged:
                is_charged = True
                limiter.charge(WORK_OF_CONNECTION)
                self._rate_limiters.leave(limiter)
            self._steps.add(step)

        def take(step: Callable[[], None]) -> None:
            if limiter.is_used_up():
                limiter.when_free(lambda: begin(step))
            else:
                begin(step)

        return take
