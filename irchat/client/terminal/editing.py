"""Edit by grapheme: the cursor is never inside one, and each is deleted as a whole."""

from typing import Any

from prompt_toolkit.buffer import Buffer
from wcwidth import grapheme_boundary_before

from irchat.text.cells import graphemes

# Each holds a whole text.
_UNDO_STEPS = 500


class GraphemeBuffer(Buffer):
    """A buffer whose cursor moves by grapheme, for any key."""

    def __init__(self, **how: Any) -> None:
        super().__init__(**how)
        self._stood_at = self.cursor_position
        self.on_cursor_position_changed += self._leave_grapheme

    def save_to_undo_stack(self, clear_redo_stack: bool = True) -> None:
        """Keep the text for undo, up to a number of steps."""
        super().save_to_undo_stack(clear_redo_stack)
        del self._undo_stack[:-_UNDO_STEPS]

    def delete_before_cursor(self, count: int = 1) -> str:
        """Delete the graphemes of the ``count`` code points before the cursor. Return them."""
        start = _start(self.text, max(0, self.cursor_position - count))
        return super().delete_before_cursor(self.cursor_position - start)

    def delete(self, count: int = 1) -> str:
        """Delete the graphemes of the ``count`` code points after the cursor. Return them."""
        end = _end(self.text, self.cursor_position + count)
        return super().delete(end - self.cursor_position)

    def swap_characters_before_cursor(self) -> None:
        """Swap the last two graphemes before the cursor."""
        position = self.cursor_position
        middle = _before(self.text, position)
        start = _before(self.text, middle)
        if start < middle:
            text = self.text
            self.text = text[:start] + text[middle:position] + text[start:middle] + text[position:]

    def _leave_grapheme(self, _: Buffer) -> None:
        position = self.cursor_position
        start = _start(self.text, position)
        if start != position:
            self.cursor_position = start if position < self._stood_at else _end(self.text, position)
        self._stood_at = self.cursor_position


def _before(text: str, position: int) -> int:
    """Return the start of the grapheme before ``position``."""
    return grapheme_boundary_before(text, position) if position else 0


def _start(text: str, position: int) -> int:
    """Return the start of the grapheme that contains ``position``."""
    return position if position >= len(text) else _before(text, position + 1)


def _end(text: str, position: int) -> int:
    """Return ``position``, or the end of the grapheme that contains it."""
    start = _start(text, position)
    return position if start == position else start + len(next(iter(graphemes(text[start:]))))
