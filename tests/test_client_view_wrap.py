"""Text in cells, times and colours."""

from datetime import UTC

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.view.paint import NAME_COLOURS, left, local_time, name_style
from irchat.client.view.wrap import cells, fit, is_complex, without_direction, wrap

_TEXTS = st.text(st.sampled_from("ab  cde日本\u0301🙂👩\u200d💻\n\t🇩🇪"), max_size=60)


class WrapTests(SynchronousTestCase):
    """Where a text wraps."""

    def test_words(self) -> None:
        """A text is broken at spaces, and the space that broke it is on neither row."""
        self.assertEqual(wrap("the quick brown fox", 10), ["the quick", "brown fox"])
        self.assertEqual(wrap("aaaa bbbb", 4), ["aaaa", "bbbb"])

    def test_long_word(self) -> None:
        """A word longer than a row is broken where the row ends."""
        self.assertEqual(wrap("x abcdefghij", 5), ["x", "abcde", "fghij"])

    def test_wide(self) -> None:
        """A wide character that does not fit goes to the next row as a whole."""
        self.assertEqual(wrap("日本語", 5), ["日本", "語"])

    def test_joined(self) -> None:
        """What joins to the character before it is never parted from it."""
        self.assertEqual(wrap("aa👩\u200d💻", 4), ["aa", "👩\u200d💻"])
        self.assertEqual(wrap("aae\u0301b", 3), ["aae\u0301", "b"])

    def test_lines_and_tabs(self) -> None:
        """A line feed begins a row, an empty line is a row, a tab goes to the next fourth cell."""
        self.assertEqual(wrap("a\n\nb\tc", 20), ["a", "", "b   c"])

    @given(_TEXTS, st.integers(4, 12))
    def test_fits_and_loses_nothing(self, text: str, width: int) -> None:
        """No row is wider than the width, and only spaces at breaks are lost."""
        rows = wrap(text, width)
        joined = "".join(rows).replace(" ", "")
        self.assertEqual(joined, text.replace(" ", "").replace("\n", "").replace("\t", ""))
        for row in rows:
            self.assertTrue(cells(row) <= width or len(row) <= 8, row)

    def test_fit(self) -> None:
        """What is too wide is cut, with an ellipsis within the width."""
        self.assertEqual(fit("abc", 3), "abc")
        self.assertEqual(fit("abcd", 3), "ab…")
        self.assertEqual(fit("日本語", 4), "日…")
        self.assertEqual(fit("abc", 0), "")

    def test_complex(self) -> None:
        """Emoji of several code points are known, others are not."""
        self.assertEqual([is_complex(text) for text in ("a", "é", "🙂", "👩\u200d💻", "✌\ufe0f", "🇩🇪")],
                         [False, False, False, True, True, True])  # fmt: skip

    def test_direction(self) -> None:
        """Marks of direction go, right-to-left letters stay."""
        self.assertEqual(without_direction("a\u200fb\u061c שלום"), "ab שלום")
        self.assertEqual(without_direction("plain"), "plain")


class PaintTests(SynchronousTestCase):
    """Colours and times."""

    def test_name(self) -> None:
        """A name has one colour, in whatever case it is written."""
        self.assertEqual(name_style("Bob"), name_style("bob"))
        self.assertGreater(len({name_style(f"user{n}") for n in range(100)}), 10)

    def test_contrast(self) -> None:
        """Each colour can be read on black and on white."""
        for colour in NAME_COLOURS:
            luminance = _luminance(colour)
            self.assertGreater(min(1.05 / (luminance + 0.05), (luminance + 0.05) / 0.05), 3.6, colour)

    def test_left(self) -> None:
        """What is left is rounded up, and short however long it is."""
        self.assertEqual(
            [left(seconds) for seconds in (0.2, 29.5, 119, 120, 7_199, 7_200, 86_399, 604_800, -3)],
            ["1s", "30s", "119s", "2m00s", "119m59s", "2h00m", "23h59m", "7d0h", "0s"],
        )

    def test_local_time(self) -> None:
        """A time of the wire is read, and one that is none is none."""
        self.assertEqual(str(local_time("2026-11-22T13:00:00.000Z", UTC)), "2026-11-22 13:00:00+00:00")
        self.assertIsNone(local_time("yesterday", UTC))


def _luminance(colour: str) -> float:
    channels = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
