"""The time of the database: that of all nodes, whatever their own clocks say."""

from collections.abc import Callable

# A difference by which the clock of the database was set, in ms. Less than that is the delay of its answers.
_SET_MS = 1_000
# The part of a smaller difference that is corrected at once.
_STEP = 64


class DatabaseClock:
    """A clock that follows that of the database. ``seconds`` never goes back, and may be called in any thread."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._offset: float | None = None

    def note(self, now: int) -> None:
        """Note the time of the database, in ms, which has just arrived."""
        offset = now - self._seconds() * 1000
        late = 0.0 if self._offset is None else self._offset - offset
        if self._offset is None or late < 0 or late > _SET_MS:
            self._offset = offset
        else:
            self._offset -= late / _STEP

    def wall_ms(self) -> int:
        """Return the time in ms since the epoch. `note` must have been called."""
        assert self._offset is not None
        return int(self._seconds() * 1000 + self._offset)
