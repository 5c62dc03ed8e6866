"""Texts as search compares them: without regard to case, accents and forms of the same letter, in all scripts."""

import re
import unicodedata

import regex

from irchat.rules import TEXT_LENGTH

# Characters that a text is taken apart into; no language comes to three for each, and one sign has eighteen.
_LENGTH = 3 * TEXT_LENGTH
# Patterns, for a loop over the characters takes ten times as long.
_MARKS = regex.compile(r"\p{Mn}+")
# Scripts that are written without spaces: each of their characters is a word, so that any run of them can be found.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]+")


def fold(text: str) -> str:
    """``text`` for the index, or for a word to look for.

    Compatibility decomposition and case folding (Unicode, chapters 3.11 and 3.13), without the marks on letters. Of a
    text of thousands of signs that each stand for many letters the end is left out.
    """
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text)[:_LENGTH].casefold())
    return _UNSPACED.sub(_spaced, _MARKS.sub("", decomposed))


def _spaced(run: re.Match[str]) -> str:
    return f" {' '.join(run[0])} "
