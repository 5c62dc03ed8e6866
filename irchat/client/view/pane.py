"""The visible part of a list of items: its end, or a part that ends at some row of an item."""

from collections.abc import Callable, Sequence

from irchat.client.view.items import Item, Key
from irchat.client.view.rows import Row

Paint = Callable[[int], list[Row]]


class Pane:
    """A pane that follows the end of its items until it is moved up.

    ``lowest`` is the key of the lowest visible item and the number of its visible rows, None at the end. ``whole`` is
    the key of the lowest item that was drawn to its last row, None if nothing was drawn since the pane was moved.
    """

    def __init__(self) -> None:
        self.lowest: tuple[Key, int] | None = None
        self.height = 1
        self.whole: Key | None = None
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
            index = next((index for index, item in enumerate(items) if item.key >= first), len(items))
            self._show_at_top(items, paint, index)
        rows = self._rows(items, paint)
        if len(rows) < height and not self.follows:
            self._show_at_top(items, paint, 0)
            rows = self._rows(items, paint)
        return rows

    def _rows(self, items: Sequence[Item], paint: Paint) -> list[Row]:
        height = self.height
        index, count = self._bottom(items)
        blocks: list[list[Row]] = []
        room = height
        self.whole = None
        while index >= 0 and room > 0:
            rows = paint(index)
            block = rows[:count]
            if self.whole is None and len(block) == len(rows):
                self.whole = items[index].key
            blocks.append(block)
            room -= len(block)
            index, count = index - 1, None
        rows = [row for block in reversed(blocks) for row in block]
        return rows[max(0, len(rows) - height) :]

    def reveal(self, items: Sequence[Item], paint: Paint, index: int) -> None:
        """Move as little as needed to show the whole item at an index, or its first rows if it is too high."""
        bottom, count = self._bottom(items)
        if index > bottom or (index == bottom and count is not None and count < len(paint(index))):
            self.lowest = (items[index].key, 1 << 30) if index < len(items) - 1 else None
            return
        rows = 0
        for at in range(bottom, index - 1, -1):
            rows += len(paint(at)[: count if at == bottom else None])
            if rows > self.height:
                self._show_at_top(items, paint, index)
                return

    def _show_at_top(self, items: Sequence[Item], paint: Paint, index: int) -> None:
        room = self.height
        for at in range(index, len(items)):
            rows = len(paint(at))
            if rows >= room:
                self.lowest = (items[at].key, room)
                return
            room -= rows
        self.to_end()

    def up(self, items: Sequence[Item], paint: Paint, rows: int | None = None) -> bool:
        """Move up by some rows, or by a page less one. Return False if the first row is already visible."""
        if not items:
            return False
        index, count = self._bottom(items)
        shown = len(paint(index)[:count])
        by = self.height - 1 if rows is None else rows
        while by >= shown and index > 0:
            by -= shown
            index -= 1
            shown = len(paint(index))
        shown = max(1, shown - by)
        index, shown, moved = self._fill(items, paint, index, shown)
        self.lowest = (items[index].key, shown) if moved else self.lowest
        return moved

    def down(self, items: Sequence[Item], paint: Paint, rows: int | None = None) -> None:
        """Move down by some rows, or by a page less one."""
        if self.lowest is None or not items:
            self.lowest = None
            return
        index, count = self._bottom(items)
        shown = len(paint(index)[:count]) + (self.height - 1 if rows is None else rows)
        while index < len(items) - 1 and shown > (high := len(paint(index))):
            shown -= high
            index += 1
        at_end = index == len(items) - 1 and shown >= len(paint(index))
        self.lowest = None if at_end else (items[index].key, shown)

    def _fill(self, items: Sequence[Item], paint: Paint, index: int, shown: int) -> tuple[int, int, bool]:
        """Lower a position if the rows above it would not fill the pane. Return it, and whether it was lowered."""
        above, first = shown, index
        while first > 0 and above < self.height:
            first -= 1
            above += len(paint(first))
        missing = self.height - above
        while missing > 0:
            more = len(paint(index)) - shown
            if more >= missing or index == len(items) - 1:
                shown += min(more, missing)
                break
            missing -= more
            index, shown = index + 1, 0
        before_index, before_count = self._bottom(items)
        before_shown = len(paint(before_index)[:before_count])
        return index, shown, (index, shown) != (before_index, before_shown)

    def _bottom(self, items: Sequence[Item]) -> tuple[int, int | None]:
        """Return the index of the lowest visible item and the number of its visible rows, None for all of them."""
        if self.lowest is None:
            return len(items) - 1, None
        key, count = self.lowest
        for index in range(len(items) - 1, -1, -1):
            if items[index].key <= key:
                return index, count if items[index].key == key else None
        return (0, 1) if items else (-1, None)
