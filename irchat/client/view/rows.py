"""Items as rows of a pane: pieces of text, each with the names of its styles."""

import re
import zlib
from collections.abc import Sequence
from datetime import date, datetime, tzinfo
from typing import NamedTuple

from irchat.client.view.items import Item, Kind, clean
from irchat.rendering.lines import local_time
from irchat.text.cells import cells, fit, wrap, wrap_line
from irchat.text.excerpts import shorten
from irchat.text.linked import linked_rows
from irchat.text.names import name_key

Piece = tuple[str, str]

# Each colour has a contrast of at least 3.7 to both black and white.
NAME_COLOURS = (
    "#af5f5f", "#af5f00", "#af5f87", "#d70087", "#5f8700", "#008700",
    "#00875f", "#008787", "#0087af", "#875faf", "#5f5fff", "#875fd7",
    "#af00ff", "#af5faf", "#d700af", "#d700d7",
)  # fmt: skip

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400

_TIME_CELLS = 5
_NAME_CELLS_MAX = 16
_NAME_CELLS_MIN = 4
# Visible rows of a long search result.
_HIT_ROWS = 3
_HIT_CELLS_MIN = 60
# In a pane narrower than this number of cells, a text continues under its name.
_NARROW = 40
# The styles of lines across the pane.
_RULES = ("class:day", "class:unread-line")


class Row(NamedTuple):
    """One row: pieces of text, each with its styles."""

    pieces: tuple[Piece, ...]


class Brush:
    """Convert items to rows for a pane of ``width`` cells, at the time ``now`` of the forward clock.

    ``me`` is the user's name, which is marked in messages that mention the user.
    """

    def __init__(
        self,
        width: int,
        now: float,
        *,
        name_width: int = 0,
        zone: tzinfo | None = None,
        today: date | None = None,
        me: str = "",
    ) -> None:
        self.width = width
        self._now = now
        self._zone = zone
        self._today = today or datetime.now(zone).date()
        self._call = re.compile(rf"@{re.escape(me)}(?!\w)", re.IGNORECASE) if me else None
        self._with_details = False
        self._name_cells = max(_NAME_CELLS_MIN, min(name_width, _NAME_CELLS_MAX, width // 4))

    def rows(
        self,
        item: Item,
        before: Item | None,
        *,
        unread_line: bool,
        with_chat: bool = False,
        quote: Item | None = None,
        with_details: bool = False,
    ) -> list[Row]:
        """Return the rows of an item, after a line for a new day or for unread messages if needed.

        ``quote`` is the message that it answers. ``with_details``: show when it was edited, and the names of its marks.
        """
        self._with_details = with_details
        return [
            *self._day(item, before),
            *([self.rule("unread", "class:unread-line")] if unread_line else []),
            *(self._quote(quote) if quote is not None else []),
            *(self._talk(item, with_chat=with_chat) if item.is_talk else self._note(item)),
        ]

    def rule(self, text: str, style: str) -> Row:
        """Return a line across the pane with a text in it."""
        word = f" {fit(text, self.width - 4)} "
        side = max(0, self.width - cells(word))
        return Row(((style, "─" * (side // 2) + word + "─" * (side - side // 2)),))

    def _day(self, item: Item, before: Item | None) -> list[Row]:
        if item.kind is not Kind.MESSAGE or (day := self._date(item)) is None:
            return []
        if day == (self._date(before) if before is not None else self._today):
            return []
        return [self.rule(f"{day:%A, %-d %B %Y}", "class:day")]

    def _date(self, item: Item) -> date | None:
        local = local_time(item.at, self._zone)
        return local.date() if local else None

    def _time(self, item: Item) -> Piece:
        if item.kind is Kind.PENDING:
            return ("class:pending", " … ".center(_TIME_CELLS))
        local = local_time(item.at, self._zone)
        return ("class:time", f"{local:%H:%M}" if local else "--:--")

    def _talk(self, item: Item, *, with_chat: bool) -> list[Row]:
        name = fit(item.sender, self._name_cells)
        pad = " " * max(0, self._name_cells - cells(name))
        style = "class:own-name" if item.own else name_style(item.sender)
        bar: Piece = ("class:bar", " │ ")
        if item.own or item.calls:
            bar = ("class:own-bar" if item.own else "class:mention", " ┃ ")
        head: list[Piece] = [self._time(item), ("", " " + pad), (style, name), bar]
        indent = self._indent
        margin: list[Piece] = [("", " " * (indent - 2)), (bar[0], bar[1][1:])]
        above = 0  # cells of the first row that are left of the text
        if self.width < _NARROW:
            head[1] = ("", " ")
            margin, above = [("", "  ")], _TIME_CELLS + 4 + cells(name) - 2
        room = self.width - indent
        lead = self._lead(item, room, with_chat=with_chat)
        taken = sum(cells(text) for _, text in lead)
        rows: list[list[Piece]] = []
        if above + taken > room:
            rows, head, above = [head], margin, 0
        first, *others = [*self._texts(item, room, above + taken), *self._marks(item, room)]
        return [Row(tuple(pieces)) for pieces in (*rows, [*head, *lead, *first], *([*margin, *row] for row in others))]

    def _lead(self, item: Item, room: int, *, with_chat: bool) -> list[Piece]:
        """Return the pieces before a text: its chat, and the remaining time of a timed message."""
        place = fit(item.chat, max(_NAME_CELLS_MIN, room // 2)) + " " if with_chat else ""
        mark = f"({left(item.ends - self._now)}) " if item.ends is not None else ""
        return [piece for piece in (("class:place", place), ("class:timed", mark)) if piece[1]]

    @property
    def _indent(self) -> int:
        """The cells left of the texts."""
        return 2 if self.width < _NARROW else _TIME_CELLS + 1 + self._name_cells + 3

    def _quote(self, quote: Item) -> list[Row]:
        """Return the row above an answer."""
        text = fit(f"┌ {one_line(quote)}", self.width - self._indent)
        return [Row((("", " " * self._indent), ("class:quote", text)))]

    def _marks(self, item: Item, room: int) -> list[list[Piece]]:
        """Return the marks in rows: ``ok 3 · 👍 bob``."""
        if not item.marks:
            return []
        marks = []
        for mark in item.marks:
            more = f" and {mark.count - len(mark.names):,} more" if mark.count > len(mark.names) else ""
            names = ", ".join(mark.names) + more
            marks.append(f"{mark.mark} {names if mark.count == 1 or self._with_details else f'{mark.count:,}'}")
        return [[("class:marks", line)] for line in wrap(clean(" · ".join(marks)), room)]

    def _edited(self, edited: str) -> str:
        at = local_time(edited, self._zone) if self._with_details else None
        return f"(edited {at:%Y-%m-%d %H:%M})" if at is not None else "(edited)"

    def _texts(self, item: Item, room: int, taken: int) -> list[list[Piece]]:
        """Return the text of an item in rows. The first row has ``taken`` fewer cells."""
        rows = self._text_rows(item, room, taken)
        if item.edited is not None:
            last = (taken if len(rows) == 1 else 0) + sum(cells(text) for _, text in rows[-1])
            edited = self._edited(item.edited)
            if last + 1 + cells(edited) <= room:
                rows[-1].append(("class:edited", f" {edited}"))
            else:
                rows.append([("class:edited", fit(edited, room))])
        return rows

    def _text_rows(self, item: Item, room: int, taken: int) -> list[list[Piece]]:
        style = "class:pending" if item.kind is Kind.PENDING else "class:text"
        if item.hit is None:
            return linked_rows(item.text, style, room, taken, self._call if item.calls else None)
        hit = shorten(item.hit, max(_HIT_CELLS_MIN, _HIT_ROWS * room - taken))
        styles = {False: style, True: "class:hit"}
        return [
            [(styles[is_word], text) for text, is_word in hit.pieces(start, end)]
            for start, end in wrap_line(hit.text, room, taken)
        ]

    def _note(self, item: Item) -> list[Row]:
        is_error = item.kind is Kind.ERROR
        mark, style = ("! ", "class:error") if is_error else ("  ", "class:note")
        lines = wrap(item.text, self.width - 2)
        return [Row(((style, ("  " if number else mark) + line),)) for number, line in enumerate(lines)]


def column(heading: str, names: Sequence[tuple[str, bool]], width: int, height: int) -> list[Row]:
    """Return up to ``height`` rows: a heading and names, with a dot before those of users online (True)."""
    if height < 1:
        return []
    rows = [Row((("class:side-title", fit(f" {heading}", width)),))]
    rows += [
        Row((("class:online", " ● " if is_online else "   "), ("", fit(name, width - 3))))
        for name, is_online in names[: height - 1]
    ]
    return rows


def styled(rows: list[Row], more: str) -> list[Row]:
    """Add a style to the rows of a message, but not to the lines before it."""
    return [
        row if row.pieces[0][0] in _RULES else Row(tuple((f"{style} {more}", text) for style, text in row.pieces))
        for row in rows
    ]


def at_bottom(rows: list[Row], height: int) -> list[Row]:
    """Return the rows with empty ones above them, ``height`` in all."""
    return [*[Row(())] * (height - len(rows)), *rows]


def filled(width: int, *pieces: Piece, fill: str) -> Row:
    """Cut pieces to the width, and fill the rest of the row."""
    cut: list[Piece] = []
    for style, text in pieces:
        cut.append((f"{fill} {style}", fit(text, width)))
        width -= cells(cut[-1][1])
    return Row((*cut, (fill, " " * max(0, width))))


def one_line(item: Item) -> str:
    """Return a message on one line, with its sender."""
    return f"{item.sender}: {' '.join(item.text.split())}"


def name_style(name: str) -> str:
    """Return the style of a user's name. It is the same for each spelling of the name."""
    return f"class:name{zlib.crc32(name_key(name).encode()) % len(NAME_COLOURS)}"


def left(seconds: float) -> str:
    """Return the remaining time of a timed message in at most seven characters: ``28s``, ``12m05s``, ``6d23h``."""
    whole = max(0, -int(-seconds // 1))
    if whole < 2 * _MINUTE:
        return f"{whole}s"
    if whole < 2 * _HOUR:
        return f"{whole // _MINUTE}m{whole % _MINUTE:02d}s"
    if whole < _DAY:
        return f"{whole // _HOUR}h{whole % _HOUR // _MINUTE:02d}m"
    return f"{whole // _DAY}d{whole % _DAY // _HOUR}h"
