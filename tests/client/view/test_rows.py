"""Messages as rows: at every width nothing is lost, every row fits, and what was searched for is marked."""

from datetime import UTC, date

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.view.items import Item, Kind
from irchat.client.view.navigation import found_item
from irchat.client.view.rows import Brush, Row
from irchat.text.cells import cells
from tests.helpers.client_fakes import message

_NAMES = st.sampled_from(["bob", "山田太郎", "José", "नमस्ते", "a" * 32, "дмитрий", "👩\u200d💻x"])
_TEXTS = st.text(st.sampled_from("ab  cd日本\u0301🙂👩\u200d💻\n🇩🇪नक्षिש"), min_size=1, max_size=80)


def _text(row: Row) -> str:
    return "".join(text for _, text in row.pieces)


def _item(text: str, sender: str = "bob", **fields: object) -> Item:
    return Item(Kind.MESSAGE, (1, 0, 0), text, sender, "2026-11-22T13:00:00.000Z", **fields)


class RowsTests(SynchronousTestCase):
    """Items as rows of a pane."""

    def rows(self, item: Item, width: int, *, with_chat: bool = False, name_width: int = 5) -> list[Row]:
        """The rows of an item."""
        brush = Brush(width, 10.0, name_width=name_width, zone=UTC, today=date(2026, 11, 22))
        return brush.rows(item, None, unread_line=False, with_chat=with_chat)

    @given(_TEXTS, _NAMES, st.integers(20, 100), st.booleans(), st.booleans())
    def test_nothing_is_lost(self, text: str, sender: str, width: int, timed: bool, with_chat: bool) -> None:
        """At any width every row fits, and every letter of the text shows, once."""
        item = _item(text, sender, chat="*team", ends=40.0 if timed else None)
        rows = self.rows(item, width, with_chat=with_chat, name_width=cells(sender))
        for row in rows:
            self.assertLessEqual(cells(_text(row)), width)
        shown = "".join(piece for row in rows for style, piece in row.pieces if style == "class:text")
        self.assertEqual("".join(shown.split()), "".join(text.split()))
        everything = "".join(map(_text, rows))
        self.assertEqual((everything.count("(30s)"), everything.count("*team")), (timed, with_chat))

    def test_narrow(self) -> None:
        """In a pane of less than 40 columns a long text is wrapped at the width that its indentation leaves."""
        rows = [_text(row) for row in self.rows(_item("abcdefghij" * 6), 30)]
        self.assertEqual([cells(row) for row in rows], [30, 30, 16])
        self.assertEqual("".join([rows[0].split("│ ")[1], *(row[2:] for row in rows[1:])]), "abcdefghij" * 6)

    def test_long_first_word(self) -> None:
        """What is left of a timed message shows once, though its first word is longer than the row."""
        for width in 30, 60, 80:
            rows = [_text(row) for row in self.rows(_item("x" * 200, ends=40.0), width)]
            self.assertEqual("".join(rows).count("(30s)"), 1)
            self.assertEqual("".join(rows).count("x"), 200)

    def test_names_in_cells(self) -> None:
        """A name of wide letters has the cells that the pane has for names, and is not cut while there is room."""
        (row,) = self.rows(_item("hi", "山田太郎"), 60, name_width=cells("山田太郎"))
        self.assertEqual(_text(row), "13:00 山田太郎 │ hi")

    def test_long_hit(self) -> None:
        """Of a long message that was found a few rows show, around the words, which are marked."""
        text = "début " * 400 + "the needle here " + "end " * 300
        for width in 30, 60, 80, 200:
            rows = self.rows(found_item(0, message(text), "alice", "NEEDLE"), width, with_chat=True)
            self.assertLessEqual(len(rows), 5)
            self.assertEqual([piece for row in rows for style, piece in row.pieces if style == "class:hit"], ["needle"])
            for row in rows:
                self.assertLessEqual(cells(_text(row)), width)

    def test_short_hit(self) -> None:
        """A short one shows whole, with all words marked."""
        (row,) = self.rows(found_item(0, message("Café\nau lait, cafe noir"), "alice", "cafe noir"), 80)
        self.assertEqual(
            row.pieces[-5:],
            (("class:hit", "Café"), ("class:text", " au lait, "), ("class:hit", "cafe"), ("class:text", " "),
             ("class:hit", "noir")),
        )  # fmt: skip
