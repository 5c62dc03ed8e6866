"""Rows and the input for prompt_toolkit's screen, drawn by grapheme, each as wide as terminals draw it.

prompt_toolkit's own windows draw each code point as a cell, so joined emoji, flags and Indic syllables would shift
everything after them.
"""

import zlib
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

from prompt_toolkit.application import get_app
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.data_structures import Point
from prompt_toolkit.layout import AnyDimension, Dimension, HSplit, Window
from prompt_toolkit.layout.controls import BufferControl
from prompt_toolkit.layout.mouse_handlers import MouseHandlers
from prompt_toolkit.layout.screen import Char, Screen, WritePosition

from irchat.client.terminal.device import AtEdge
from irchat.client.terminal.input_line import InputLine
from irchat.client.view.rows import Piece, Row
from irchat.text.cells import grapheme_cells, graphemes
from irchat.text.linked import Linked

# The second cell of a wide grapheme. It differs from all other cells.
_NOTHING = Char("", "")
# Erases the rest of a row in the default colours.
_ERASE_REST = "\x1b7\x1b[0m\x1b[K\x1b8"
# The z-index that is drawn last.
_LAST = 1_000_000
_INPUT_ROWS = 6
# Rows that the input leaves to the header, the pane and the status line.
_OTHER_ROWS = 4


class Drawn(Window):
    """A window that draws its own rows."""

    def draw(self, screen: Screen, at: WritePosition) -> None:
        """Draw the content at a position of the screen."""
        raise NotImplementedError

    def write_to_screen(
        self,
        screen: Screen,
        mouse_handlers: MouseHandlers,
        write_position: WritePosition,
        parent_style: str,
        erase_bg: bool,
        z_index: int | None,
    ) -> None:
        """Draw the content, and enlarge the screen to fit."""
        at = write_position
        self.draw(screen, at)
        screen.width = max(screen.width, at.xpos + at.width)
        screen.height = max(screen.height, at.ypos + at.height)


class Rows(Drawn):
    """Show the rows returned by ``paint`` for a width and a height."""

    def __init__(
        self, paint: Callable[[int, int], list[Row]], *, width: AnyDimension = None, height: AnyDimension = None
    ) -> None:
        super().__init__(width=width, height=height)
        self._paint = paint

    def draw(self, screen: Screen, at: WritePosition) -> None:
        """Draw the rows."""
        _draw_rows(screen, at, [row.pieces for row in self._paint(at.width, at.height)])


class InputControl(BufferControl):
    """Show the text being typed, for any target."""

    def __init__(self, line: InputLine, **more: Any) -> None:
        self.line = line
        super().__init__(line.buffer, **more)

    @property
    def buffer(self) -> Buffer:
        """The buffer of the current target."""
        return self.line.buffer

    @buffer.setter
    def buffer(self, _: Buffer) -> None:
        """Do nothing: the input line decides which buffer is shown."""


class InputWindow(Drawn):
    """Show the text being typed in a few rows, as stars while it is secret."""

    def __init__(self, content: InputControl, *, width: AnyDimension) -> None:
        super().__init__(content, width=width)
        self._typed = content
        self._first = 0

    def preferred_height(self, width: int, max_available_height: int) -> Dimension:
        """Return the number of rows of the text, up to the limit. A low terminal needs rows for the rest too."""
        most = max(1, min(_INPUT_ROWS, max_available_height - _OTHER_ROWS))
        return Dimension.exact(min(len(self._arranged(width)[0]), most))

    def draw(self, screen: Screen, at: WritePosition) -> None:
        """Draw the rows around the cursor."""
        self._typed.buffer.load_history_if_not_yet_loaded()
        rows, (row, x) = self._arranged(at.width)
        self._first = max(row - at.height + 1, min(self._first, row, max(0, len(rows) - at.height)))
        _draw_rows(screen, at, rows[self._first :])
        screen.set_cursor_position(self, Point(at.xpos + x, at.ypos + row - self._first))
        if get_app().layout.current_control is self._typed:
            screen.show_cursor = True
        screen.visible_windows_to_write_positions[self] = at

    def _arranged(self, width: int) -> tuple[list[list[Piece]], tuple[int, int]]:
        """Return the text in rows, and the row and column of the cursor."""
        document = self._typed.buffer.document
        selected = [*document.selection_ranges()]
        rows: list[list[Piece]] = [[]]
        cursor = (0, 0)
        index = x = 0
        for grapheme in graphemes(document.text):
            shown = "*" if self._typed.line.is_secret else grapheme
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
    """The whole screen.

    A row is erased and drawn as a whole if it has a grapheme of several code points, or had one in the previous frame.
    Terminals disagree on the width of these, so drawing only the differences would leave pieces of them.
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
        """Draw everything, then mark the rows that must be drawn as a whole."""
        super().write_to_screen(screen, mouse_handlers, write_position, parent_style, erase_bg, z_index)
        screen.draw_with_z_index(_LAST, lambda: self._draw_whole(screen, write_position))

    def _draw_whole(self, screen: Screen, at: WritePosition) -> None:
        now = {y for y, row in screen.data_buffer.items() if any(len(cell.char) > 1 for cell in row.values())}
        self._is_odd = not self._is_odd
        # A style with another name makes every cell differ from the previous frame.
        style = " class:odd" if self._is_odd else " class:even"
        right, bottom = at.xpos + at.width, at.ypos + at.height - 1
        for y in now | self._drawn_whole:
            row, escapes = screen.data_buffer[y], screen.zero_width_escapes[y]
            escapes[at.xpos] += _ERASE_REST
            for x in range(at.xpos, at.xpos + at.width):
                cell = row[x]
                if isinstance(cell.char, Linked):
                    row[x] = _linked_cell(str(cell.char), cell.style + style, cell.char.target)
                elif cell.char:
                    row[x] = _cell(cell.char, cell.style + style)
                    if len(cell.char) > 1 and x + cell.width == right and y < bottom:
                        row[x] = _edge_cell(cell, style)
                if len(cell.char) > 1:  # the terminal may have drawn it wider than we count
                    escapes[x + cell.width] += _ERASE_REST
        self._drawn_whole = now


def _draw_rows(screen: Screen, at: WritePosition, rows: Sequence[Iterable[Piece]]) -> None:
    """Draw rows at a position of the screen, as many as fit."""
    for y, pieces in enumerate(rows[: at.height], at.ypos):
        _draw_row(screen, y, at.xpos, at.xpos + at.width, pieces)


def _draw_row(screen: Screen, y: int, x: int, right: int, pieces: Iterable[Piece]) -> None:
    """Draw pieces of text on row ``y``, from column ``x`` up to column ``right``."""
    row = screen.data_buffer[y]
    last: int | None = None
    for style, text in pieces:
        target = text.target if isinstance(text, Linked) else ""
        for grapheme in graphemes(text):
            cell = _linked_cell(grapheme, style, target) if target else _cell(grapheme, style)
            if not cell.width:  # a mark without a letter joins the grapheme before it
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


@lru_cache(maxsize=4_096)
def _linked_cell(grapheme: str, style: str, target: str) -> Char:
    # The name of the style makes cells with other targets differ.
    cell = Char(Linked(grapheme, target), f"{style} class:{zlib.crc32(target.encode()):x}")
    cell.width = _cell(grapheme, style).width
    return cell


def _edge_cell(cell: Char, style: str) -> Char:
    edge = Char(AtEdge(cell.char), cell.style + style)
    edge.width = cell.width
    return edge


@lru_cache(maxsize=65_536)
def _cell(grapheme: str, style: str) -> Char:
    cell = Char(grapheme, style)
    if not cell.char.isascii():
        cell.width = grapheme_cells(cell.char)
    return cell
