"""The chosen entry of a list."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.client.view.listing import Cursor, first_row


class CursorTests(SynchronousTestCase):
    """A list to choose from."""

    def test_moves(self) -> None:
        """It goes round, and chooses what is there."""
        cursor: Cursor[str] = Cursor()
        self.assertIsNone(cursor.choose([]))
        cursor.move(1, [])
        cursor.move(-1, [*"abc"])
        self.assertEqual(cursor.choose([]), "c")
        cursor.move(1, [*"abc"])
        self.assertEqual(cursor.choose([]), "a")

    def test_another_order(self) -> None:
        """It stays with its entry when the list changes its order."""
        cursor: Cursor[str] = Cursor()
        self.assertEqual(cursor.settle([*"abc"]), 0)
        self.assertEqual((cursor.settle([*"cba"]), cursor.choose([])), (2, "a"))

    def test_gone(self) -> None:
        """What was drawn is chosen even if it has left the list; drawn again, the entry in its row is chosen."""
        cursor: Cursor[str] = Cursor()
        cursor.move(1, [*"abc"])
        self.assertEqual(cursor.choose([]), "b")
        self.assertEqual((cursor.settle([*"ac"]), cursor.choose([])), (1, "c"))
        self.assertEqual((cursor.settle([]), cursor.choose([])), (0, None))

    def test_shows(self) -> None:
        """The place is always among the rows that show."""
        self.assertEqual((first_row(9, 20, 4), first_row(9, 10, 4), first_row(2, 3, 4)), (7, 6, 0))
