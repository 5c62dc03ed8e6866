"""The bare view: the open chat as clean text, which the terminal wraps itself, to be copied with its mouse."""

from collections.abc import Callable, Sequence

from irchat.client.terminal.device import TerminalOutput
from irchat.client.view.items import Item, Kind
from irchat.client.view.screen_state import ScreenState
from irchat.protocol.rules import visible
from irchat.text.cells import grapheme_cells, graphemes


class BareView:
    """The bare view on ``output``. While it ``is_on``, nothing else is drawn, so that a selection stays.

    It shows the messages of the open chat that end where the pane ends, without timed ones. ``on_end`` is called when
    the next key or anything else ends it.
    """

    def __init__(self, view: ScreenState, output: TerminalOutput, on_end: Callable[[], None]) -> None:
        self.is_on = False
        self._view = view
        self._output = output
        self._on_end = on_end
        self._shown: list[Item] = []
        self._drawn: list[str] = []

    def begin(self) -> bool:
        """Show the bare view. Return False if no chat is open."""
        chat, lowest = self._view.here, self._view.pane.lowest
        if not chat.name or self._view.filter is not None or self._view.manual is not None:
            return False
        stored = [item for item in chat.items if item.kind is Kind.MESSAGE and item.timed is None]
        self._shown = [item for item in stored if lowest is None or item.key <= lowest[0]]
        self.is_on = True
        self._draw(self._lines())
        return True

    def refresh(self) -> None:
        """Draw again if a shown message was edited or deleted. New messages do not disturb a selection."""
        if (lines := self._lines()) != self._drawn:
            self._draw(lines)

    def end(self) -> None:
        """End the bare view, if it is on."""
        if self.is_on:
            self.is_on = False
            self._shown, self._drawn = [], []
            self._on_end()

    def _lines(self) -> list[str]:
        """Return the last lines that fit on the screen."""
        chat = self._view.here
        there = [item for item in self._shown if item.seq is not None and chat.stored(item.seq) is item]
        size = self._output.get_size()
        lines: list[str] = []
        room = size.rows
        for item in reversed(there[-size.rows :]):
            for line in reversed(f"{item.sender}: {item.text}".split("\n")):
                room -= rows_of(line, size.columns)
                if room < 0:
                    return lines
                lines.insert(0, line)
        return lines

    def _draw(self, lines: Sequence[str]) -> None:
        """Write each line at its row, and let the terminal wrap it."""
        self._drawn = list(lines)
        output, row, columns = self._output, 1, self._output.get_size().columns
        output.erase_screen()
        output.write_raw("\x1b[?25l\x1b[?7h")
        for line in lines:
            output.write_raw(f"\x1b[{row};1H{visible(line).replace(chr(9), ' ')}")
            row += rows_of(line, columns)
        output.flush()


def rows_of(line: str, columns: int) -> int:
    """Return the number of rows in which a terminal shows a line."""
    rows, x = 1, 0
    for grapheme in graphemes(line):
        size = grapheme_cells(grapheme)
        if x + size > columns:
            rows, x = rows + 1, 0
        x += size
    return rows
