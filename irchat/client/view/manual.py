"""The manual of keys and commands, shown by F1."""

from itertools import zip_longest

from irchat.client.view.key_table import KEYS, Category, KeyMap, keys
from irchat.client.view.rows import Row
from irchat.commands import Registry
from irchat.commands.full_screen import SCREEN
from irchat.text.cells import cells, padded, wrap

_KEY_CELLS = 16
_HELP_CELLS = 24
_COLUMN_CELLS = _KEY_CELLS + _HELP_CELLS

_CATEGORIES = (Category.TYPING, Category.MOVING, Category.MESSAGE)

_TEXT = (
    "Plain text goes to the open chat. To say there what looks like a command, type the chat before it: "
    "@bob ls is nice."
)

_USAGE_CELLS = 31
_MEANING_CELLS_MIN = 24


def manual(width: int, language: Registry = SCREEN, key_map: KeyMap = KEYS) -> list[Row]:
    """Return the rows of the manual for a width of ``width`` cells."""
    text = [Row((("class:text", line),)) for line in wrap(_TEXT, width)]
    commands = [
        row for command in language.entries(None) for row in _entry(command.usage, command.meaning, _USAGE_CELLS, width)
    ]
    return [*_keys(width, key_map), Row(()), *text, Row(()), *commands]


def _keys(width: int, key_map: KeyMap) -> list[Row]:
    if width < 2 * _COLUMN_CELLS:
        return [row for category in _CATEGORIES for row in _column(category, width, key_map)]
    left, right, below = (_column(category, _COLUMN_CELLS, key_map) for category in _CATEGORIES)
    empty = Row((("", " " * _COLUMN_CELLS),))
    half = (len(below) + 2) // 2  # below the name of the category, in two columns as well
    left += [empty, *below[:half]]
    right += [empty] * (len(left) - half - len(right) + 1) + below[half:]
    return [Row((*one.pieces, *other.pieces)) for one, other in zip_longest(left, right, fillvalue=empty)]


def _column(category: Category, width: int, key_map: KeyMap) -> list[Row]:
    """Return a category's name and its keys."""
    rows = [Row((("class:day", padded(category.value, width)),))]
    for key in keys(category):
        rows += _entry(key_map.shown(key), padded(key.help, _HELP_CELLS), _KEY_CELLS, width)
    return rows


def _entry(name: str, meaning: str, indent: int, width: int) -> list[Row]:
    """Return a name and its meaning, side by side, or one below the other if the name is long or the screen narrow."""
    if width < indent + _MEANING_CELLS_MIN:
        indent = 2
    meanings = wrap(meaning, width - indent)
    rows: list[Row] = []
    if cells(name) < indent:
        rows.append(Row((("class:choice", padded(name, indent)), ("class:text", meanings.pop(0)))))
    else:
        rows += [Row((("class:choice", line),)) for line in wrap(name, width)]
    return rows + [Row((("class:text", " " * indent + line),)) for line in meanings]
