"""The chosen entry of a list."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.client.view.listing import Cursor, first_row


class CursorTests(SynchronousTestCase):
    """Choosing from a list."""

    def test_moves(self) -> None:
        """Moving wraps around and chooses existing entries."""
        cursor: Cursor[str] = Cursor()
        self.assertIsNone(cursor.choose([]))
        cursor.move(1, [])
        cursor.move(-1, [*"abc"])
        self.assertEqual(cursor.choose([]), "c")
        cursor.move(1, [*"abc"])
        self.assertEqual(cursor.choose([]), "a")

    def test_another_order(self) -> None:
        """The choice stays with its entry when the order changes."""
        cursor: Cursor[str] = Cursor()
        self.assertEqual(cursor.settle([*"abc"]), 0)
        self.assertEqual((cursor.settle([*"cba"]), cursor.choose([])), (2, "a"))

    def test_gone(self) -> None:
        """The drawn entry is chosen even if it has left the list. After a redraw, the entry in its row is chosen."""
        cursor: Cursor[str] = Cursor()
        cursor.move(1, [*"abc"])
        self.assertEqual(cursor.choose([]), "b")
        self.assertEqual((cursor.settle([*"ac"]), cursor.choose([])), (1, "c"))
        self.assertEqual((cursor.settle([]), cursor.choose([])), (0, None))

    def test_first(self) -> None:
        """Without a chosen entry, the first one is chosen."""
        cursor: Cursor[str] = Cursor()
        self.assertEqual((cursor.choose([*"abc"]), cursor.key), ("a", "a"))

    def test_shows(self) -> None:
        """The chosen row is always among the visible rows."""
        self.assertEqual((first_row(9, 20, 4), first_row(9, 10, 4), first_row(2, 3, 4)), (7, 6, 0))
