"""The words and phrases of a search."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.store.phrases import SIDE_BY_SIDE, for_index, holds, phrases_of


class PhraseTests(SynchronousTestCase):
    """The words of a search, those to ask an index for, and those that a text must hold."""

    def test_phrases(self) -> None:
        """Words are folded, come once, and those with nothing to search for are left out."""
        self.assertEqual(phrases_of(["Foo-Bar", "STRASSE", "...", "foo.bar", "漢字"]),
                         [("foo", "bar"), ("strasse",), ("漢", "字")])  # fmt: skip

    def test_short(self) -> None:
        """Short phrases are asked for as they are, and need no comparison."""
        self.assertEqual(for_index([("a", "b"), ("c",)]), ([("a", "b"), ("c",)], True))

    def test_long(self) -> None:
        """Beyond some words side by side, an index is asked for single words, each once."""
        phrase = tuple("abcdefghijklmnopqrst")
        asked, is_exact = for_index([phrase, phrase[:3]])
        self.assertEqual(asked[0], phrase[:SIDE_BY_SIDE])
        self.assertEqual(asked[1:], [(letter,) for letter in "qrstabc"])
        self.assertFalse(is_exact)

    def test_many(self) -> None:
        """Phrases of two words count as well: an index is asked for the words of the ninth one by one."""
        phrases = [(f"a{number}", f"b{number}") for number in range(SIDE_BY_SIDE // 2 + 1)]
        self.assertEqual(for_index(phrases[:-1]), (phrases[:-1], True))
        self.assertEqual(for_index(phrases), ([*phrases[:-1], ("a8",), ("b8",)], False))

    def test_holds(self) -> None:
        """A text holds a phrase only with its words side by side, and whole."""
        self.assertTrue(holds("so Foo-bar it", [("foo", "bar"), ("it",)]))
        for text in "bar foo it", "foo x bar it", "foo bars it", "foo bar":
            self.assertFalse(holds(text, [("foo", "bar"), ("it",)]), text)
