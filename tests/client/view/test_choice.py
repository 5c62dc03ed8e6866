"""Choosing a message in the pane."""

from irchat.client.view.panels import Painter
from irchat.client.view.rows import Row
from tests.client.view.test_screen_state import ScreenStateCase
from tests.helpers.client_fakes import amended, message


def _text(row: Row) -> str:
    return "".join(text for _, text in row.pieces).rstrip()


class WidthTests(ScreenStateCase):
    """The column of names."""

    def test_widest(self) -> None:
        """All texts begin below each other, right of the widest name."""
        self.view.link = ""
        self.load(message("one", seq=1, sender="bo"), message("two", seq=2, sender="catherine"))
        self.view.open_chat("GLOBAL")
        rows = [_text(row) for row in Painter(self.view).pane(60, 6, 0.0) if row.pieces]
        one, two = (next(row for row in rows if row.endswith(text)) for text in ("one", "two"))
        self.assertEqual(len(one), len(two))
        self.assertIn("catherine", two)


class ChoiceTests(ScreenStateCase):
    """The chosen message, and what the pane shows of it."""

    def setUp(self) -> None:
        """Open GLOBAL with 30 messages, and a timed one at the end."""
        super().setUp()
        self.view.link = ""
        self.painter = Painter(self.view)
        self.load(*(message(f"text {seq}", seq=seq) for seq in range(1, 31)), message("psst", id="t", left_ms=9_000))
        self.chat = self.view.open_chat("GLOBAL")
        self.choice = self.view.choice
        self.rows()

    def rows(self, height: int = 6) -> list[str]:
        """Return the pane as text, and the chosen row with a sign before it."""
        rows = self.painter.pane(60, height, 0.0)
        return [("> " if "class:chosen" in row.pieces[0][0] else "  ") + _text(row) for row in rows if row.pieces]

    def chosen(self) -> int | None:
        """Return the seq of the chosen message."""
        item = self.choice.item(self.chat.items)
        return None if item is None else item.seq

    def begin(self) -> None:
        """Choose the lowest message."""
        self.assertTrue(self.choice.begin(self.chat.items, self.view.pane))

    def test_begins_at_the_bottom(self) -> None:
        """The lowest visible stored message is chosen first: a timed one has no number."""
        self.begin()
        self.assertEqual(self.chosen(), 30)
        self.assertEqual(next(row for row in self.rows() if row.startswith("> "))[-7:], "text 30")
        self.choice.end(self.view.pane)
        self.view.pane.show((10, 0, 0))
        self.begin()
        self.assertEqual(self.chosen(), 10)

    def test_below_a_list(self) -> None:
        """While a list or the manual is over the pane, keys do not go to the chosen message."""
        self.assertFalse(self.view.is_choosing)
        self.begin()
        self.assertTrue(self.view.is_choosing)
        self.view.filter = ""
        self.assertFalse(self.view.is_choosing)
        self.view.filter, self.view.manual = None, 0
        self.assertFalse(self.view.is_choosing)

    def test_moves(self) -> None:
        """The chosen message stays visible, whichever way it moves; the ends say that there is no more."""
        self.begin()
        for seq in range(29, 0, -1):
            self.assertTrue(self.choice.move(self.chat.items, -1))
            self.assertTrue(any(row.startswith("> ") and row.endswith(f"text {seq}") for row in self.rows()))
        self.assertFalse(self.choice.move(self.chat.items, -1))
        self.assertEqual((self.chosen(), self.rows()[-1][-6:]), (1, "text 5"))
        for _ in range(29):
            self.assertTrue(self.choice.move(self.chat.items, 1))
            self.assertEqual(len([row for row in self.rows() if row.startswith("> ")]), 1)
        self.assertFalse(self.choice.move(self.chat.items, 1))
        self.assertEqual(self.chosen(), 30)

    def test_high_message(self) -> None:
        """Of a message that is higher than the pane, the first rows are shown, however often they are drawn."""
        self.view.amend(amended(seq=20, rev=1, text="\n".join(f"row {n}" for n in range(20)), edited="e"))
        self.begin()
        for _ in range(10):
            self.choice.move(self.chat.items, -1)
        for _ in range(3):
            self.assertEqual([row[-5:] for row in self.rows()], [f"row {n}" for n in range(6)])

    def test_deleted(self) -> None:
        """If the chosen message is deleted, the one before it is chosen, or the first one."""
        self.begin()
        self.view.amend(amended(seq=30, rev=1, deleted=True))
        self.assertEqual(self.chosen(), 29)
        self.rows()
        self.assertEqual(self.choice.key, (29, 0, 0))
        self.load(message("only", seq=1), name="@bob")
        chat = self.view.open_chat("@bob")
        self.choice.begin(chat.items, self.view.pane)
        self.view.amend(amended(chat="@bob", seq=1, rev=1, deleted=True))
        self.assertIsNone(self.choice.item(chat.items))

    def test_ends(self) -> None:
        """Ending returns to the end of the chat if the pane was there. Leaving the chat ends it as well."""
        self.begin()
        for _ in range(20):
            self.choice.move(self.chat.items, -1)
        self.rows()
        self.assertFalse(self.view.pane.follows)
        self.choice.end(self.view.pane)
        self.assertTrue(self.view.pane.follows)
        self.begin()
        self.view.go_home()
        self.assertFalse(self.choice.is_on)

    def test_end_leaves_a_moved_pane(self) -> None:
        """Ending does not move a pane that was moved up before, and without a chosen message it moves nothing."""
        self.view.pane.show((10, 0, 0))
        self.begin()
        self.choice.end(self.view.pane)
        self.assertEqual((self.view.pane.follows, self.choice.is_on), (False, False))
        self.view.pane.to_end()
        self.begin()
        self.choice.end(self.view.pane)
        self.view.pane.show((10, 0, 0))
        self.choice.end(self.view.pane)
        self.assertFalse(self.view.pane.follows)

    def test_nothing_above(self) -> None:
        """Without a stored message above, the first one below is chosen: at the beginning, and after deletions."""
        self.view.pane.lowest = ((0, 0, 0), 1)
        self.begin()
        self.assertEqual(self.chosen(), 1)
        for seq in (1, 2):
            self.view.amend(amended(seq=seq, rev=seq, deleted=True))
            self.assertEqual(self.chosen(), seq + 1)

    def test_lost(self) -> None:
        """A deletion of the chosen message says so, closes its links, and chooses its neighbour, if there is any."""
        self.view.amend(amended(seq=30, rev=1, text="https://a.example", edited="e"))
        self.assertFalse(self.choice.lost(30, self.chat.items))
        self.begin()
        self.choice.list_links(self.chat.items)
        self.assertFalse(self.choice.lost(29, self.chat.items))
        self.assertEqual((self.choice.key, len(self.choice.links or ())), ((30, 0, 0), 1))
        self.chat.delete(30)
        self.assertTrue(self.choice.lost(30, self.chat.items))
        self.assertEqual((self.choice.key, self.choice.links), ((29, 0, 0), None))
        self.assertTrue(self.choice.lost(29, []))
        self.assertFalse(self.choice.is_on)

    def test_cannot_move(self) -> None:
        """Nothing moves if no message is chosen or none is left."""
        self.assertIs(self.choice.move(self.chat.items, 1), False)
        self.begin()
        self.assertIs(self.choice.move([], 1), False)
        self.assertFalse(self.choice.list_links([]))

    def test_long_links(self) -> None:
        """A link that is too long is cut at the width, chosen or not."""
        links = " ".join(f"https://{name}.example/" + "x" * 80 for name in "ab")
        self.view.amend(amended(seq=30, rev=1, text=links, edited="e"))
        self.begin()
        self.choice.list_links(self.chat.items)
        self.assertEqual([(len(row) - 2, row[-1]) for row in self.rows()], [(60, "…")] * 2)

    def test_links_again(self) -> None:
        """A list of links begins at the first one, whichever was chosen in the list before."""
        self.view.amend(amended(seq=30, rev=1, text="https://a.example https://b.example", edited="e"))
        self.begin()
        for _ in range(2):
            self.choice.list_links(self.chat.items)
            self.assertEqual([row[:3] for row in self.rows()], ["> ▸", "   "])
            self.choice.cursor.move(1, self.choice.links or [])
            self.assertEqual([row[:3] for row in self.rows()], ["   ", "> ▸"])
        self.choice.move(self.chat.items, -1)
        self.choice.list_links(self.chat.items)
        self.assertIsNone(self.choice.links)

    def test_nothing_to_choose(self) -> None:
        """A chat without messages has nothing to choose."""
        self.assertFalse(self.choice.begin(self.view.open_chat("@bob").items, self.view.pane))

    def test_links(self) -> None:
        """The links of the chosen message are listed in place of the chat."""
        self.view.amend(amended(seq=30, rev=1, text="https://a.example or *team#2", edited="e"))
        self.begin()
        self.assertTrue(self.choice.list_links(self.chat.items))
        self.assertEqual(self.rows(), ["> ▸ https://a.example", "    *team#2"])
        self.choice.links = None
        self.choice.move(self.chat.items, -1)
        self.assertFalse(self.choice.list_links(self.chat.items))

    def test_status(self) -> None:
        """The status line has the number and the keys."""
        self.begin()
        status = " ".join(_text(row).strip() for row in self.painter.status(120, 3, "", ""))
        narrow = [_text(row).strip() for row in self.painter.status(60, 2, "", "")]
        self.assertEqual(
            [row.endswith(end) for row, end in zip(narrow, ("mark", "Esc: back"), strict=True)], [True] * 2
        )
        self.assertTrue(status.startswith("#30  r, Enter: answer  e: edit  d: delete"))
