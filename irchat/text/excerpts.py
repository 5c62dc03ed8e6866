"""What a search found, as people look at it: the words marked, and of a long text only what is around the first."""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from itertools import accumulate, islice
from typing import NamedTuple

from wcwidth import clip, grapheme_boundary_before, width

from irchat.text.folding import FORMS
from irchat.text.folding import words as words_in

_SPACE = re.compile(r"\s+")
# Of what an excerpt holds, the part that stands before the first word found.
_BEFORE = 4
# Of a text that is full of them so many words are marked.
_MARKS_MOST = 100

Spans = tuple[tuple[int, int], ...]


class Hit(NamedTuple):
    """A text in which words were found, all on one line, and where they are in it."""

    text: str
    marks: Spans

    def pieces(self, start: int = 0, end: int | None = None) -> list[tuple[str, bool]]:
        """The text from ``start`` to ``end`` in pieces, each with whether it is a word that was looked for."""
        end = len(self.text) if end is None else end
        made: list[tuple[str, bool]] = []
        for first, last in self.marks:
            word = max(start, first), min(end, last)
            if word[0] < word[1]:
                made += [(self.text[start : word[0]], False), (self.text[slice(*word)], True)]
                start = word[1]
        return [piece for piece in [*made, (self.text[start:end], False)] if piece[0]]


def find(text: str, words: str) -> Hit:
    """Find ``words`` in ``text`` as search does: whole words, whatever their case, accents and width."""
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
    """Return the characters with the forms from ``first`` to ``last``, and the marks that follow: these have none."""
    start, end = bisect_right(ends, first), bisect_left(ends, last)
    return start, bisect_right(ends, ends[end])


def shorten(hit: Hit, most: int) -> Hit:
    """The part of a hit around the first word found, in ``most`` cells; an ellipsis stands for what is left out."""
    text, marks = hit
    if width(text, control_codes="ignore") <= most:
        return hit
    first = marks[0][0] if marks else 0
    start = 0 if first <= most // 2 else grapheme_boundary_before(text, first - most // _BEFORE + 1)
    if start and (space := text.find(" ", start, first)) >= 0:
        start = space + 1
    before = "…" if start else ""
    kept = text[start:]
    after = ""
    if width(kept, control_codes="ignore") + len(before) > most:
        kept, after = clip(kept, 0, most - 1 - len(before), fillchar="", control_codes="ignore") or "", "…"
    end, shift = start + len(kept), len(before) - start
    shown = tuple((first + shift, min(last, end) + shift) for first, last in marks if start <= first < end)
    return Hit(before + kept + after, shown)


def words_of(typed: str) -> str:
    """The words that a typed line searches for."""
    return typed.partition("?")[2]
