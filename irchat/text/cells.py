"""Text in terminal cells: how wide it is, and where it is cut and wrapped.

Graphemes (UAX 29) and their widths come from wcwidth. The screen is drawn grapheme by grapheme, so the width of a text
here is the sum of its graphemes' widths, which ``wcwidth.width`` does not always return. ``wcwidth.wrap`` is not used:
it takes 800 ms for a message of 4,000 Han characters, where `wrap` takes 3 ms, and drops the indentation of code.
"""

from collections.abc import Iterable
from functools import lru_cache
from unicodedata import category

from wcwidth import iter_graphemes, wcwidth, width

_TAB = 4
# The width of the widest grapheme. A row narrower than this could not hold every grapheme.
_ROW_MIN = 4
# Every emoji is at or above this code point, or joined with one that is.
_EMOJI = "\U0001f000"


def cells(text: str) -> int:
    """Return how many cells ``text`` takes on a row."""
    return len(text) if text.isascii() else sum(map(grapheme_cells, iter_graphemes(text)))


@lru_cache(maxsize=4_096)
def grapheme_cells(grapheme: str) -> int:
    """Return how many cells a grapheme takes.

    A syllable of several letters takes at least as many as its code points together: tmux and most terminals draw it
    that wide, and the next character would otherwise hide its last letter. A vowel sign without a letter takes a cell.
    """
    size = width(grapheme, control_codes="ignore")
    if max(grapheme) < _EMOJI:
        return max(size, sum(1 if category(one) == "Mc" else max(0, wcwidth(one)) for one in grapheme))
    return size


def graphemes(text: str) -> Iterable[str]:
    """Return the characters of ``text`` as people count them."""
    return text if text.isascii() else iter_graphemes(text)


def fit(text: str, most: int) -> str:
    """Cut ``text`` to ``most`` cells, with an ellipsis at the end if anything was cut."""
    if cut(text, most) == text:
        return text
    return cut(text, most - 1) + "…" if most > 0 else ""


def cut(text: str, most: int) -> str:
    """Return the beginning of ``text`` that fits into ``most`` cells. The rest is not looked at."""
    if text.isascii():
        return text[: max(0, most)]
    end = used = 0
    for grapheme in iter_graphemes(text):
        used += grapheme_cells(grapheme)
        if used > most:
            break
        end += len(grapheme)
    return text[:end]


def padded(text: str, room: int) -> str:
    """Append spaces to ``text`` up to ``room`` cells."""
    return text + " " * (room - cells(text))


def wrap(text: str, room: int, taken: int = 0) -> list[str]:
    """Break ``text`` into rows of ``room`` cells, at spaces, or inside a word that is longer than a row.

    The first row has ``taken`` cells less. It stays empty if its first word fits only on a row of its own.
    """
    return [line[start:end] for line, rows in wrap_lines(text, room, taken) for start, end in rows]


def wrap_lines(text: str, room: int, taken: int = 0) -> list[tuple[str, list[tuple[int, int]]]]:
    """Return each line of ``text`` with the start and end of its rows, as `wrap` makes them."""
    lines = text.expandtabs(_TAB).split("\n")
    return [(line, wrap_line(line, room, 0 if number else taken)) for number, line in enumerate(lines)]


def wrap_line(line: str, room: int, taken: int = 0) -> list[tuple[int, int]]:
    """Return the start and end of each row of one line, as `wrap` makes them. Spaces at a break are on neither row."""
    if line.isascii() and len(line) + taken <= room:
        return [(0, len(line))]
    room = max(_ROW_MIN, room)
    rows: list[tuple[int, int]] = []
    start = end = space_end = 0
    used = taken
    may_be_empty = taken > 0 and cells(line.split(" ", 1)[0]) <= room
    for grapheme in graphemes(line):
        size, is_space = grapheme_cells(grapheme), grapheme == " "
        while used + size > room and (end > start or (taken and not rows)):
            may_break = space_end > start or (may_be_empty and not rows)
            break_at = space_end if may_break and not is_space else end
            rows.append((start, start + len(line[start:break_at].rstrip(" "))))
            start, used = break_at, cells(line[break_at:end])
        begin, end = end, end + len(grapheme)
        if is_space:
            space_end = end
            if begin == start and rows:  # the row before had no room for this space
                start, size = end, 0
        used += size
    return [*rows, (start, len(line))] if start < len(line) or not rows else rows
