"""Texts in pieces: links with their targets, and the user's name in messages that mention the user."""

import re

from irchat.text.cells import wrap_lines
from irchat.text.links import find_links, shown_host, target_of

_Span = tuple[int, int, str, str]


class Linked(str):
    """A text that is part of a link to ``target``."""

    __slots__ = ("target",)
    target: str

    def __new__(cls, text: str, target: str) -> "Linked":
        """Create a part of a link."""
        linked = super().__new__(cls, text)
        linked.target = target
        return linked


def linked_rows(
    text: str, style: str, room: int, taken: int, call: "re.Pattern[str] | None"
) -> list[list[tuple[str, str]]]:
    """Return a text in rows of pieces, wrapped as `wrap` does. ``call`` matches the user's name.

    The host of an address with other letters than ASCII is followed by its punycode.
    """
    if "://" not in text and "#" not in text and call is None:
        return [[(style, line[start:end])] for line, rows in wrap_lines(text, room, taken) for start, end in rows]
    shown, spans = _marked(text, call)
    pieces = []
    begin = 0
    for line, rows in wrap_lines(shown, room, taken):
        here = [(first - begin, last - begin, name, target) for first, last, name, target in spans]
        pieces += [_pieces(line, start, end, here, style) for start, end in rows]
        begin += len(line) + 1
    return pieces


def _marked(text: str, call: "re.Pattern[str] | None") -> tuple[str, list[_Span]]:
    """Return the text as it is shown, and where links and names are in it."""
    shown, spans, done = "", [], 0
    text = text.expandtabs(4)
    for link in find_links(text):
        shown += text[done : link.start]
        target = "" if link.chat else target_of(link.text)
        spans.append((len(shown), len(shown) + len(link.text), "class:link", target))
        shown += link.text
        done = link.end
        if not link.chat and (host := shown_host(link.text)):
            shown += f" ({host})"
    shown += text[done:]
    names = [match.span() for match in call.finditer(shown)] if call is not None else []
    free = [name for name in names if not any(name[0] < end and start < name[1] for start, end, _, _ in spans)]
    return shown, sorted([*spans, *((*name, "class:mention", "") for name in free)])


def _pieces(line: str, start: int, end: int, spans: list[_Span], style: str) -> list[tuple[str, str]]:
    """Return the row from ``start`` to ``end`` of a line in pieces."""
    pieces = []
    for begins, ends, name, target in spans:
        first, last = max(begins, start), min(ends, end)
        if first < last:
            part = line[first:last]
            pieces += [(style, line[start:first]), (name, Linked(part, target) if target else part)]
            start = last
    return [piece for piece in (*pieces, (style, line[start:end])) if piece[1]] or [(style, "")]
