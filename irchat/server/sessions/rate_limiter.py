"""Rate limits: the messages of a user, and the work of the server for a user or an address.

A limiter belongs to a user or an address, not to a connection, so signing in again does not refill it.
"""

import math
from collections import deque
from collections.abc import Callable
from weakref import WeakValueDictionary

from twisted.internet.interfaces import IReactorTime

from irchat.interfaces.limits import Limits
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import BURST_SECONDS
from irchat.server.sessions.costs import ADDRESS_SHARE, WORK_A_SECOND, WORK_AT_ONCE

# Maximum number of limiters kept without a session. Each is kept until it is full again, which takes seconds.
_KEPT_MOST = 100_000


class RateLimiter:
    """Two token buckets of a user or an address: one for messages, which are refused if it is empty, and one for work.

    Sessions wait for work. ``work`` is the number of milliseconds left since the last refill, negative after overuse.
    """

    __slots__ = (
        "__weakref__", "_clock", "_is_timed", "_limits", "_messages", "_messages_at", "_of_address", "_share",
        "_waiting", "_work_at", "work",
    )  # fmt: skip

    def __init__(self, limits: Limits, clock: IReactorTime, *, of_address: bool = False) -> None:
        self._limits = limits
        self._clock = clock
        self._of_address = of_address
        self._share = ADDRESS_SHARE if of_address else 1.0
        self._messages = self._burst
        self._messages_at = self._work_at = clock.seconds()
        self.work = WORK_AT_ONCE * self._share
        # None while nobody waits: there is a limiter for each user, and an empty deque takes 760 bytes.
        self._waiting: deque[Callable[[], None]] | None = None
        self._is_timed = False

    @property
    def _burst(self) -> float:
        return max(1.0, self._limits.rate * BURST_SECONDS)

    @property
    def _unlimited(self) -> bool:
        return not self._limits.rate or (self._of_address and not self._limits.per_address)

    def admit(self, messages: float) -> None:
        """Take a number of messages. A request that counts as more than a burst needs a full bucket.

        Raises Refusal ``too-fast``.
        """
        if self._unlimited:
            return
        self._refill_messages()
        if self._messages < min(messages, self._burst):
            counts = f" This counts as {messages:.0f}." if messages > 1 else ""
            raise Refusal(
                Code.TOO_FAST,
                f"That was too fast: the limit is {self._limits.rate:g} messages a second.{counts} Wait a moment.",
            )
        self._messages -= messages

    def when_admitted(self, messages: float, call: Callable[[], None]) -> None:
        """Call ``call`` when `admit` may take this number of messages, unless another session takes them first."""
        self._refill_messages()
        missing = max(0.0, min(messages, self._burst) - self._messages)
        # Slightly later, so that rounding never makes the call too early.
        self._clock.callLater(missing / (self._limits.rate or math.inf) + 0.001, call)

    def charge(self, work: float) -> None:
        """Take a number of milliseconds of work."""
        self.work -= work

    def is_used_up(self) -> bool:
        """Return whether all work is currently used up."""
        return self.work <= 0 and self._refill_work() <= 0

    def when_free(self, call: Callable[[], None]) -> None:
        """Call ``call`` when there is work left. Callers take turns: the next one runs if work is still left."""
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append(call)
        self._wait()

    def is_full(self) -> bool:
        """Return whether nothing is used, so that the limiter equals a new one."""
        self._refill_messages()
        return self._messages >= self._burst and self._refill_work() >= WORK_AT_ONCE * self._share and not self._waiting

    def _refill_messages(self) -> None:
        now = self._clock.seconds()
        self._messages = min(self._burst, self._messages + (now - self._messages_at) * self._limits.rate)
        self._messages_at = now

    def _refill_work(self) -> float:
        """Add the work for the time since the last refill, and return the work left. Without limits, refill completely.

        This runs only when the work is used up, so that the path of a message does not read the clock.
        """
        now = self._clock.seconds()
        more = math.inf if self._unlimited else (now - self._work_at) * WORK_A_SECOND * self._share
        self.work = min(WORK_AT_ONCE * self._share, self.work + more)
        self._work_at = now
        return self.work

    def _wait(self) -> None:
        if self._is_timed:
            return
        self._is_timed = True
        # Wait until slightly more than zero is left, so that rounding never makes the call too early.
        missing = 0.1 - self.work
        self._clock.callLater(max(0.0, missing / (WORK_A_SECOND * self._share)), self._go_on)

    def _go_on(self) -> None:
        self._is_timed = False
        while self._waiting and not self.is_used_up():
            self._waiting.popleft()()
        if self._waiting:
            self._wait()
        else:
            self._waiting = None


class RateLimiters:
    """The limiters of all users and addresses. Each is kept while a session uses it, and then until it is full."""

    def __init__(self, limits: Limits, clock: IReactorTime) -> None:
        self._limits = limits
        self._clock = clock
        self._all: WeakValueDictionary[int | str, RateLimiter] = WeakValueDictionary()
        self._kept: dict[RateLimiter, None] = {}

    def of(self, key: int | str) -> RateLimiter:
        """Return the limiter of a user, by id, or of a counted address."""
        limiter = self._all.get(key)
        if limiter is None:
            limiter = self._all[key] = RateLimiter(self._limits, self._clock, of_address=isinstance(key, str))
        return limiter

    def leave(self, limiter: RateLimiter) -> None:
        """Release a limiter used by a session."""
        self._kept[limiter] = None
        while self._kept:
            oldest = next(iter(self._kept))
            if not oldest.is_full() and len(self._kept) <= _KEPT_MOST:
                break
            del self._kept[oldest]
