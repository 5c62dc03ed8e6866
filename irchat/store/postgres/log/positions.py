"""Up to where this node has applied the log, and what waits until it has."""

from heapq import heappop, heappush
from itertools import count

from twisted.internet.defer import Deferred, succeed

from irchat.store.postgres.connecting import refusal_while_away

Origin = tuple[int, int]
"""What a commit is known by: its node and its batch."""


class Positions:
    """The last applied position. All calls come from the reactor's thread; other threads may read the attributes.

    ``origin``: the commit at ``position``, or None if it is not known.
    """

    def __init__(self) -> None:
        self.position = 0
        self.origin: Origin | None = None
        # The commits that were given to the core, by position, in order.
        self._given: dict[int, Origin] = {}
        self._waiting: list[tuple[int, int, Deferred[None]]] = []
        self._numbers = count()

    def reached(self, position: int) -> Deferred[None]:
        """Return a Deferred that fires when everything up to ``position`` is applied."""
        if position <= self.position:
            return succeed(None)
        waiting: Deferred[None] = Deferred()
        heappush(self._waiting, (position, next(self._numbers), waiting))
        return waiting

    def note_given(self, position: int, origin: Origin) -> None:
        """Note the commit at a position that the core will apply."""
        self._given[position] = origin

    def note_applied(self, position: int) -> None:
        """Note that everything up to ``position`` is applied and published."""
        if position <= self.position:
            return
        self.position = position
        self.origin = self._given.get(position)
        for given in [given for given in self._given if given <= position]:
            del self._given[given]
        while self._waiting and self._waiting[0][0] <= position:
            heappop(self._waiting)[2].callback(None)

    def begin_at(self, position: int, origin: Origin | None = None) -> None:
        """Begin at the position of a snapshot. What waits for a later one is refused: it may never come."""
        self._given.clear()
        self.position, self.origin = position, origin
        waiting, self._waiting = self._waiting, []
        for reached, _, waiter in sorted(waiting, key=lambda one: one[:2]):
            if reached <= position:
                waiter.callback(None)
            else:
                waiter.errback(refusal_while_away())
