"""Estimate the delay of messages from another node, so that a delayed timed message still ends on time.

Forward clocks of two nodes start at unrelated values. The smallest recent difference between the sending and the
receiving time is their offset plus the shortest delay. A message with a larger difference was late by the excess.
"""

# Clocks differ in speed by up to a millisecond in two seconds, so old differences are forgotten.
_WINDOW_SECONDS = 30.0


class Transit:
    """The smallest difference between the clock of this node and that of another one, in the last 30 to 60 seconds."""

    def __init__(self) -> None:
        self._began = float("-inf")
        self._before = self._lately = float("inf")

    def late(self, sent_at: float, now: float) -> float:
        """Return the delay of a message in seconds, compared with the quickest one.

        ``sent_at`` is a time of the clock of the other node, and ``now`` one of the clock of this node.
        """
        difference = now - sent_at
        if now - self._began >= _WINDOW_SECONDS:
            self._before, self._lately, self._began = self._lately, difference, now
        self._lately = min(self._lately, difference)
        return difference - min(self._lately, self._before)
