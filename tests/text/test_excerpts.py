"""Search results for display."""

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.text.cells import cells
from irchat.text.excerpts import Hit, find, shorten
from irchat.text.folding import words as words_in

_TEXTS = st.text(st.sampled_from("ab cd日本\u0301éß🙂👩\u200d💻ﬁＡनक्षि한국."), max_size=60)


class FindTests(SynchronousTestCase):
    """The words of a search in a text."""

    def marked(self, text: str, words: str) -> list[str]:
        """Return the marked parts."""
        return [piece for piece, is_word in find(text, words).pieces() if is_word]

    def test_as_search_finds(self) -> None:
        """Whole words are marked, regardless of case, accents, width and form. Parts of words are not."""
        for text, words, expected in (
            ("The Cat sat. concat", "cat", ["Cat"]),
            ("STRASSE Straße", "strasse", ["STRASSE", "Straße"]),
            ("Jose\u0301 and José and jose", "josé", ["José", "José", "jose"]),
            ("ＡＢＣ abc", "abc", ["ＡＢＣ", "abc"]),
            ("今日は日本へ行く", "日本", ["日本"]),
            ("한국어 한국", "한국", ["한국"]),
            ("Great👍 great", "great", ["Great", "great"]),
            ("Great👍", "👍", ["👍"]),
            ("abc日本def", "日本 abc", ["abc", "日本"]),
            ("don't", "don't", ["don't"]),
            ("full-text search", "full text", ["full", "text"]),
            ("a|b (c)", "(c) b", ["b", "c"]),
            ("①first first½", "first", ["first", "first"]),
            ("①first", "①", ["①"]),
            ("①first x", "first① ①first", ["①first"]),
            ("H₂O x²", "h2o X2", ["H₂O", "x²"]),
            ("Acme™ ℌello ﬁne", "acme hello fine", ["Acme", "ℌello", "ﬁne"]),
            ("👨\u200d👩\u200d👧 ❤\ufe0f", "👨\u200d👩\u200d👧 ❤", ["👨\u200d👩\u200d👧", "❤\ufe0f"]),
            ("नमस्ते", "नमस्ते", ["नमस्ते"]),
            ("nothing", "...", []),
            ("nothing", "", []),
        ):
            self.assertEqual(self.marked(text, words), expected, (text, words))

    @given(_TEXTS, _TEXTS)
    def test_any(self, text: str, words: str) -> None:
        """The text stays the same except for white space, and the marks lie inside it in order."""
        hit = find(text, words)
        self.assertEqual("".join(piece for piece, _ in hit.pieces()), hit.text)
        self.assertEqual(find(hit.text, "").text, hit.text)
        ends = [place for mark in hit.marks for place in mark]
        self.assertEqual(ends, sorted(ends))

    @given(_TEXTS, st.text(st.sampled_from("ab日é①ﬁ½👩²"), min_size=1, max_size=3))
    @example("①first", "first")
    def test_marks_where_search_finds(self, text: str, word: str) -> None:
        """A text has a mark exactly if the index finds the word in it."""
        phrase = " ".join(words_in(word))
        held = bool(phrase) and f" {phrase} " in f" {' '.join(words_in(text))} "
        self.assertEqual(bool(find(text, word).marks), held)


class ShortenTests(SynchronousTestCase):
    """Excerpts."""

    def test_around_the_first(self) -> None:
        """The excerpt starts shortly before the first mark, with an ellipsis at each cut end."""
        hit = shorten(find("one " * 100 + "needle" + " two" * 100, "needle"), 60)
        self.assertRegex(hit.text, r"\A…one (one )*needle( two)*( t?w?)?…\Z")
        self.assertEqual(hit.text[slice(*hit.marks[0])], "needle")

    def test_at_the_ends(self) -> None:
        """Near the beginning or the end of the text, only the other side is cut."""
        self.assertTrue(shorten(find("needle" + " two" * 100, "needle"), 40).text.startswith("needle two"))
        self.assertTrue(shorten(find("one " * 100 + "needle", "needle"), 40).text.endswith("one needle"))
        self.assertEqual(shorten(find("short", "short"), 40).text, "short")

    @given(_TEXTS, _TEXTS, st.integers(8, 40))
    def test_fits(self, text: str, words: str, most: int) -> None:
        """An excerpt is not wider than its limit, and its marks are words of the text."""
        whole = find(text, words)
        hit = shorten(whole, most)
        self.assertLessEqual(cells(hit.text), most)
        self.assertIsInstance(hit, Hit)
        self.assertEqual(bool(hit.marks), bool(whole.marks))
        for first, last in hit.marks:
            self.assertIn(hit.text[first:last], whole.text)
