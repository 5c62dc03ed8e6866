"""The visible part of a list of items: its end, or a part that ends at some row of an item."""

from collections.abc import Callable, Sequence

from irchat.client.view.items import Item, Key
from irchat.client.view.rows import Row

Paint = Callable[[int], list[Row]]
Position = tuple[int, int]
"""The place of the lowest visible row: the index of its item, and the number of visible rows of that item."""

_TOP = (0, 0)


class Pane:
    """A pane that follows the end of its items until it is moved up.

    ``lowest`` is the key of the lowest visible item and the number of its visible rows, None at the end. ``whole`` is
    the key of the lowest item that was drawn to its last row, None if nothing was drawn since the pane was moved.
    ``drawn`` holds the keys of the highest and the lowest visible item, None if there is none.
    """

    def __init__(self) -> None:
        self.lowest: tuple[Key, int] | None = None
        self.height = 1
        self.whole: Key | None = None
        self.drawn: tuple[Key, Key] | None = None
        self._first: Key | None = None

    @property
    def follows(self) -> bool:
        """Whether the pane shows the end of the items."""
        return self.lowest is None and self._first is None

    def to_end(self) -> None:
        """Show the end of the items."""
        self.lowest = self._first = self.whole = None

    def show(self, key: Key) -> None:
        """Show an item at the bottom of the pane."""
        self.to_end()
        self.lowest = (key, 1 << 30)

    def begin_at(self, key: Key) -> None:
        """Show an item at the top of the pane when the rows are drawn, or the end if all from it on fits."""
        self.to_end()
        self._first = key

    def rows(self, items: Sequence[Item], paint: Paint, height: int) -> list[Row]:
        """Return the visible rows, at most ``height``. ``paint`` returns the rows of the item at an index."""
        self.height = height
        if self._first is not None:
            first, self._first = self._first, None
            index = next((index for index, item in enumerate(items) if item.key >= first), None)
            if index is not None:
                self._show_at_top(items, paint, index)
        rows = self._rows(items, paint)
        if len(rows) < height and not self.follows:  # there is room above the first row
            self._show_at_top(items, paint, 0)
            rows = self._rows(items, paint)
        return rows

    def _rows(self, items: Sequence[Item], paint: Paint) -> list[Row]:
        index, count = self._bottom(items)
        lowest = index
        rows: list[Row] = []
        self.whole = None
        while index >= 0 and len(rows) < self.height:
            painted = paint(index)
            if self.whole is None and (count is None or count >= len(painted)):
                self.whole = items[index].key
            rows = painted[:count] + rows
            index, count = index - 1, None
        self.drawn = (items[index + 1].key, items[lowest].key) if rows else None
        return rows[max(0, len(rows) - self.height) :]

    def reveal(self, items: Sequence[Item], paint: Paint, index: int) -> None:
        """Move as little as needed to show the whole item at an index, or its first rows if it is too high."""
        here = self._position(items, paint)
        at_bottom, at_top = (index, len(paint(index))), _moved(items, paint, (index, 0), self.height)
        if here != (there := min(max(here, at_bottom), at_top)):
            self._go(items, paint, there)

    def up(self, items: Sequence[Item], paint: Paint, rows: int | None = None) -> bool:
        """Move up by some rows, or by a page less one. Return False if the first row is already visible."""
        here, by = self._position(items, paint), self.height - 1 if rows is None else rows
        there = max(_moved(items, paint, here, -by), _moved(items, paint, _TOP, self.height))
        if there < here:
            self._go(items, paint, there)
        return there < here

    def down(self, items: Sequence[Item], paint: Paint, rows: int | None = None) -> None:
        """Move down by some rows, or by a page less one."""
        by = self.height - 1 if rows is None else rows
        self._go(items, paint, _moved(items, paint, self._position(items, paint), by))

    def _show_at_top(self, items: Sequence[Item], paint: Paint, index: int) -> None:
        self._go(items, paint, _moved(items, paint, (index, 0), self.height))

    def _go(self, items: Sequence[Item], paint: Paint, place: Position) -> None:
        index, shown = place
        at_end = not items or (index == len(items) - 1 and shown >= len(paint(index)))
        self.lowest = None if at_end else (items[index].key, shown)

    def _position(self, items: Sequence[Item], paint: Paint) -> Position:
        index, count = self._bottom(items)
        return index, len(paint(index)[:count]) if items else 0

    def _bottom(self, items: Sequence[Item]) -> tuple[int, int | None]:
        """Return the index of the lowest visible item and the number of its visible rows, None for all of them."""
        if self.lowest is None:
            return len(items) - 1, None
        key, count = self.lowest
        for index in range(len(items) - 1, -1, -1):
            if items[index].key <= key:
                return index, count if items[index].key == key else None
        return (0, 1) if items else (-1, None)


def _moved(items: Sequence[Item], paint: Paint, place: Position, by: int) -> Position:
    """Return the place ``by`` rows below ``place``, above it if ``by`` is negative. It may be beyond the items."""
    index, shown = place
    shown += by
    while shown < 1 and index > 0:
        index -= 1
        shown += len(paint(index))
    while index < len(items) - 1 and shown > (rows := len(paint(index))):
        shown -= rows
        index += 1
    return index, shown
