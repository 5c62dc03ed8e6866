"""The table of keys and their effects, for F1, docs/client.rst and the bindings."""

import re
from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType


class Category(Enum):
    """The categories of keys. ``NONE``: bound only to disable a harmful default, and not documented."""

    TYPING = "Typing and leaving"
    MOVING = "Moving about"
    MESSAGE = "On a chosen message"
    NONE = ""


class KeyRow(Enum):
    """A row of the table: the displayed keys, their effect, a category, and the sequences to bind.

    Sequences are in prompt_toolkit's notation, with blanks between the keys of one sequence. A row without sequences is
    bound by prompt_toolkit itself.
    """

    SEND = ("Enter", "send, or open a choice", Category.TYPING, "enter", "c-o", "escape #")
    NEW_LINE = ("Alt-Enter", "new line", Category.TYPING, "escape enter")
    COMPLETE = ("Tab", "complete", Category.TYPING, "tab")
    RECALL = ("Up, Down", "earlier lines; lists", Category.TYPING, "up", "down")
    SEARCH = ("Ctrl-R", "search earlier lines", Category.TYPING)
    CLEAR = ("Ctrl-C", "clear; twice: leave", Category.TYPING, "c-c")
    LEAVE = ("Ctrl-D", "leave, on an empty line", Category.TYPING, "c-d")
    SUSPEND = ("Ctrl-Z", "suspend", Category.TYPING, "c-z")
    PAGE = ("PgUp, PgDn", "older, newer", Category.MOVING, "pageup", "pagedown")
    END = ("End", "back to the end", Category.MOVING, "end")
    NEXT = ("Ctrl-N, Ctrl-P", "next chat, unread first", Category.MOVING, "c-n", "c-p")
    NUMBERED = ("Alt-1 to Alt-9", "chat of that number", Category.MOVING, *map("escape {}".format, range(1, 10)))
    HOME = ("Alt-0", "list of what is unread", Category.MOVING, "escape 0")
    GO_TO = ("Ctrl-K", "go to any chat", Category.MOVING, "c-k")
    BACK = ("Esc", "leave list or question", Category.MOVING, "escape")
    HELP = ("F1", "keys and commands", Category.MOVING, "f1")
    BARE = ("F2", "the chat alone, to copy", Category.MOVING, "f2")
    REDRAW = ("Ctrl-L", "draw the screen again", Category.MOVING)
    CHOOSE = ("Shift-Tab", "choose a message", Category.MESSAGE, "s-tab")
    ANSWER = ("r, Enter", "answer", Category.MESSAGE, "r")
    EDIT = ("e", "edit", Category.MESSAGE, "e")
    DELETE = ("d", "delete", Category.MESSAGE, "d")
    MARK = ("m, +", "mark", Category.MESSAGE, "+", "m")
    COPY = ("y", "copy the text", Category.MESSAGE, "y")
    COPY_LINK = ("l", "copy the number", Category.MESSAGE, "l")
    LINKS = ("o", "links", Category.MESSAGE, "o")
    PASTE = ("", "", Category.NONE, "<bracketed-paste>")
    WHEEL = ("", "", Category.NONE, "<vt100-mouse-event>")
    # A macro would record typed text and could type it into another chat.
    MACRO = ("", "", Category.NONE, "c-x (")
    # Where these stop and resume the output of a terminal, they are pressed by habit. In emacs they search, and quote
    # the next key, such as Enter.
    FLOW = ("", "", Category.NONE, "c-s", "c-q")
    # Alt with a key must not cancel a question: the rest of the answer would go to a chat.
    ALT_IN_QUESTION = ("", "", Category.NONE, "escape <any>")
    OTHER_ON_MESSAGE = ("", "", Category.NONE, "<any>")

    def __init__(self, shown: str, help: str, category: Category, *sequences: str) -> None:
        self.shown = shown
        self.help = help
        self.category = category
        self.sequences = tuple(tuple(sequence.split()) for sequence in sequences)

    @property
    def is_ordered(self) -> bool:
        """Whether the sequences mean different things, by their order: up and down, or a number."""
        return self in (KeyRow.RECALL, KeyRow.PAGE, KeyRow.NEXT, KeyRow.NUMBERED)


class KeyMap:
    """The keys of all rows. ``changed`` has the sequences of rows for which the user has set others."""

    def __init__(self, changed: Mapping[KeyRow, tuple[tuple[str, ...], ...]] = MappingProxyType({})) -> None:
        self._changed = changed

    def sequences(self, key: KeyRow) -> tuple[tuple[str, ...], ...]:
        """Return the sequences of a row."""
        return self._changed.get(key, key.sequences)

    def shown(self, key: KeyRow) -> str:
        """Return the keys of a row as they are displayed."""
        if key not in self._changed:
            return key.shown
        return ", ".join(_shown(sequence) for sequence in self._changed[key])

    def row_of(self, sequence: tuple[str, ...]) -> KeyRow | None:
        """Return the row that has a sequence, or None."""
        return next((key for key in KeyRow if sequence in self.sequences(key)), None)


KEYS = KeyMap()
"""The keys of a user that has set none."""


def _shown(sequence: tuple[str, ...]) -> str:
    names = [
        re.sub(r"^c-(.)", lambda match: f"Ctrl-{match[1].upper()}", key).replace("s-", "Shift-") for key in sequence
    ]
    return "-".join(["Alt", *names[1:]]) if len(names) > 1 and names[0] == "escape" else " ".join(names)


def keys(category: Category) -> list[KeyRow]:
    """Return the keys of a category, in the order of the table."""
    return [key for key in KeyRow if key.category is category]
