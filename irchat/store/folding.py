"""Texts as search compares them: without regard to case, accents and forms of the same letter, in all scripts."""

import re
import unicodedata

from irchat.rules import TEXT_LENGTH, is_sign

# Characters that a text is taken apart into; no language comes to three for each, and one sign has eighteen.
_LENGTH = 3 * TEXT_LENGTH
# Scripts that are written without spaces: each of their characters is a word, so that any run of them can be found.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]")
_ASCII_WORDS = re.compile("[0-9a-z]+")

FOLDING = f"2 {unicodedata.unidata_version}"
"""Names how texts are folded. An index that was made in another way has to be made again: it must hold what `fold`
returns now, or nothing could be deleted from it."""


class _Table(dict[int, str | int | None]):
    """What each character becomes for `str.translate`, found out when it first comes."""

    def __missing__(self, code: int) -> str | int | None:
        self[code] = replacement = _replacement(chr(code))
        return replacement


def _replacement(character: str) -> str | int | None:
    category = unicodedata.category(character)
    if category == "Mn":
        return None
    if is_sign(character) or _UNSPACED.match(character):
        return f" {character} "
    return ord(character) if category[0] in "LNM" else " "


_TABLE = _Table()


def fold(text: str) -> str:
    """Return ``text`` for the index: its words with white space between them. What is ASCII stays as it is, for SQLite
    finds the words of that itself, and faster.

    Compatibility decomposition and case folding (Unicode, chapters 3.11 and 3.13), without the marks on letters. Signs
    and the characters of unspaced scripts are words of their own. Of a text of thousands of signs that each stand for
    many letters the end is left out.
    """
    if text.isascii():
        return text
    return unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text)[:_LENGTH].casefold()).translate(_TABLE)


def words(text: str) -> list[str]:
    """Return the words of ``text`` as the index has them."""
    return _ASCII_WORDS.findall(text.lower()) if text.isascii() else fold(text).split()
