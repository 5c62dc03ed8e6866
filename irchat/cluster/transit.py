"""How long messages from another node take, so that a timed message that was late still ends on time.

The forward clocks of two nodes begin anywhere. The least difference between them that was seen lately is the real one,
and the least time that a message takes. A message with a greater difference was late by the rest.
"""

# Clocks differ in speed by up to a millisecond in two seconds, so old differences are forgotten.
_WINDOW_SECONDS = 30.0


class Transit:
    """The least difference between the clock of this node and that of another one, in the last 30 to 60 seconds."""

    def __init__(self) -> None:
        self._began = float("-inf")
        self._before = self._lately = float("inf")

    def late(self, sent_at: float, now: float) -> float:
        """Return by how many seconds a message was later than the quickest one.

        ``sent_at`` is a time of the clock of the other node, and ``now`` one of the clock of this node.
        """
        difference = now - sent_at
        if now - self._began >= _WINDOW_SECONDS:
            self._before, self._lately, self._began = self._lately, difference, now
        self._lately = min(self._lately, difference)
        return difference - min(self._lately, self._before)
