"""The messages that this node sends: numbered, and kept for those that miss some."""

from collections import defaultdict, deque
from collections.abc import Callable, Collection
from heapq import heappop, heappush

from msgspec import Struct

from irchat.cluster.bus_messages import UNNUMBERED, Again, Body, Ended, Envelope, State, aged, copies, without_texts

_KEPT = 10_000
# Messages repeated for one request. A node that misses more asks again.
_REPEATED = 1_000
# Several nodes that miss the same are served together: seconds between two repetitions of a message or of the state.
_PAUSE = 0.2


class _Kept(Struct):
    """A message as it was at a time, in seconds."""

    position: int
    body: Body
    at: float


class SentStream:
    """The stream of this node in one run. ``last`` is the number of its last message.

    ``position`` returns the position in the log that this node has applied. ``make_state`` returns the state of this
    node for the numbers ``last`` and ``first``, and ``after_state`` sends what follows it as numbered messages.
    """

    def __init__(
        self,
        node: str,
        run: int,
        seconds: Callable[[], float],
        position: Callable[[], int],
        publish: Callable[[Envelope], None],
        make_state: Callable[[int, int], State],
        after_state: Callable[[], None],
    ) -> None:
        self.node = node
        self.run = run
        self.last = 0
        self.repeated = 0
        self._seconds = seconds
        self._position = position
        self._publish = publish
        self._make_state = make_state
        self._after_state = after_state
        self._kept: deque[_Kept] = deque(maxlen=_KEPT)
        # The timed messages that are kept: the numbers of the messages with them by id, and their ends.
        self._texts: dict[str, set[int]] = {}
        self._ends: list[tuple[float, str]] = []
        self._state_at = self._repeated_at = float("-inf")
        self._repeated_from = 0

    @property
    def first(self) -> int:
        """The number of the first message that is kept."""
        return self.last - len(self._kept) + 1

    def send(self, body: Body) -> None:
        """Send a message to all nodes."""
        position, now = self._position(), self._seconds()
        if isinstance(body, UNNUMBERED):
            self._publish(Envelope(self.node, self.run, 0, position, now, body))
            return
        self.last += 1
        self._kept.append(_Kept(position, body, now))
        for copy in copies(body):
            self._texts.setdefault(copy.id, set()).add(self.last)
            heappush(self._ends, (now + copy.left_ms / 1000, copy.id))
        if isinstance(body, Ended):
            self.drop_texts([timed_id for timed_id, _ in body.timed])
        self._publish(Envelope(self.node, self.run, self.last, position, now, body))

    def answer(self, again: Again) -> None:
        """Repeat messages for a node that missed them, or send the state. Requests for the same are served once."""
        now = self._seconds()
        if again.run == self.run and self.first <= again.n <= self.last:
            if again.n < self._repeated_from or now >= self._repeated_at + _PAUSE:
                self._repeated_from, self._repeated_at = again.n, now
                self._repeat(again.n, now)
        elif now >= self._state_at + _PAUSE:
            self.send_state()

    def send_state(self) -> None:
        """Send the state to all nodes. Those that need none ignore it."""
        self._state_at = self._seconds()
        self.send(self._make_state(self.last, self.first))
        self._after_state()

    def _repeat(self, first: int, now: float) -> None:
        for n in range(first, min(self.last + 1, first + _REPEATED)):
            kept = self._kept[n - self.first]
            self.repeated += 1
            self._publish(Envelope(self.node, self.run, n, kept.position, now, aged(kept.body, now - kept.at)))

    def drop_ended(self) -> None:
        """Drop the texts of timed messages that have ended."""
        now = self._seconds()
        ended = []
        while self._ends and self._ends[0][0] <= now:
            ended.append(heappop(self._ends)[1])
        self.drop_texts(ended)

    def drop_texts(self, ids: Collection[str]) -> None:
        """Drop the texts of timed messages that ended."""
        of_numbers: defaultdict[int, set[str]] = defaultdict(set)
        for timed_id in ids:
            for n in self._texts.pop(timed_id, ()):
                of_numbers[n].add(timed_id)
        for n, ended in of_numbers.items():
            if n >= self.first:
                kept = self._kept[n - self.first]
                kept.body = without_texts(kept.body, ended)
