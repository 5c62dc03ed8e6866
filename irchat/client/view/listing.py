"""A list to choose from with the arrow keys."""

from collections.abc import Sequence
from typing import TypeVar

Choice = TypeVar("Choice")


class Cursor:
    """The place in a list that Enter would take."""

    def __init__(self) -> None:
        self.index = 0

    def move(self, by: int, count: int) -> None:
        """Move, round the ends of a list of ``count``."""
        self.index = (self.index + by) % count if count else 0

    def choose(self, choices: Sequence[Choice]) -> Choice | None:
        """What stands at the place."""
        return choices[min(self.index, len(choices) - 1)] if choices else None

    def first_row(self, count: int, height: int) -> int:
        """The first row that shows of ``count`` rows, so that the place shows in ``height`` of them."""
        index = min(self.index, max(0, count - 1))
        return max(0, min(index - height // 2, count - height))
