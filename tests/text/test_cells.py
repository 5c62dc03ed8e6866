"""The width of text in terminal cells."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.text.cells import cells, cut, fit, graphemes, padded, wrap

_TEXTS = st.text(st.sampled_from("ab  cde日本\u0301🙂👩\u200d💻\n\t🇩🇪नक्षि"), max_size=60)
# As drawn on the screen: controls are already visible, and direction marks removed.
_ANY_TEXTS = st.text(st.characters(exclude_categories=["C", "Z"]) | st.sampled_from(" \n"), max_size=40)


def _solid(text: str) -> str:
    return "".join(text.split())


def _visible(rows: list[str]) -> list[str]:
    return [one.strip() for row in rows for one in graphemes(row) if one.strip()]


class WrapTests(SynchronousTestCase):
    """Wrapping text into rows."""

    def test_words(self) -> None:
        """A text is broken at spaces, and the space at the break is on neither row."""
        self.assertEqual(wrap("the quick brown fox", 10), ["the quick", "brown fox"])
        self.assertEqual(wrap("aaaa bbbb", 4), ["aaaa", "bbbb"])

    def test_long_word(self) -> None:
        """A word longer than a row is broken at the end of the row."""
        self.assertEqual(wrap("x abcdefghij", 5), ["x", "abcde", "fghij"])

    def test_wide(self) -> None:
        """A wide character that does not fit moves to the next row."""
        self.assertEqual(wrap("日本語", 5), ["日本", "語"])

    def test_joined(self) -> None:
        """A grapheme of several code points is never split."""
        self.assertEqual(wrap("aaa👩\u200d💻", 4), ["aaa", "👩\u200d💻"])
        self.assertEqual(wrap("aaae\u0301b", 4), ["aaae\u0301", "b"])
        self.assertEqual(wrap("aaa🇩🇪🇫🇷", 6), ["aaa🇩🇪", "🇫🇷"])
        self.assertEqual(wrap("aaaक्षि", 4), ["aaa", "क्षि"])

    def test_syllables(self) -> None:
        """A syllable is as wide as its letters need, and an emoji of several code points is as wide as one."""
        syllables = ("क्षि", "हि", "नमस्ते", "e\u0301", "👩\u200d💻", "❤\ufe0f\u200d🔥", "1\ufe0f\u20e3")
        self.assertEqual([cells(text) for text in syllables], [3, 2, 4, 1, 2, 2, 2])
        self.assertEqual(cells(" ") + cells("\u093f"), cells(" \u093f"))

    def test_sign_without_a_letter(self) -> None:
        """A vowel sign or accent at the beginning takes as many cells as after a space."""
        for sign in "ि", "ா", "\u0301", "िक":
            self.assertEqual(cells(f" {sign}"), 1 + cells(sign), sign)
        self.assertEqual(wrap("िaaa", 4), ["िaaa"])
        self.assertEqual(wrap("िaaaa", 4), ["िaaa", "a"])

    def test_lines_and_tabs(self) -> None:
        """A line feed starts a row, an empty line is a row, and a tab advances to the next multiple of four."""
        self.assertEqual(wrap("a\n\nb\tc", 20), ["a", "", "b   c"])

    def test_spaces_at_the_end(self) -> None:
        """Spaces past the end of a row make no new row, and indentation stays."""
        self.assertEqual(wrap("aaaa   ", 4), ["aaaa"])
        self.assertEqual(wrap("    if x:\n  y", 9), ["    if x:", "  y"])

    def test_taken(self) -> None:
        """Cells at the start of the first row can be reserved. Text that does not fit moves to the next row."""
        self.assertEqual(wrap("aa bb cc", 5, 3), ["aa", "bb cc"])
        self.assertEqual(wrap("aaaa", 5, 3), ["", "aaaa"])
        self.assertEqual(wrap("aaaaaaaaa", 5, 3), ["aa", "aaaaa", "aa"])
        self.assertEqual(wrap("日本語日", 6, 1), ["日本", "語日"])
        self.assertEqual(wrap("x\ny", 5, 5), ["", "x", "y"])

    @given(_TEXTS | _ANY_TEXTS, st.integers(6, 12), st.integers(0, 9))
    def test_fits_and_loses_nothing(self, text: str, width: int, taken: int) -> None:
        """No row is wider than the width, and no grapheme is lost except spaces at breaks."""
        rows = wrap(text, width, taken)
        self.assertEqual(_solid("".join(rows)), _solid(text))
        self.assertEqual(_visible(rows), _visible(text.split("\n")))
        for number, row in enumerate(rows):
            room = width - (0 if number else taken)
            self.assertTrue(cells(row) <= max(0, room) or len(list(graphemes(row))) == 1, (row, room))

    @given(_TEXTS | _ANY_TEXTS, st.integers(0, 12))
    def test_fit_and_padded(self, text: str, width: int) -> None:
        """A cut text fits, and padding fills it to exactly the width."""
        self.assertLessEqual(cells(fit(text, width)), width)
        self.assertTrue(text.startswith(cut(text, width)))
        self.assertEqual(cells(padded(fit(text, width), width)), width)

    def test_long_texts_are_quick(self) -> None:
        """A word of 4,000 wide characters is wrapped in full rows."""
        rows = wrap("語" * 4_000, 10)
        self.assertEqual((len(rows), set(rows)), (800, {"語" * 5}))

    def test_fit(self) -> None:
        """A text that is too wide is cut, with an ellipsis inside the width."""
        self.assertEqual(fit("abc", 3), "abc")
        self.assertEqual(fit("abcd", 3), "ab…")
        self.assertEqual(fit("日本語", 4), "日…")
        self.assertEqual(fit("abc", 0), "")
