"""Tests of `irchat.text.folding`."""

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.store import SearchQuery
from irchat.interfaces.stored import GLOBAL
from irchat.interfaces.writes import MessageAdded, UserCreated
from irchat.protocol.rules import TEXT_LENGTH, is_searchable
from irchat.store.sqlite.engine import SQLiteStore
from irchat.store.threads import NoThreads
from irchat.text.folding import fold, words


class FoldingTests(SynchronousTestCase):
    """Words that search treats as equal."""

    @pytest.mark.slow
    def test_every_character(self) -> None:
        """For every character, any SQLite finds the expected words, and every searchable character has a word."""
        connection = sqlite3.connect(":memory:")
        self.addCleanup(connection.close)
        connection.execute("CREATE VIRTUAL TABLE w USING fts5 (text, content='', tokenize='ascii')")
        connection.execute("CREATE VIRTUAL TABLE v USING fts5vocab (w, instance)")
        codes = [code for code in range(1, 0x110000) if not 0xD800 <= code < 0xE000]
        # Unassigned characters behave alike, so a sample of them is enough.
        codes = [code for code in codes if code < 0x20000 or not code % 1_009]
        connection.executemany(
            "INSERT INTO w (rowid, text) VALUES (?, ?)", ((code, fold(f"a{chr(code)}b")) for code in codes)
        )
        found: dict[int, list[str]] = {}
        for term, code in connection.execute("SELECT term, doc FROM v ORDER BY doc, offset"):
            found.setdefault(code, []).append(term)
        self.assertEqual([code for code in codes if found[code] != words(f"a{chr(code)}b")], [])
        self.assertEqual([code for code in codes if is_searchable(chr(code)) and not words(chr(code))], [])

    def test_signs(self) -> None:
        """A symbol is a word of its own, and so is a part of an emoji or an unspaced or unknown character."""
        for text, expected in (
            ("Great\U0001f44d", "great \U0001f44d"), ("20°C", "20 ° c"), ("20\u2103", "20 ° c"), ("€20", "€ 20"),
            ("5×3→15", "5 × 3 → 15"), ("new\U0001fae9one", "new \U0001fae9 one"),
            ("ok\U0001f44d\U0001f3fd", "ok \U0001f44d \U0001f3fd"),
            ("\U0001f468\u200d\U0001f469", "\U0001f468 \U0001f469"), ("1\ufe0f\u20e3", "1 \u20e3"),
            ("a\u2014b…c", "a b c"),
            ("日本go", "日 本 go"), ("c++ $5", "c 5"),
            ("Acme™", "acme tm"), ("5㎏", "5 kg"), ("№5", "no 5"), ("2½cups", "2 1 ⁄ 2 cups"), ("①first", "1 first"),
            ("H₂O x²", "h2o x2"),
        ):  # fmt: skip
            self.assertEqual(words(text), expected.split(), text)

    def test_signs_are_found(self) -> None:
        """A word next to a symbol is found without it, the symbol is found alone, and so are both together."""
        texts = ["Great\U0001f44d", "20°C in Łódź", "\U0001fae9", "price:€20", "go\U0001f44d\U0001f3fd", "Acme™"]
        store = SQLiteStore(Path(self.mktemp()), NoThreads(), lambda: 0)
        self.addCleanup(store.close)
        self.successResultOf(store.commit([UserCreated("a", "a", None, 0, None)]))
        self.successResultOf(store.commit([MessageAdded(GLOBAL, 1, text, 0, None, 0) for text in texts]))
        for word, expected in (
            ("great", [0]), ("\U0001f44d", [4, 0]), ("20", [3, 1]), ("°c", [1]), ("20°C", [1]), ("20\u2103", [1]),
            ("\U0001fae9", [2]), ("€", [3]), ("€20", [3]), ("20€", []), ("acme", [5]), ("™", [5]),
            ("great\U0001f44d", [0]),
            ("\U0001f44d\U0001f3fd", [4]),
        ):  # fmt: skip
            found, _ = self.successResultOf(store.search(SearchQuery(1, [word], None, (), 50)))
            self.assertEqual([message.seq - 1 for message in found], expected, word)

    def test_signs_of_many_letters(self) -> None:
        """No text takes more than four times its length in the index, and in each language the longest text fits."""
        self.assertLess(len(fold("\ufdfa" * TEXT_LENGTH)), 4 * TEXT_LENGTH)
        for character in "각ệ字あก":
            text = character * (TEXT_LENGTH - 1) + "x"
            self.assertEqual(fold(text)[-1], "x")

    def test_search_in_many_scripts(self) -> None:
        """Case, accents, points and forms do not matter in any script. In unspaced scripts any run is found."""
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
        self.successResultOf(store.commit([UserCreated("a", "a", None, 0, None)]))
        self.successResultOf(store.commit([MessageAdded(GLOBAL, 1, text, 0, None, 0) for text, _ in pairs]))
        for text, wanted in pairs:
            found, _ = self.successResultOf(store.search(SearchQuery(1, wanted.split(), None, (), 50)))
            self.assertIn(text, [message.text for message in found], wanted)
        found, _ = self.successResultOf(store.search(SearchQuery(1, ["本日"], None, (), 50)))
        self.assertEqual(found, [])

    @given(st.text())
    def test_idempotent(self, text: str) -> None:
        """Folding a folded text does not change its words."""
        self.assertEqual(words(fold(text)), words(text))
