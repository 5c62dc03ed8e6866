"""A list from which the arrow keys choose an entry."""

from collections.abc import Hashable, Sequence
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


class Cursor(Generic[Key]):
    """The chosen entry of a list. It is kept by its key, so it stays chosen when the order changes."""

    def __init__(self) -> None:
        self.key: Key | None = None
        self._index = 0

    def settle(self, keys: Sequence[Key]) -> int:
        """Return the row of the chosen entry in ``keys``, which are about to be drawn.

        If the entry has left the list, choose the one now in its row.
        """
        if self.key in keys:
            self._index = keys.index(self.key)
        else:
            self._index = max(0, min(self._index, len(keys) - 1))
            self.key = keys[self._index] if keys else None
        return self._index

    def move(self, by: int, keys: Sequence[Key]) -> None:
        """Move by ``by`` rows, and wrap around at the ends."""
        if keys:
            self._index = (self.settle(keys) + by) % len(keys)
            self.key = keys[self._index]

    def choose(self, keys: Sequence[Key]) -> Key | None:
        """Return the entry drawn as chosen, even if it has left the list since. Without one, return the first."""
        if self.key is None:
            self.settle(keys)
        return self.key


def first_row(index: int, count: int, height: int) -> int:
    """Return the first of ``height`` visible rows, out of ``count``, such that row ``index`` is visible."""
    return max(0, min(index - height // 2, count - height))
