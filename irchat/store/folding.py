"""Texts as search compares them: without regard to case, accents and forms of the same letter, in all scripts."""

import re
import unicodedata

# Scripts that are written without spaces: each of their characters is a word, so that any run of them can be found.
_UNSPACED = re.compile("([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff])")


def fold(text: str) -> str:
    """``text`` for the index, or for a word to look for.

    Compatibility decomposition and case folding (Unicode, chapters 3.11 and 3.13), without the marks on letters.
    """
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    bare = "".join(character for character in decomposed if unicodedata.category(character) != "Mn")
    return _UNSPACED.sub(r" \1 ", bare)
