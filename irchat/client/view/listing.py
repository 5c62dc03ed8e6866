"""A list to choose from with the arrow keys."""

from collections.abc import Hashable, Sequence
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


class Cursor(Generic[Key]):
    """The entry that Enter would take, kept by its key: a list that changes its order does not move it."""

    def __init__(self) -> None:
        self.key: Key | None = None
        self._index = 0

    def settle(self, keys: Sequence[Key]) -> int:
        """Return the row of the entry in ``keys``, which are about to be drawn.

        Where the entry is not listed any more, the one that took its row is chosen.
        """
        if self.key in keys:
            self._index = keys.index(self.key)
        else:
            self._index = max(0, min(self._index, len(keys) - 1))
            self.key = keys[self._index] if keys else None
        return self._index

    def move(self, by: int, keys: Sequence[Key]) -> None:
        """Move by so many rows, round the ends."""
        if keys:
            self._index = (self.settle(keys) + by) % len(keys)
            self.key = keys[self._index]

    def choose(self, keys: Sequence[Key]) -> Key | None:
        """Return the entry that was drawn as chosen, even if it has left the list since; else the first."""
        if self.key is None:
            self.settle(keys)
        return self.key


def first_row(index: int, count: int, height: int) -> int:
    """The first of ``count`` rows to show, so that row ``index`` shows in ``height`` of them."""
    return max(0, min(index - height // 2, count - height))
