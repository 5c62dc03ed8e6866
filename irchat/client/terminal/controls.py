"""Rows and the input on the screen of prompt_toolkit, cell by cell: a grapheme is one cell, as wide as it is drawn.

prompt_toolkit's own windows take each code point for a cell, so that joined emoji, flags and Indic syllables would
shift all that stands behind them.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from prompt_toolkit.application import get_app
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.data_structures import Point
from prompt_toolkit.layout import AnyDimension, Container, Dimension, HSplit, Window, to_dimension
from prompt_toolkit.layout.controls import BufferControl
from prompt_toolkit.layout.mouse_handlers import MouseHandlers
from prompt_toolkit.layout.screen import Char, Screen, WritePosition

from irchat.client.terminal.input_line import InputLine
from irchat.client.view.rows import Piece, Row
from irchat.text.cells import grapheme_cells, graphemes

# The second cell of a wide grapheme, and one of which nobody knows what it shows: unlike any other.
_NOTHING = Char("", "")
# Erases the rest of a row, whatever the colours are just now.
_ERASE_REST = "\x1b7\x1b[0m\x1b[K\x1b8"
# After all else is drawn.
_LAST = 1_000_000


class Rows(Container):
    """Shows the rows that ``paint`` makes for a width and a height."""

    def __init__(
        self, paint: Callable[[int, int], list[Row]], *, width: AnyDimension = None, height: AnyDimension = None
    ) -> None:
        self._paint = paint
        self._width = width
        self._height = height

    def reset(self) -> None:
        """There is nothing to reset."""

    def preferred_width(self, max_available_width: int) -> Dimension:
        """The width that was given, or any."""
        return to_dimension(self._width)

    def preferred_height(self, width: int, max_available_height: int) -> Dimension:
        """The height that was given, or any."""
        return to_dimension(self._height)

    def get_children(self) -> list[Container]:
        """There are none."""
        return []

    def write_to_screen(
        self,
        screen: Screen,
        mouse_handlers: MouseHandlers,
        write_position: WritePosition,
        parent_style: str,
        erase_bg: bool,
        z_index: int | None,
    ) -> None:
        """Draw the rows."""
        at = write_position
        for y, row in enumerate(self._paint(at.width, at.height)[: at.height], at.ypos):
            draw(screen, y, at.xpos, at.xpos + at.width, row.pieces)
        screen.width = max(screen.width, at.xpos + at.width)
        screen.height = max(screen.height, at.ypos + at.height)


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


class InputWindow(Window):
    """Shows what is typed into the buffer of ``content``, as stars where it ``is_secret``, in ``most`` rows at most."""

    def __init__(
        self, content: BufferControl, is_secret: Callable[[], bool], most: int, *, width: AnyDimension = None
    ) -> None:
        super().__init__(content, width=width, dont_extend_height=True)
        self._typed = content
        self._is_secret = is_secret
        self._most = most
        self._first = 0

    def preferred_height(self, width: int, max_available_height: int) -> Dimension:
        """As many rows as there are."""
        count = len(self._arranged(width)[0])
        return Dimension.exact(min(count, self._most))

    def write_to_screen(
        self,
        screen: Screen,
        mouse_handlers: MouseHandlers,
        write_position: WritePosition,
        parent_style: str,
        erase_bg: bool,
        z_index: int | None,
    ) -> None:
        """Draw those rows among which the cursor is."""
        self._typed.buffer.load_history_if_not_yet_loaded()
        at = write_position
        rows, (row, x) = self._arranged(at.width)
        self._first = max(row - at.height + 1, min(self._first, row, max(0, len(rows) - at.height)))
        for y, pieces in enumerate(rows[self._first : self._first + at.height], at.ypos):
            draw(screen, y, at.xpos, at.xpos + at.width, pieces)
        screen.set_cursor_position(self, Point(at.xpos + x, at.ypos + row - self._first))
        if get_app().layout.current_control is self._typed:
            screen.show_cursor = True
        screen.visible_windows_to_write_positions[self] = at
        screen.width = max(screen.width, at.xpos + at.width)
        screen.height = max(screen.height, at.ypos + at.height)

    def _arranged(self, width: int) -> tuple[list[list[Piece]], tuple[int, int]]:
        document = self._typed.buffer.document
        selected = [*document.selection_ranges()]
        rows: list[list[Piece]] = [[]]
        cursor = (0, 0)
        index = x = 0
        for grapheme in graphemes(document.text):
            shown = "*" if self._is_secret() else grapheme
            size = 0 if grapheme == "\n" else _cell(shown, "").width
            if x + size > width:
                rows.append([])
                x = 0
            if index <= document.cursor_position < index + len(grapheme):
                cursor = (len(rows) - 1, x)
            if grapheme == "\n":
                rows.append([])
                x = 0
            else:
                style = "class:selected" if any(first <= index < last for first, last in selected) else ""
                rows[-1].append((style, shown))
                x += size
            index += len(grapheme)
        if document.cursor_position == index:
            if x >= width:
                rows.append([])
                x = 0
            cursor = (len(rows) - 1, x)
        return rows, cursor


class Frame(HSplit):
    """The whole screen. A row with a grapheme of several code points, now or in the frame before, is erased and drawn
    as a whole: terminals do not agree on how wide these are, and a drawing by differences would leave pieces of them.
    """

    def __init__(self, children: Any) -> None:
        super().__init__(children)
        self._drawn_whole: set[int] = set()
        self._is_odd = False

    def write_to_screen(
        self,
        screen: Screen,
        mouse_handlers: MouseHandlers,
        write_position: WritePosition,
        parent_style: str,
        erase_bg: bool,
        z_index: int | None,
    ) -> None:
        """Draw all, then look which rows hold such."""
        super().write_to_screen(screen, mouse_handlers, write_position, parent_style, erase_bg, z_index)
        screen.draw_with_z_index(_LAST, lambda: self._draw_whole(screen, write_position))

    def _draw_whole(self, screen: Screen, at: WritePosition) -> None:
        now = {y for y, row in screen.data_buffer.items() if any(len(cell.char) > 1 for cell in row.values())}
        self._is_odd = not self._is_odd
        # A style of another name makes every cell differ from the frame before.
        style = " class:odd" if self._is_odd else " class:even"
        for y in now | self._drawn_whole:
            row, escapes = screen.data_buffer[y], screen.zero_width_escapes[y]
            escapes[at.xpos] += _ERASE_REST
            for x in range(at.xpos, at.xpos + at.width):
                cell = row[x]
                if cell.char:
                    row[x] = _cell(cell.char, cell.style + style)
                if len(cell.char) > 1:  # it may have gone on past its own cells
                    escapes[x + cell.width] += _ERASE_REST
        self._drawn_whole = now


def draw(screen: Screen, y: int, x: int, right: int, pieces: Iterable[Piece]) -> None:
    """Draw pieces of text on row ``y``, from column ``x`` on. What would go past ``right`` is not drawn."""
    row = screen.data_buffer[y]
    last: int | None = None
    for style, text in pieces:
        for grapheme in graphemes(text):
            cell = _cell(grapheme, style)
            if not cell.width:  # a mark without a letter goes with what is before it
                if last is not None:
                    row[last] = _cell(row[last].char + grapheme, row[last].style)
                continue
            if x + cell.width > right:
                return
            row[x] = cell
            for more in range(1, cell.width):
                row[x + more] = _NOTHING
            last = x
            x += cell.width


@lru_cache(maxsize=65_536)
def _cell(grapheme: str, style: str) -> Char:
    cell = Char(grapheme, style)
    if not cell.char.isascii():
        cell.width = grapheme_cells(cell.char)
    return cell
