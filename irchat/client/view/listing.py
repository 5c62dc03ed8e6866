"""A list in which the arrow keys choose an entry."""

from collections.abc import Hashable, Sequence
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


class Cursor(Generic[Key]):
    """The chosen entry of a list, kept by its key, so that it stays chosen when the list changes its order."""

    def __init__(self) -> None:
        self.key: Key | None = None
        self._index = 0

    def settle(self, keys: Sequence[Key]) -> int:
        """Return the row of the chosen entry in ``keys``, which are about to be drawn.

        If the entry has left the list, choose the one that took its row.
        """
        if self.key in keys:
            self._index = keys.index(self.key)
        else:
            self._index = max(0, min(self._index, len(keys) - 1))
            self.key = keys[self._index] if keys else None
        return self._index

    def move(self, by: int, keys: Sequence[Key]) -> None:
        """Move by ``by`` rows, round the ends of the list."""
        if keys:
            self._index = (self.settle(keys) + by) % len(keys)
            self.key = keys[self._index]

    def choose(self, keys: Sequence[Key]) -> Key | None:
        """Return the entry that was drawn as chosen, even if it has left the list since, or else the first."""
        if self.key is None:
            self.settle(keys)
        return self.key


def first_row(index: int, count: int, height: int) -> int:
    """Return the first of ``height`` visible rows, out of ``count``, so that row ``index`` is visible."""
    return max(0, min(index - height // 2, count - height))
