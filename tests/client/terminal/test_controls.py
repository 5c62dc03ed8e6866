"""Graphemes of several code points on the screen leave no pieces behind, however a terminal draws them."""

import re
from collections.abc import Callable

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from wcwidth import iter_graphemes, wcwidth, width

from tests.client.terminal.test_input_line import ApplicationCase
from tests.helpers.client_fakes import message

_PARTS = re.compile(
    r"\x1b\[([?\d;]*)([A-Za-z])|\x1b([78=>])|\x1b\]([^\x07\x1b]*)(?:\x07|\x1b\\)|([\r\b])|(\a)|([^\x1b\r\b\a]+)"
)
_GRAPHEMES = [
    "a", "b ", "日", "👩\u200d💻", "👨\u200d👩\u200d👧\u200d👦", "🇩🇪", "e\u0301", "क्षि", "नमस्ते", "✌\ufe0f", "🙂", "ש",
]  # fmt: skip
_KEYS = {"left": "\x1b[D", "right": "\x1b[C", "home": "\x01", "end": "\x05", "rubout": "\x7f", "delete": "\x1b[3~",
         "word": "\x1b\x7f", "undo": "\x1f"}  # fmt: skip


class Terminal:
    """A terminal with separate cells for each grapheme, or for each code point (``old``). It never wraps."""

    def __init__(self, rows: int, columns: int, *, old: bool) -> None:
        self.cells = [[" "] * columns for _ in range(rows)]
        self._old = old
        self._y = self._x = 0
        self._kept = (0, 0)

    @property
    def cursor(self) -> tuple[int, int]:
        """Return the row and column of the cursor."""
        return self._y, self._x

    def feed(self, data: str) -> None:
        """Draw."""
        for match in _PARTS.finditer(data):
            numbers, command, keep, _, back, _, text = match.groups()
            if back:
                self._x = 0 if back == "\r" else max(0, self._x - 1)
            elif text:
                self._put(text)
            elif keep == "7":
                self._kept = self.cursor
            elif keep == "8":
                self._y, self._x = self._kept
            elif command:
                self._do(command, [int(one or 0) for one in numbers.split(";")] if "?" not in numbers else [])

    def _do(self, command: str, numbers: list[int]) -> None:
        row, count = self.cells[self._y], max(1, numbers[0]) if numbers else 1
        match command:
            case "A" | "B":
                self._y = max(0, min(len(self.cells) - 1, self._y + (count if command == "B" else -count)))
            case "C" | "D":
                self._x = max(0, min(len(row) - 1, self._x + (count if command == "C" else -count)))
            case "H":
                self._y, self._x = (count - 1, max(1, numbers[1]) - 1) if len(numbers) > 1 else (count - 1, 0)
            case "K":
                first = 0 if numbers == [2] else self._x
                row[first:] = [" "] * (len(row) - first)

    def _put(self, text: str) -> None:
        for one in text if self._old else iter_graphemes(text):
            size = max(0, wcwidth(one)) if self._old else width(one)
            row = self.cells[self._y]
            if not size and self._x:
                row[self._x - 1] += one
            if not size:
                continue
            self._x = min(self._x, len(row) - size)
            if row[self._x] == "" and self._x:
                row[self._x - 1] = " "  # half of a wide one
            row[self._x : self._x + size] = [one, *[""] * (size - 1)]
            self._x += size
            if self._x < len(row) and row[self._x] == "":
                row[self._x] = " "
        self._x = min(self._x, len(self.cells[0]) - 1)

    def shown(self) -> list[str]:
        """Return the rows."""
        return ["".join(row) for row in self.cells]


class RemainsTests(ApplicationCase):
    """After any edit, the screen is the same as one drawn from scratch."""

    def test_input(self) -> None:
        """Graphemes appear and disappear in the input line, on terminals old and new."""
        self.check(lambda key, text: self.press(_KEYS.get(key, text)))

    def check(self, do: Callable[[str, str], None]) -> None:
        """Compare drawing by differences with drawing from scratch, on both kinds of terminals."""

        @settings(max_examples=10, deadline=None, phases=[Phase.generate])
        @given(st.lists(st.sampled_from([*_KEYS, *["text"] * 8]), min_size=4, max_size=8), st.data())
        def steps(keys: list[str], data: st.DataObject) -> None:
            self.buffer.reset()
            terminals = [Terminal(20, 100, old=old) for old in (False, True)]
            self.anew(terminals)
            for key in keys:
                if key == "word" and data.draw(st.booleans()):
                    text = data.draw(st.sampled_from(_GRAPHEMES))
                    self.server.tell(message(f"so {text} and", seq=next(self.seqs)))
                do(key, data.draw(st.sampled_from(_GRAPHEMES)) if key == "text" else "")
                self.clock.advance(1)
                self.turn()
                drawn = self.drawn().decode()
                fresh = [Terminal(20, 100, old=old) for old in (False, True)]
                for terminal in terminals:
                    terminal.feed(drawn)
                self.anew(fresh)
                self.assertEqual(terminals[0].shown(), fresh[0].shown())
                # At the end of a row an old terminal may show more parts of an emoji than there is room for, or not.
                for row, new in zip(terminals[1].shown(), fresh[1].shown(), strict=True):
                    self.assertTrue(new.startswith(row.rstrip()), (row, new))
                self.assertEqual([one.cursor for one in terminals], [one.cursor for one in fresh])
                self.assertEqual(terminals[0].cursor, terminals[1].cursor)

        self.seqs = iter(range(1, 1_000_000))
        steps()

    def drawn(self) -> bytes:
        """Return the output since the last call."""
        drawn = self.transport.value()
        self.transport.clear()
        return drawn

    def anew(self, terminals: list[Terminal]) -> None:
        """Draw everything."""
        self.turn()
        self.drawn()
        self.app.repaint()
        self.turn()
        drawn = self.drawn().decode()
        for terminal in terminals:
            terminal.feed(drawn)

    def test_height(self) -> None:
        """The input is in the lowest rows, as many as needed and at most six, with the cursor in it."""
        for typed, rows in ("x", 1), ("日" * 46, 2), ("日" * 400, 6):
            self.buffer.insert_text(typed)
            terminal = Terminal(20, 100, old=False)
            self.anew([terminal])
            prompts = [number for number, row in enumerate(terminal.shown()) if row.startswith("GLOBAL> ")]
            self.assertEqual((prompts, terminal.cursor[0]), ([20 - rows], 19))

    def test_a_mark_once(self) -> None:
        """A row that ends in a combining mark sends it once."""
        self.drawn()
        self.server.tell(message("cafe\u0301", seq=1))
        self.turn()
        self.assertEqual(self.drawn().decode().count("\u0301"), 1)

    def test_edge(self) -> None:
        """A grapheme of several code points at the end of a row says so, but not in the last row."""
        self.patch(self.app._terminal, "_is_multiplexer", True)
        self.drawn()
        self.server.tell(message("e\u0301" * 200, seq=1))
        self.turn()
        self.assertEqual(self.drawn().decode().count("\x1b[?7he\u0301\x1b[?7l"), 3)
        self.buffer.insert_text("o\u0301" * 92, move_cursor=False)
        self.turn()
        self.assertNotIn("\x1b[?7ho", self.drawn().decode())

    def test_chats_beside(self) -> None:
        """A name of several code points in the sidebar takes nothing from the row beside it."""
        for number in range(1, 30):
            self.server.tell(message(f"row {number}", seq=number))
        terminal = Terminal(20, 100, old=True)
        self.anew([terminal])
        before = [row[22:] for row in terminal.cells[:17]]
        self.assertTrue(any("bob │ row 29" in row for row in terminal.shown()))
        self.view.chat("@नमस्ते")
        self.view.chat("@👨\u200d👩\u200d👧\u200d👦")
        self.controller.changed()
        self.clock.advance(1)
        self.turn()
        terminal.feed(self.drawn().decode())
        fresh = Terminal(20, 100, old=True)
        self.anew([fresh])
        self.assertEqual(terminal.shown(), fresh.shown())
        self.assertEqual([row[22:] for row in terminal.cells[:17]], before)
