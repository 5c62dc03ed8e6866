"""Search hits as they are shown: the words marked, and a long text cut to the part around the first word."""

import unicodedata
from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

import regex
from wcwidth import grapheme_boundary_before

from irchat.text.cells import cut
from irchat.text.folding import fold

# Scripts written without spaces: search treats each character as a word.
UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff"
_TOKENS = regex.compile(rf"[{UNSPACED}]|(?:(?![{UNSPACED}])[\p{{L}}\p{{N}}\p{{M}}\p{{Co}}])+|\p{{So}}")
_IN_WORD = rf"(?![{UNSPACED}])[\p{{L}}\p{{N}}\p{{M}}\p{{Co}}]"
_WORD = regex.compile(_IN_WORD)
_BETWEEN = r"[^\p{L}\p{N}\p{M}\p{Co}\p{So}]*"
_SPACE = regex.compile(r"\s+")
# The share of an excerpt that precedes the first word found.
_BEFORE = 4
# The most words that are marked in one text.
_MARKS_MOST = 100

Spans = tuple[tuple[int, int], ...]


class Hit(NamedTuple):
    """A text in which words were found, on one line, with the positions of the words."""

    text: str
    marks: Spans

    def pieces(self, start: int = 0, end: int | None = None) -> list[tuple[str, bool]]:
        """Return the text from ``start`` to ``end`` in pieces, each with whether it is a word that was searched for."""
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
    line = _SPACE.sub(" ", text).strip(" ")
    pattern = _pattern(words)
    if pattern is None or not line:
        return Hit(line, ())
    if line.isascii():
        return Hit(line, tuple(match.span() for match in islice(pattern.finditer(line), _MARKS_MOST)))
    apart = unicodedata.normalize("NFD", line)
    plain = unicodedata.normalize("NFKD", line)
    # Of equal length they are the same but for the width of letters and such. Elsewhere that is not compared.
    matches = pattern.finditer(plain if len(plain) == len(apart) else apart)
    spans = [match.span() for match in islice(matches, _MARKS_MOST)]
    return _composed(apart, spans)


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


def _pattern(words: str) -> "regex.Pattern[str] | None":
    tokens = [_TOKENS.findall(fold(word).casefold()) for word in dict.fromkeys(words.split())]
    wanted = [_BETWEEN.join(map(_spelled, word)) for word in sorted(tokens, key=len, reverse=True) if word]
    return regex.compile("|".join(wanted), regex.IGNORECASE | regex.FULLCASE) if wanted else None


def _spelled(token: str) -> str:
    """Return the pattern of a token with any marks on its letters, and of its full form: ß also matches ss."""
    marked = "".join(rf"{regex.escape(letter)}\p{{Mn}}*" for letter in token)
    spelled = rf"(?:{marked}|{regex.escape(token)})"
    return rf"(?<!{_IN_WORD}){spelled}(?!{_IN_WORD})" if _WORD.match(token) else spelled


def _composed(apart: str, spans: Iterable[tuple[int, int]]) -> Hit:
    text, marks, end = "", [], 0
    for first, last in spans:
        text += unicodedata.normalize("NFC", apart[end:first])
        mark = unicodedata.normalize("NFC", apart[first:last])
        marks.append((len(text), len(text) + len(mark)))
        text, end = text + mark, last
    return Hit(text + unicodedata.normalize("NFC", apart[end:]), tuple(marks))
