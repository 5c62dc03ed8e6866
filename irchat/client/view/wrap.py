"""Text in cells: how wide it is, where it wraps, and what terminals draw in their own ways."""

import re

from wcwidth import wcwidth

_TAB = 4
# Joiners, variation selectors, skin tones and flags: several code points, of which terminals make one picture or more.
_COMPLEX = re.compile("[\u200d\ufe0e\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U0001f1e6-\U0001f1ff\U000e0020-\U000e007f]")
# Marks that change the direction of what follows; embeddings and overrides were made visible before.
_DIRECTION = dict.fromkeys([0x200E, 0x200F, 0x061C])
_JOINER = "\u200d"


def is_complex(text: str) -> bool:
    """Whether terminals disagree on how wide ``text`` is."""
    return not text.isascii() and _COMPLEX.search(text) is not None


def without_direction(text: str) -> str:
    """``text`` without the marks that change the direction of a row."""
    return text if text.isascii() else text.translate(_DIRECTION)


def cells(text: str) -> int:
    """How many cells ``text`` takes on a row."""
    return len(text) if text.isascii() else sum(max(0, wcwidth(character)) for character in text)


def fit(text: str, width: int) -> str:
    """``text`` cut to ``width`` cells, with an ellipsis where something was cut."""
    if cells(text) <= width:
        return text
    kept, used = "", 0
    for start, end in _clusters(text):
        used += cells(text[start:end])
        if used > width - 1:
            break
        kept = text[:end]
    return kept + "…" if width > 0 else ""


def wrap(text: str, width: int) -> list[str]:
    """The rows of ``text`` at a width of so many cells: broken at spaces, a long word where the row ends."""
    rows: list[str] = []
    for line in text.expandtabs(_TAB).split("\n"):
        rows += _wrap_line(line, max(2, width))
    return rows


def _wrap_line(line: str, width: int) -> list[str]:
    if line.isascii() and len(line) <= width:
        return [line]
    rows: list[str] = []
    row_start = used = space_end = 0
    for start, end in _clusters(line):
        size, is_space = cells(line[start:end]), line[start:end] == " "
        if used + size > width and start > row_start:
            cut = space_end if space_end > row_start and not is_space else start
            rows.append(line[row_start:cut].rstrip(" "))
            row_start, used = cut, cells(line[cut:start])
        if is_space:
            space_end = end
            if start == row_start and rows:  # a space that the row before had no room for
                row_start, size = end, 0
        used += size
    return [*rows, line[row_start:]]


def _clusters(line: str) -> list[tuple[int, int]]:
    """Where each character begins and ends, what joins to the one before it taken together with it."""
    if line.isascii():
        return [(index, index + 1) for index in range(len(line))]
    starts = [
        index
        for index, character in enumerate(line)
        if index == 0 or not (wcwidth(character) <= 0 or line[index - 1] == _JOINER)
    ]
    return list(zip(starts, [*starts[1:], len(line)], strict=True))
