"""Rows for prompt_toolkit."""

from collections.abc import Callable
from typing import Any

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.layout.controls import BufferControl, UIContent, UIControl

from irchat.client.terminal.input_line import InputLine
from irchat.client.view.rows import Row

_ERASE_REST = ("[ZeroWidthEscape]", "\x1b[K")


class InputControl(BufferControl):
    """Shows what is being typed, whatever it is typed for."""

    def __init__(self, line: InputLine, **more: Any) -> None:
        self._line = line
        super().__init__(line.buffer, **more)

    @property
    def buffer(self) -> Buffer:
        """What is being typed."""
        return self._line.buffer

    @buffer.setter
    def buffer(self, _: Buffer) -> None:
        """The line knows which one it is."""


class RowsControl(UIControl):
    """Shows the rows that ``paint`` gives for a width and a height.

    A row on which terminals do not agree how wide it is, now or in the frame before, is erased and drawn as a whole in
    each frame: a drawing by differences would leave pieces of it. So the control has to be at the right edge.
    """

    def __init__(self, paint: Callable[[int, int], list[Row]]) -> None:
        self._paint = paint
        self._redrawn: set[int] = set()
        self._is_odd = False

    def create_content(self, width: int, height: int) -> UIContent:
        """The rows of this frame."""
        rows = self._paint(width, height)
        redrawn = {number for number, row in enumerate(rows) if row.redraw}
        self._is_odd = not self._is_odd
        lines: list[StyleAndTextTuples] = [
            self._as_a_whole(row) if number in redrawn or number in self._redrawn else [*row.pieces]
            for number, row in enumerate(rows)
        ]
        self._redrawn = redrawn
        return UIContent(get_line=lambda number: lines[number], line_count=len(lines), show_cursor=False)

    def _as_a_whole(self, row: Row) -> StyleAndTextTuples:
        # A style of another name makes every cell differ from the frame before.
        style = " class:odd" if self._is_odd else " class:even"
        return [_ERASE_REST, *((piece_style + style, text) for piece_style, text in row.pieces or (("", " "),))]
