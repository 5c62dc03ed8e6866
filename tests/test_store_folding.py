"""Tests of `irchat.store.folding`."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces import GLOBAL, AddMessage, CreateUser
from irchat.store.folding import fold
from irchat.store.sqlite import SQLiteStore
from irchat.store.threads import NoThreads


class FoldingTests(SynchronousTestCase):
    """What search takes for the same."""

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
