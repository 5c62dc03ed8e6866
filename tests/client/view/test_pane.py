"""The visible items of a pane, and its rows."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.view.items import Item, Kind
from irchat.client.view.pane import Pane
from irchat.client.view.rows import Row


def _items(heights: list[int]) -> list[Item]:
    return [Item(Kind.NOTE, (n, 0, 0), "\n".join(f"{n}.{r}" for r in range(h))) for n, h in enumerate(heights)]


def _text(row: Row) -> str:
    return "".join(text for _, text in row.pieces)


class PaneTests(SynchronousTestCase):
    """Moving up and down."""

    def setUp(self) -> None:
        """Create a pane of four rows over items of one, two and three rows."""
        self.pane = Pane()
        self.items = _items([1, 2, 3, 1, 2])

    def paint(self, index: int) -> list[Row]:
        """Return the rows of an item."""
        return [Row((("", line),)) for line in self.items[index].text.split("\n")]

    def shown(self, height: int = 4) -> list[str]:
        """Return the visible rows."""
        return [_text(row) for row in self.pane.rows(self.items, self.paint, height)]

    def test_end(self) -> None:
        """The end is visible, and so are later items."""
        self.assertEqual(self.shown(), ["2.2", "3.0", "4.0", "4.1"])
        self.items += _items([1, 1, 1, 1, 1, 1])[5:]
        self.assertEqual(self.shown()[-1], "5.0")

    def test_up_and_down(self) -> None:
        """A page up keeps one row and stops at the top. A page down leads back to the end."""
        self.shown()
        self.assertTrue(self.pane.up(self.items, self.paint))
        self.assertEqual(self.shown(), ["1.1", "2.0", "2.1", "2.2"])
        self.assertTrue(self.pane.up(self.items, self.paint))
        self.assertEqual(self.shown(), ["0.0", "1.0", "1.1", "2.0"])
        self.assertFalse(self.pane.up(self.items, self.paint))
        self.assertEqual(self.shown(), ["0.0", "1.0", "1.1", "2.0"])
        self.pane.down(self.items, self.paint)
        self.assertEqual(self.shown(), ["2.0", "2.1", "2.2", "3.0"])
        self.pane.down(self.items, self.paint)
        self.assertTrue(self.pane.follows)
        self.pane.down(self.items, self.paint)
        self.assertTrue(self.pane.follows)

    def test_down_to_the_very_last_row(self) -> None:
        """A page down that ends exactly at the last row follows the end again."""
        self.shown()
        self.pane.lowest = (self.items[3].key, 1)
        self.pane.height = 3  # one row of item 3, and two more of item 4
        self.pane.down(self.items, self.paint)
        self.assertTrue(self.pane.follows)

    def test_stays(self) -> None:
        """The visible part stays in place when items are added at the end, or loaded at the beginning."""
        self.shown()
        self.pane.up(self.items, self.paint)
        before = self.shown()
        self.items.append(Item(Kind.NOTE, (9, 0, 0), "new"))
        self.items.insert(0, Item(Kind.NOTE, (-1, 0, 0), "old"))
        self.assertEqual(self.shown(), before)

    def test_gone(self) -> None:
        """If the lowest item disappears, the previous one is the lowest. Without items nothing is visible."""
        self.shown()
        self.pane.up(self.items, self.paint)
        del self.items[2]
        self.assertEqual(self.shown(3), ["0.0", "1.0", "1.1"])
        self.pane.show((-1, 0, 0))
        self.assertEqual(len(self.shown(2)), 2)
        self.items.clear()
        self.assertEqual(self.shown(), [])
        self.assertFalse(self.pane.up(self.items, self.paint))

    def test_lowest_is_gone(self) -> None:
        """If the lowest item disappears while only a part of it is visible, the previous one is visible as a whole."""
        self.pane.lowest = (self.items[2].key, 1)
        self.assertEqual(self.shown(3), ["1.0", "1.1", "2.0"])
        del self.items[2]
        self.assertEqual(self.shown(3), ["0.0", "1.0", "1.1"])
        self.assertEqual(self.shown(2), ["1.0", "1.1"])

    def test_all_below_are_gone(self) -> None:
        """If nothing from the lowest item on up is left, the first row is visible."""
        self.items = _items([2, 2])
        self.pane.show((-1, 0, 0))
        self.assertEqual(self.shown(1), ["0.0"])

    def test_drawn(self) -> None:
        """The pane knows the highest and lowest visible items, and the lowest one that is visible to its last row."""
        self.assertEqual((self.pane.height, self.pane.drawn, self.pane.whole), (1, None, None))
        for drawn, whole in (((2, 4), 4), ((1, 2), 2), ((0, 2), 1)):
            self.shown()
            self.assertEqual(self.pane.drawn, tuple(self.items[index].key for index in drawn))
            self.assertEqual(self.pane.whole, self.items[whole].key)
            self.pane.up(self.items, self.paint)
        self.assertEqual(self.pane.height, 4)

    def test_moves_replace_each_other(self) -> None:
        """The last move counts, and nothing was drawn since: to an item, to a first item, or to the end."""
        keys = [item.key for item in self.items]
        self.pane.begin_at(keys[1])
        self.assertFalse(self.pane.follows)
        self.pane.show(keys[3])
        self.assertEqual((self.shown()[-1], self.pane.whole), ("3.0", keys[3]))
        self.pane.begin_at(keys[1])
        self.assertIsNone(self.pane.whole)
        self.assertEqual(self.shown()[0], "1.0")
        self.assertEqual(self.shown()[0], "1.0")
        self.pane.show(keys[3])
        self.assertIsNone(self.pane.whole)
        self.pane.begin_at((99, 0, 0))
        self.assertEqual(self.shown()[-1], "4.1")
        self.pane.begin_at(keys[1])
        self.pane.to_end()
        self.assertEqual((self.shown()[-1], self.pane.follows), ("4.1", True))

    def test_down_past_all(self) -> None:
        """A page down follows the end if that is visible, or if all visible items are gone."""
        self.shown()
        self.pane.down(self.items, self.paint)
        self.assertTrue(self.pane.follows)
        self.pane.up(self.items, self.paint)
        self.assertFalse(self.pane.follows)
        self.items.clear()
        self.pane.down(self.items, self.paint)
        self.assertTrue(self.pane.follows)
        self.items += _items([1])
        self.assertEqual(self.shown(), ["0.0"])

    def test_paints_what_shows(self) -> None:
        """Only visible items are painted, however many there are."""
        painted: list[int] = []

        def paint(index: int) -> list[Row]:
            painted.append(index)
            return self.paint(index)

        for height, indexes in ((3, [4, 3]), (4, [4, 3, 2]), (6, [4, 3, 2])):
            painted.clear()
            self.pane.rows(self.items, paint, height)
            self.assertEqual(painted, indexes)

    def test_all_fits(self) -> None:
        """If everything fits, everything is visible, wherever the pane was."""
        self.pane.show(self.items[0].key)
        self.assertEqual(len(self.shown(20)), 9)
        self.assertTrue(self.pane.follows)

    def test_shown_near_the_top(self) -> None:
        """An item near the top is shown although the rows above it do not fill the pane."""
        self.pane.show(self.items[1].key)
        self.assertEqual(self.shown(), ["0.0", "1.0", "1.1", "2.0"])
        self.assertFalse(self.pane.follows)
        self.assertFalse(self.pane.up(self.items, self.paint))

    def test_by_rows(self) -> None:
        """The pane can be moved by some rows. It stops at the top, and follows the end from there on."""
        self.shown()
        self.assertTrue(self.pane.up(self.items, self.paint, 2))
        self.assertEqual(self.shown(), ["2.0", "2.1", "2.2", "3.0"])
        self.assertTrue(self.pane.up(self.items, self.paint, 9))
        self.assertEqual(self.shown()[0], "0.0")
        self.assertFalse(self.pane.up(self.items, self.paint, 1))
        self.pane.down(self.items, self.paint, 4)
        self.assertEqual((self.shown()[-1], self.pane.follows), ("4.0", False))
        self.pane.down(self.items, self.paint, 1)
        self.assertTrue(self.pane.follows)

    @given(st.lists(st.integers(1, 5), min_size=1, max_size=12), st.integers(2, 6), st.lists(st.booleans(), max_size=9))
    def test_always_full(self, heights: list[int], height: int, moves: list[bool]) -> None:
        """However the pane is moved, it is as full as possible, and its rows are contiguous."""
        self.items, self.pane = _items(heights), Pane()
        rows = [_text(row) for index in range(len(heights)) for row in self.paint(index)]
        self.shown(height)
        for is_up in moves:
            if is_up:
                self.pane.up(self.items, self.paint)
            else:
                self.pane.down(self.items, self.paint)
            shown = self.shown(height)
            self.assertEqual(len(shown), min(height, len(rows)))
            first = rows.index(shown[0])
            self.assertEqual(rows[first : first + len(shown)], shown)
