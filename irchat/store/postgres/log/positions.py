"""The position in the log that this node has applied, and the Deferreds that wait for later ones."""

from heapq import heappop, heappush
from itertools import count
from typing import NamedTuple

from twisted.internet.defer import Deferred, succeed

from irchat.store.postgres.connecting import refusal_while_away

Origin = tuple[int, int]
"""The identity of a commit: its node, and its batch on that node."""


class Head(NamedTuple):
    """The end of the log: its last position, and the commit there, which is None if the log is empty."""

    position: int
    origin: Origin | None


def head_of(row: tuple[int, int, int] | None) -> Head:
    """Return the end of a log whose last row, if any, has this position, node and batch."""
    return Head(0, None) if row is None else Head(row[0], row[1:])


def is_same(head: Head, position: int, origin: Origin | None) -> bool:
    """Return whether the log ends at ``position``, with the commit ``origin`` if that is known."""
    return head.position == position and (origin is None or head.origin == origin)


class Positions:
    """The last applied position. All calls come from the reactor's thread; other threads may read the attributes.

    ``origin``: the commit at ``position``, or None if it is not known.
    """

    def __init__(self) -> None:
        self.position = 0
        self.origin: Origin | None = None
        # The origins of the commits that the core has received, by position, in order.
        self._given: dict[int, Origin] = {}
        self._waiting: list[tuple[int, int, Deferred[None]]] = []
        self._numbers = count()

    def is_at(self, head: Head) -> bool:
        """Return whether everything is applied. Another commit at our position means that the database went back."""
        return is_same(head, self.position, self.origin)

    def reached(self, position: int) -> Deferred[None]:
        """Return a Deferred that fires when everything up to ``position`` is applied."""
        if position <= self.position:
            return succeed(None)
        waiting: Deferred[None] = Deferred()
        heappush(self._waiting, (position, next(self._numbers), waiting))
        return waiting

    def note_given(self, position: int, origin: Origin) -> None:
        """Note the origin of the commit at a position, which the core will apply."""
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
        """Begin at the position of a snapshot. Refuse the waiters for later positions, which may never come."""
        self._given.clear()
        self.position, self.origin = position, origin
        waiting, self._waiting = self._waiting, []
        for reached, _, waiter in sorted(waiting, key=lambda one: one[:2]):
            if reached <= position:
                waiter.callback(None)
            else:
                waiter.errback(refusal_while_away())
