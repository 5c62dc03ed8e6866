"""The allowance of a session: the rate limiters of its address and, after sign-in, of its user."""

from collections.abc import Callable

from irchat.chat.state.entities import User
from irchat.protocol.requests import Request
from irchat.server.sessions.costs import BYTES_OF_MS, WORK_OF_LINE, Cost, messages_of
from irchat.server.sessions.rate_limiter import RateLimiter, RateLimiters

# Bytes. The cost of a request includes lines and replies up to this length.
LONG = 4_096


def gone(*_: object) -> None:
    """Replace a callback of a session that is over."""


class Allowance:
    """Charges the limiters of a session. ``on_free`` is called when work is available after `is_used_up` was true."""

    __slots__ = ("_address_limiter", "_is_waiting", "_on_free", "_rate_limiters", "_user_limiter")

    def __init__(self, rate_limiters: RateLimiters, address: str, on_free: Callable[[], None]) -> None:
        self._rate_limiters = rate_limiters
        self._address_limiter = rate_limiters.of(address)
        self._user_limiter: RateLimiter | None = None
        self._is_waiting = False
        self._on_free = on_free

    def enter(self, user_id: int) -> None:
        """Also charge the limiter of this user."""
        self._user_limiter = self._rate_limiters.of(user_id)

    def part(self) -> None:
        """Undo `enter`."""
        if self._user_limiter is not None:
            self._rate_limiters.leave(self._user_limiter)
            self._user_limiter = None

    def over(self) -> None:
        """Release the limiters at the end of the session."""
        self._rate_limiters.leave(self._address_limiter)
        self._on_free = gone

    def admit(self, cost: Cost, request: Request | None, user: User) -> None:
        """Charge the messages that ``request``, made by ``user``, counts as. Raises Refusal ``too-fast``."""
        messages = cost.messages
        if messages and self._user_limiter is not None and request is not None:
            self._user_limiter.admit(messages(request, user) if callable(messages) else messages)

    def wait_for_messages(self, cost: Cost, request: Request | None, user: User) -> None:
        """Make `is_used_up` true until a request that `admit` refused may be admitted."""
        if self._user_limiter is not None and request is not None:
            self._is_waiting = True
            self._user_limiter.when_admitted(messages_of(cost, request, user), self._go_on)

    def charge(self, work: float) -> None:
        """Charge a number of milliseconds of work."""
        self._address_limiter.work -= work
        if (of_user := self._user_limiter) is not None:
            of_user.work -= work

    def charge_line(self, size: int) -> bool:
        """Charge for a line of ``size`` bytes. Return whether the work may be used up."""
        work = WORK_OF_LINE if size <= LONG else WORK_OF_LINE + size / BYTES_OF_MS
        of_address, of_user = self._address_limiter, self._user_limiter
        of_address.work -= work
        if of_user is None:
            return of_address.work <= 0
        of_user.work -= work
        return of_user.work <= 0 or of_address.work <= 0

    def charge_bytes(self, size: int) -> None:
        """Charge for the length of a long reply."""
        if size > LONG:
            self.charge(size / BYTES_OF_MS)

    def is_used_up(self) -> bool:
        """Return whether the work for the user or the address is used up."""
        of_user = self._user_limiter
        if self._address_limiter.work > 0 and (of_user is None or of_user.work > 0) and not self._is_waiting:
            return False
        if self._is_waiting:
            return True
        for limiter in of_user, self._address_limiter:
            if limiter is not None and limiter.is_used_up():
                self._is_waiting = True
                limiter.when_free(self._go_on)
                return True
        return False

    def _go_on(self) -> None:
        self._is_waiting = False
        self._on_free()
