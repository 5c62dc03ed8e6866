"""Search hits as they are shown: the words marked, and a long text cut to the part around the first word."""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from itertools import accumulate, islice
from typing import NamedTuple

from wcwidth import grapheme_boundary_before

from irchat.text.cells import cut
from irchat.text.folding import FORMS
from irchat.text.folding import words as words_in

_SPACE = re.compile(r"\s+")
# An excerpt has a quarter of its length before the first word found.
_BEFORE = 4
# The most words that are marked in one text.
_MARKS_MOST = 100

Spans = tuple[tuple[int, int], ...]


class Hit(NamedTuple):
    """A text in which words were found, on one line, with the positions of the words."""

    text: str
    marks: Spans

    def pieces(self, start: int = 0, end: int | None = None) -> list[tuple[str, bool]]:
        """Return the text from ``start`` to ``end`` in pieces, each with whether it is one of the words."""
        end = len(self.text) if end is None else end
        made: list[tuple[str, bool]] = []
        for first, last in self.marks:
            word = max(start, first), min(end, last)
            if word[0] < word[1]:
                made += [(self.text[start : word[0]], False), (self.text[slice(*word)], True)]
                start = word[1]
        return [piece for piece in [*made, (self.text[start:end], False)] if piece[0]]


def find(text: str, words: str) -> Hit:
    """Find ``words`` in ``text`` as search does: whole words, ignoring case, accents and width."""
    line = unicodedata.normalize("NFC", _SPACE.sub(" ", text).strip(" "))
    wanted = sorted(filter(None, map(words_in, words.split())), key=len, reverse=True)
    if not wanted or not line:
        return Hit(line, ())
    phrases = "|".join(" +".join(map(re.escape, phrase)) for phrase in wanted)
    found = re.finditer(rf"(?<![^ ])(?:{phrases})(?![^ ])", line.translate(FORMS))
    spans = [match.span() for match in islice(found, _MARKS_MOST)]
    if line.isascii() or not spans:
        return Hit(line, tuple(spans))
    ends = list(accumulate(map(len, map(FORMS.__getitem__, map(ord, line)))))
    return Hit(line, tuple(_place(ends, *span) for span in spans))


def _place(ends: list[int], first: int, last: int) -> tuple[int, int]:
    """Return the characters whose folded forms span ``first`` to ``last``, with the marks that follow, as a range."""
    start, end = bisect_right(ends, first), bisect_left(ends, last)
    return start, bisect_right(ends, ends[end])


def shorten(hit: Hit, most: int) -> Hit:
    """Return the part of a hit around its first word, in at most ``most`` cells. An ellipsis marks each cut."""
    text, marks = hit
    if cut(text, most) == text:
        return hit
    first = marks[0][0] if marks else 0
    start = 0 if first <= most // 2 else grapheme_boundary_before(text, first - most // _BEFORE + 1)
    if start and (space := text.find(" ", start, first)) >= 0:
        start = space + 1
    before = "…" if start else ""
    kept, after = cut(text[start:], most - len(before)), ""
    if start + len(kept) < len(text):
        kept, after = cut(kept, most - len(before) - 1), "…"
    end, shift = start + len(kept), len(before) - start
    shown = tuple((first + shift, min(last, end) + shift) for first, last in marks if start <= first < end)
    return Hit(before + kept + after, shown)
