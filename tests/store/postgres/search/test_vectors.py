"""Vectors and queries that PostgreSQL reads and matches as the index of SQLite does."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.store.phrases import holds, phrases_of
from irchat.store.postgres.connecting import Database
from irchat.store.postgres.search.vectors import query, vector
from tests.helpers.services import shared_postgres

_LONG = "x" * 3_000


class VectorTests(SynchronousTestCase):
    """A connection to PostgreSQL."""

    def setUp(self) -> None:
        """Open it."""
        self.connection = Database(shared_postgres().url()).connect()
        self.addCleanup(self.connection.close)

    def matches(self, text: str, *words: str, chat: int | None = None) -> bool:
        """Return whether PostgreSQL finds the words in a text of chat 7."""
        asked, _ = query(phrases_of(words), chat)
        row: Any = self.connection.execute("SELECT %s::tsvector @@ %s::tsquery", (vector(7, text), asked)).fetchone()
        return bool(row[0])

    def test_words(self) -> None:
        """All words must be there, a phrase with its words side by side."""
        for words, expected in (
            (("bar",), True), (("BAR", "foo"), True), (("foo-bar",), True), (("bar-foo",), False), (("ba",), False),
            (("漢字",), True), (("字漢",), False), (("字字",), True), ((_LONG,), True), ((_LONG[1:],), False),
        ):  # fmt: skip
            self.assertEqual(self.matches(f"foo bar x 漢字字 {_LONG}", *words), expected, words)

    def test_chat(self) -> None:
        """The chat of a message is in its vector, and no text is like it."""
        self.assertEqual([self.matches("a", "a", chat=chat) for chat in (7, 77, None)], [True, False, True])
        self.assertFalse(self.matches("a #c77 c77", "a", chat=77))

    def test_many_places(self) -> None:
        """In a text with more places than a vector can hold, a phrase at its end is found by its words."""
        text = "字" * 600 + " end 漢字"
        self.assertTrue(self.matches(text, "漢字"))
        self.assertTrue(self.matches(text, "字漢"))  # and then the text is compared
        self.assertFalse(query(phrases_of(["字漢"]), None)[1])
        self.assertFalse(self.matches("字" * 100 + " end 漢字", "字漢"))

    def test_exact(self) -> None:
        """Matches of words alone are hits. Very many words are asked for in part."""
        self.assertEqual(query([("a",), ("b",)], None), ("'a'&'b'", True))
        self.assertFalse(query([(f"w{number}",) for number in range(65)], None)[1])

    @settings(max_examples=200)
    @given(st.lists(st.sampled_from("ab字漢ﬃé☃'\\&|:*! \0\t"), max_size=9).map("".join), st.data())
    def test_no_message_is_missed(self, text: str, data: st.DataObject) -> None:
        """A search finds the texts that hold its words, and no others."""
        words = data.draw(st.lists(st.sampled_from(text.split() or ["a"]) | st.sampled_from(["ab", "字"]), max_size=3))
        phrases = phrases_of(words)
        if phrases:
            self.assertEqual(self.matches(text, *words), holds(text, phrases), (text, words))
