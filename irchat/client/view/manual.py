"""The keys and the commands, as F1 shows them."""

from irchat.client.view.rows import Row
from irchat.commands import REGISTRY
from irchat.text.cells import cells, padded, wrap

KEYS = (
    ("Enter", "send"),
    ("Alt-Enter", "new line"),
    ("Tab", "complete"),
    ("Up, Down", "what was typed before"),
    ("Ctrl-R", "search in that"),
    ("Ctrl-C", "clear the line; leave"),
    ("Ctrl-Z", "suspend"),
    ("PgUp, PgDn", "older, newer"),
    ("End", "back to the end"),
    ("Ctrl-N, Ctrl-P", "next chat, unread first"),
    ("Alt-1 to Alt-9", "chat of that number"),
    ("Alt-0", "list of what is unread"),
    ("Ctrl-K", "go to any chat"),
    ("Ctrl-L", "draw anew"),
)
_KEY_CELLS = 16
_MEANING_CELLS = 24

_TEXT = (
    "Plain text goes to the open chat, and so does *30 text, erased 30 seconds later.\n"
    "What looks like a command is said with the chat before it: @bob ls is nice.\n"
    "exit --forget also forgets the sign-in."
)

_USAGE_CELLS = 31
_MEANING_CELLS_MIN = 24


def manual(width: int) -> list[Row]:
    """The rows of the manual at a width of so many cells."""
    text = [Row((("class:text", line),)) for line in wrap(_TEXT, width)]
    return [*_keys(width), Row(()), *text, Row(()), *_commands(width)]


def _keys(width: int) -> list[Row]:
    if width < 2 * (_KEY_CELLS + _MEANING_CELLS):
        return [row for key, meaning in KEYS for row in _entry(key, meaning, _KEY_CELLS, width)]
    half = len(KEYS) // 2
    left, right = (
        [row for key, meaning in keys for row in _entry(key, padded(meaning, _MEANING_CELLS), _KEY_CELLS, width)]
        for keys in (KEYS[:half], KEYS[half:])
    )
    return [Row((*one.pieces, *other.pieces)) for one, other in zip(left, right, strict=True)]


def _commands(width: int) -> list[Row]:
    entries = (line.partition("  ") for line in REGISTRY.manual(None).split("\n"))
    return [row for usage, _, meaning in entries for row in _entry(usage, meaning.lstrip(" "), _USAGE_CELLS, width)]


def _entry(name: str, meaning: str, indent: int, width: int) -> list[Row]:
    """A name with its meaning beside it; below it where the name is long or the screen narrow."""
    if width < indent + _MEANING_CELLS_MIN:
        indent = 2
    meanings = wrap(meaning, width - indent)
    rows: list[Row] = []
    if cells(name) < indent:
        rows.append(Row((("class:choice", padded(name, indent)), ("class:text", meanings.pop(0)))))
    else:
        rows += [Row((("class:choice", line),)) for line in wrap(name, width)]
    return rows + [Row((("class:text", " " * indent + line),)) for line in meanings]
