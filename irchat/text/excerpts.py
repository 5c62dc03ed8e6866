"""What a search found, as people look at it: the words marked, and of a long text only what is around the first."""

import unicodedata
from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

import regex
from wcwidth import clip, grapheme_boundary_before, width

from irchat.text.folding import fold

# Scripts written without spaces, of which search takes each character for a word.
UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff"
_TOKENS = regex.compile(rf"[{UNSPACED}]|(?:(?![{UNSPACED}])[\p{{L}}\p{{N}}\p{{M}}\p{{Co}}])+|\p{{So}}")
_IN_WORD = rf"(?![{UNSPACED}])[\p{{L}}\p{{N}}\p{{M}}\p{{Co}}]"
_WORD = regex.compile(_IN_WORD)
_BETWEEN = r"[^\p{L}\p{N}\p{M}\p{Co}\p{So}]*"
_SPACE = regex.compile(r"\s+")
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


def _pattern(words: str) -> "regex.Pattern[str] | None":
    tokens = [_TOKENS.findall(fold(word).casefold()) for word in dict.fromkeys(words.split())]
    wanted = [_BETWEEN.join(map(_spelled, word)) for word in sorted(tokens, key=len, reverse=True) if word]
    return regex.compile("|".join(wanted), regex.IGNORECASE | regex.FULLCASE) if wanted else None


def _spelled(token: str) -> str:
    """A token, with any marks on its letters. Written out as well, for ß stands for two letters."""
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
