"""Tests of `irchat.store.folding`."""

import unicodedata
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces import GLOBAL, AddMessage, CreateUser
from irchat.rules import TEXT_LENGTH
from irchat.store.folding import _UNSPACED, fold
from irchat.store.sqlite import SQLiteStore
from irchat.store.threads import NoThreads


class FoldingTests(SynchronousTestCase):
    """What search takes for the same."""

    @given(st.text(st.characters(exclude_categories=["Cs", "Cn"])) | st.text("aé\u0301\ufdfa\u3316ひ字ก \u17d2"))
    def test_words(self, text: str) -> None:
        """The words are those found character by character: no marks, each character of some scripts alone."""
        text += "é"  # what is ASCII is left to SQLite
        decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
        bare = [character for character in decomposed if unicodedata.category(character) != "Mn"]
        spaced = "".join(f" {character} " if _UNSPACED.fullmatch(character) else character for character in bare)
        if "\U0001171e" not in text:  # is Mn to some versions of Unicode
            self.assertEqual(fold(text).split(), spaced.split())

    def test_signs_of_many_letters(self) -> None:
        """A text may not make the index take eighteen times its length, and every language fits all the same."""
        self.assertLess(len(fold("\ufdfa" * TEXT_LENGTH)), 4 * TEXT_LENGTH)
        for character in "각ệ字あก":
            text = character * (TEXT_LENGTH - 1) + "x"
            self.assertEqual(fold(text)[-1], "x")

    def test_search_in_many_scripts(self) -> None:
        """Case, accents, points and forms do not matter in any script; of unspaced scripts any run is found."""
        pairs = [
            ("HÉLLO", "hello"),
            ("Ωμέγα", "ωμεγα"),
            ("ΣΊΣΥΦΟΣ", "σισυφος"),
            ("Ёлка", "елка"),
            ("край", "краи"),
            ("שָׁלוֹם", "שלום"),
            ("مُحَمَّد", "محمد"),
            ("Straße", "strasse"),
            ("ﬁle", "file"),
            ("ａｂｃ", "ABC"),
            ("日本語のテキスト", "日本"),
            ("日本語のテキスト", "テキスト"),
            ("हिन्दी भाषा", "हिन्दी"),
            ("İstanbul", "istanbul"),
        ]
        store = SQLiteStore(Path(self.mktemp()), NoThreads(), lambda: 0)
        self.addCleanup(store.close)
        self.successResultOf(store.commit([CreateUser("a", "a", None, 0, None)]))
        self.successResultOf(store.commit([AddMessage(GLOBAL, 1, text, 0, None, 0) for text, _ in pairs]))
        for text, words in pairs:
            found, _ = self.successResultOf(store.search(1, words.split(), None, (), 50))
            self.assertIn(text, [message.text for message in found], words)
        found, _ = self.successResultOf(store.search(1, ["本日"], None, (), 50))
        self.assertEqual(found, [])

    @given(st.text())
    def test_idempotent(self, text: str) -> None:
        """What is folded folds to the same words."""
        self.assertEqual(fold(fold(text)).split(), fold(text).split())
