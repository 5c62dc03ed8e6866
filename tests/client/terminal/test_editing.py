"""Editing by grapheme."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from wcwidth import iter_graphemes

from irchat.client.terminal.editing import GraphemeBuffer

_GRAPHEMES = [
    "a", "b ", "日", "👩\u200d💻", "👨\u200d👩\u200d👧\u200d👦", "🇩🇪", "e\u0301", "क्षि", "नमस्ते", "✌\ufe0f", "🙂", "ש",
]  # fmt: skip


class BufferTests(SynchronousTestCase):
    """Editing by grapheme."""

    def setUp(self) -> None:
        """Create a buffer with four graphemes."""
        self.buffer = GraphemeBuffer(multiline=True)
        self.buffer.insert_text("x👩\u200d💻क्षिe\u0301")

    def test_moves(self) -> None:
        """The cursor stops only between graphemes, in both directions."""
        stops = []
        while self.buffer.cursor_position:
            self.buffer.cursor_left()
            stops.append(self.buffer.cursor_position)
        self.assertEqual(stops, [8, 4, 1, 0])
        stops.clear()
        while self.buffer.cursor_position < len(self.buffer.text):
            self.buffer.cursor_right()
            stops.append(self.buffer.cursor_position)
        self.assertEqual(stops, [1, 4, 8, 10])

    def test_undo(self) -> None:
        """Undo goes back a number of steps. Each of them holds the text."""
        for number in range(600):
            self.buffer.save_to_undo_stack()
            self.buffer.insert_text(f"{number}")
        for _ in range(600):
            self.buffer.undo()
        self.assertTrue(self.buffer.text.endswith("9899"), self.buffer.text)

    def test_deletes(self) -> None:
        """Graphemes are deleted as a whole, before the cursor and after it."""
        self.assertEqual(self.buffer.delete_before_cursor(), "e\u0301")
        self.assertEqual(self.buffer.delete_before_cursor(), "क्षि")
        self.assertEqual(self.buffer.text, "x👩\u200d💻")
        self.buffer.cursor_position = 1
        self.assertEqual(self.buffer.delete(), "👩\u200d💻")
        self.assertEqual(self.buffer.delete(), "")
        self.assertEqual(self.buffer.delete_before_cursor(), "x")
        self.assertEqual((self.buffer.text, self.buffer.delete_before_cursor()), ("", ""))

    def test_swaps(self) -> None:
        """Transposing swaps two graphemes, not their code points."""
        self.buffer.swap_characters_before_cursor()
        self.assertEqual(self.buffer.text, "x👩\u200d💻e\u0301क्षि")
        self.buffer.cursor_position = 1
        self.buffer.swap_characters_before_cursor()
        self.assertEqual(self.buffer.text, "x👩\u200d💻e\u0301क्षि")

    @given(st.lists(st.sampled_from(_GRAPHEMES), max_size=8).map("".join), st.integers(0, 30), st.booleans())
    def test_any(self, text: str, position: int, back: bool) -> None:
        """Wherever the cursor is set, it is between graphemes."""
        buffer = GraphemeBuffer()
        buffer.insert_text(text)
        if back:
            buffer.cursor_position = 0
        buffer.cursor_position = position
        ends = {0}
        for grapheme in iter_graphemes(text):
            ends.add(max(ends) + len(grapheme))
        self.assertIn(buffer.cursor_position, ends)
