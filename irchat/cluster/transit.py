"""How long messages from other nodes take, so that a timed message that was late still ends on time.

The forward clocks of two nodes begin anywhere. The least difference between them that was seen lately is the real one,
and the least time that a message takes. A message with a greater difference was late by the rest.
"""

_WINDOW_SECONDS = 30.0
# Clocks differ in speed by less than a millisecond in twenty seconds, so old differences must be forgotten.


class Transit:
    """The least differences between the clock of this node and those of the others."""

    def __init__(self) -> None:
        self._least: dict[tuple[str, int], _Least] = {}

    def late(self, node: str, run: int, sent_at: float, now: float) -> float:
        """Return by how many seconds a message was later than the quickest one of the last 30 to 60 seconds.

        ``sent_at`` is a time of the clock of the run ``run`` of ``node``, and ``now`` one of the clock of this node. An
        earlier run of a node is forgotten.
        """
        least = self._least.get((node, run))
        if least is None:
            for key in [key for key in self._least if key[0] == node]:
                del self._least[key]
            least = self._least[node, run] = _Least(now)
        return least.excess(now - sent_at, now)

    def forget(self, node: str) -> None:
        """Forget a node that is gone."""
        for key in [key for key in self._least if key[0] == node]:
            del self._least[key]


class _Least:
    """The least difference of the last window and of the one before it."""

    def __init__(self, now: float) -> None:
        self._began = now
        self._before = self._lately = float("inf")

    def excess(self, difference: float, now: float) -> float:
        if now - self._began >= _WINDOW_SECONDS:
            self._before, self._lately = self._lately, difference
            self._began = now
        self._lately = min(self._lately, difference)
        return difference - min(self._lately, self._before)
