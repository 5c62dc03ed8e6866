"""The reasons of removals from groups, between the request and the event. They are stored nowhere."""

from twisted.internet.interfaces import IReactorTime

from irchat.interfaces.asides import OtherAsides
from irchat.protocol.rules import REASON_LENGTH, shown

# A removal is committed right after its check. Older reasons belong to removals that failed.
_SECONDS = 5.0
_KEPT = 1_000

_Removal = tuple[int, int, int]
"""The ids of the group, of the removed user, and of the user that removes it."""


class Reasons:
    """The reasons of removals that are about to be committed.

    ``others``: the other nodes, or None. They get a reason before the removal, which they read from the log. If it
    arrives later, they show the removal without it.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self.others: OtherAsides | None = None
        self._clock = clock
        self._given: dict[_Removal, tuple[float, str]] = {}

    def give(self, group: int, user: int, by: int, reason: str | None) -> None:
        """Note why ``by`` removes ``user``, on all nodes. It is cut to `REASON_LENGTH` visible characters."""
        self._given.pop((group, user, by), None)
        if reason is not None and reason.strip():
            reason = shown(reason.strip(), REASON_LENGTH)
            self.note(group, user, by, reason)
            if self.others is not None:
                self.others.give_reason(group, user, by, reason)

    def note(self, group: int, user: int, by: int, reason: str) -> None:
        """Note a reason that was given on another node."""
        self._given.pop((group, user, by), None)
        while len(self._given) >= _KEPT or (self._given and self._is_old(next(iter(self._given.values())))):
            del self._given[next(iter(self._given))]
        self._given[group, user, by] = self._clock.seconds(), reason

    def take(self, group: int, user: int, by: int) -> str | None:
        """Return the reason of a committed removal, and forget it."""
        given = self._given.pop((group, user, by), None)
        return None if given is None or self._is_old(given) else given[1]

    def _is_old(self, given: tuple[float, str]) -> bool:
        return given[0] + _SECONDS < float(self._clock.seconds())
