"""The messages of another node: each is handed on once, in order, when this node has applied its position."""

from collections import deque
from collections.abc import Callable

from msgspec import Struct
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from irchat.cluster.bus_messages import Body, Envelope, State, aged
from irchat.cluster.transit import Transit

# Messages held behind a gap, and messages that wait for the log. Further ones count as lost: they are repeated later.
_HELD, _WAITING = 1_000, 10_000
# Seconds between two requests for what is missing.
_PAUSE = 0.25

_log = Logger()


class _Arrived(Struct):
    """A message as it was at a time, in seconds."""

    position: int
    body: Body
    at: float

    def age(self, now: float) -> Body:
        """Return the message as it is now, and keep no text that has ended."""
        self.body, self.at = aged(self.body, now - self.at), now
        return self.body


class HeardStream:
    """The stream of another node in one ``run``.

    It begins with the state of that node. ``ask`` is called with the number from which messages are missing, 0 for the
    state. ``reached`` returns a Deferred that fires when this node has applied a position in the log. ``heard_at`` is
    when the node was heard last.
    """

    def __init__(
        self,
        run: int,
        seconds: Callable[[], float],
        reached: Callable[[int], Deferred[object]],
        hand_on: Callable[[Body], None],
        ask: Callable[[int], None],
    ) -> None:
        self.run = run
        self.heard_at = seconds()
        self.transit = Transit()
        self._seconds = seconds
        self._reached = reached
        self._hand_on = hand_on
        self._ask = ask
        self._next: int | None = None
        self._highest = 0
        self._held: dict[int, _Arrived] = {}
        self._waiting: deque[_Arrived] = deque()
        self._position = 0
        self._is_waiting = self._has_failed = self._is_handing_on = self._is_closed = False
        self._asked_at = float("-inf")

    def receive(self, envelope: Envelope, late: float = 0.0) -> None:
        """Take a numbered message, or a state, which came ``late`` (seconds)."""
        now = self._seconds()
        arrived = _Arrived(envelope.position, envelope.body, now - late)
        arrived.age(now)
        if isinstance(envelope.body, State):
            self._take_state(arrived, envelope.body)
        else:
            self._highest = max(self._highest, envelope.n)
            is_next = envelope.n == self._next
            if is_next or (len(self._held) < _HELD and (self._next is None or envelope.n > self._next)):
                self._held[envelope.n] = arrived
        self._proceed()

    def note_last(self, n: int) -> None:
        """Note the number of the last message of the node. Try again what failed, and ask for what is missing."""
        self._highest = max(self._highest, n)
        if self._has_failed:
            self._has_failed = self._is_waiting = False
        self._proceed()

    def age(self) -> None:
        """Drop the texts of timed messages that ended while they waited."""
        now = self._seconds()
        for arrived in *self._held.values(), *self._waiting:
            arrived.age(now)

    def close(self) -> None:
        """Hand on nothing more."""
        self._is_closed = True
        self._held.clear()
        self._waiting.clear()

    def _take_state(self, arrived: _Arrived, state: State) -> None:
        """Continue with a state, if messages are missing that the node cannot repeat."""
        if self._next is None or self._next < state.first:
            self._next = state.n + 1
            self._highest = max(self._highest, state.n)
            self._held = {n: held for n, held in self._held.items() if n > state.n}
            self._waiting.append(arrived)

    def _proceed(self) -> None:
        """Hand on what is complete, and ask for what is missing."""
        if self._is_handing_on:
            return
        self._is_handing_on = True
        try:
            while self._take_next() or self._hand_on_first():
                pass
        finally:
            self._is_handing_on = False
        if self._is_closed or (self._next is not None and (self._next > self._highest or self._next in self._held)):
            return
        now = self._seconds()
        if now >= self._asked_at + _PAUSE:
            self._asked_at = now
            self._ask(self._next or 0)

    def _take_next(self) -> bool:
        """Put the next message in line, if it is there."""
        if self._next is None or len(self._waiting) >= _WAITING or self._next not in self._held:
            return False
        self._waiting.append(self._held.pop(self._next))
        self._next += 1
        return True

    def _hand_on_first(self) -> bool:
        """Hand on the first in line, if this node has applied its position."""
        if not self._waiting or self._is_waiting:
            return False
        position = self._waiting[0].position
        if position > self._position:
            self._is_waiting = True
            self._reached(position).addCallbacks(self._is_reached, self._cannot_reach, callbackArgs=(position,))
            return True
        body = self._waiting.popleft().age(self._seconds())
        try:
            self._hand_on(body)
        except Exception:
            _log.failure("a message of another node could not be applied")
        return True

    def _is_reached(self, _: object, position: int) -> None:
        self._is_waiting = False
        self._position = position
        self._proceed()

    def _cannot_reach(self, failure: Failure) -> None:
        self._has_failed = True
