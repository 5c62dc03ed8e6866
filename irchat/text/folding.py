"""Fold texts for search: case, accents and variants of a letter are ignored, in all scripts."""

import re
import unicodedata
from collections.abc import Callable
from typing import cast

from irchat.protocol.rules import TEXT_LENGTH, is_sign

# Maximum characters of a folded text. No language needs three per character; one sign becomes eighteen.
_LENGTH = 3 * TEXT_LENGTH
# Scripts written without spaces: each character is a word, so that any run of them can be found.
UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]")
_ASCII_WORDS = re.compile("[0-9a-z]+")

FOLDING = f"3 {unicodedata.unidata_version}"
"""The version of the folding. A search index built with another version has to be rebuilt, because deleting a text from
the index takes exactly the words with which it was added."""


class _Table(dict[int, str | int | None]):
    """A table for `str.translate`. ``replacement`` computes the entry of a character when it is first needed."""

    def __init__(self, replacement: Callable[[str], str | int | None]) -> None:
        self._replacement = replacement

    def __missing__(self, code: int) -> str | int | None:
        self[code] = replacement = self._replacement(chr(code))
        return replacement


def _set_apart(character: str) -> str | int:
    """Separate a sign or number that stands for other characters, such as ™, from the word that it touches.

    A raised or lowered digit stays part of the word: H₂O is H2O.
    """
    category = unicodedata.category(character)
    form = unicodedata.decomposition(character)
    is_number = category == "No" and not form.startswith(("<super>", "<sub>"))
    if form.startswith("<") and (category[0] == "S" or is_number):
        return f" {character} "
    return ord(character)


def _replacement(character: str) -> str | int | None:
    category = unicodedata.category(character)
    if category == "Mn":
        return None
    if is_sign(character) or UNSPACED.match(character):
        return f" {character} "
    return ord(character) if category[0] in "LNM" else " "


_APART = _Table(_set_apart)
_TABLE = _Table(_replacement)


def fold(text: str) -> str:
    """Return ``text`` for the index: its words, separated by white space.

    ASCII is returned unchanged, because SQLite splits it into words itself, and faster.

    Folding is compatibility decomposition and case folding (Unicode, chapters 3.11 and 3.13), without the marks on
    letters. Signs and the characters of unspaced scripts are words of their own. A text of thousands of signs that each
    stand for many letters is cut.
    """
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text.translate(_APART))
    return unicodedata.normalize("NFKD", decomposed[:_LENGTH].casefold()).translate(_TABLE)


def words(text: str) -> list[str]:
    """Return the words of ``text`` as they are in the index."""
    return _ASCII_WORDS.findall(text.lower()) if text.isascii() else fold(text).split()


def _form(character: str) -> str:
    return (character.lower() if character.isalnum() else " ") if character.isascii() else fold(character)


FORMS: dict[int, str] = cast(dict[int, str], _Table(_form))
"""Each character as it is in the index: a text translated by this table is its words, with spaces between them. A mark
becomes an empty string, and a character that is a word of its own gets spaces around it."""
