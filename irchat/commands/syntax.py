"""The syntax of a command as a sequence of parts. It serves for reading, hints and completion."""

import re
from enum import Enum
from functools import cached_property
from typing import NamedTuple

from irchat.protocol.marks import MARK_LENGTH


class NameKind(Enum):
    """The kind of names that a part can contain."""

    USERS = "other users"
    MEMBERS = "users and yourself"
    GROUPS = "groups"
    CHATS = "chats"
    MENTIONED = "users mentioned in a text"
    WORD = "the word of the part itself"


class Part(NamedTuple):
    """One part of a syntax, as regular expressions.

    ``pattern`` matches the part in a complete line. ``begun`` matches an incomplete part. Its group ``word`` is the
    word that ``names`` can complete. ``right`` is an optional, stricter ``pattern``: a line that matches only
    ``pattern`` is read, and refused for an invalid value.
    """

    pattern: str
    begun: str
    names: NameKind | None = None
    right: str = ""
    word: str = ""


class OpenWord(NamedTuple):
    """A word that can be completed: its start in the line, the kinds of names, and the text after it."""

    start: int
    names: NameKind
    after: str
    word: str = ""


GAP = Part(r"\s+", r"\s*")
MAY_GAP = Part(r"\s*", r"\s*")
MARK = Part(r"(?P<mark>\S+)", rf"\S{{0,{MARK_LENGTH}}}")


def word(text: str) -> Part:
    """Return a fixed word, such as ``!help``."""
    begun = "|".join(re.escape(text[:length]) for length in range(len(text), 0, -1))
    return Part(re.escape(text), f"(?P<word>{begun})", NameKind.WORD, word=text)


def sign(text: str) -> Part:
    """Return a sign, such as ``@``."""
    return Part(re.escape(text), re.escape(text))


def name(group: str, names: NameKind | None, first: str = r"\S", rest: str = r"\S") -> Part:
    """Return a name with the characters ``first`` and ``rest``, matched as ``group``."""
    return Part(rf"(?P<{group}>{first}{rest}*)", rf"(?P<word>(?:{first}{rest}*)?)", names)


def text(group: str) -> Part:
    """Return the rest of the line, matched as ``group``. It can mention users."""
    return Part(rf"(?P<{group}>.+)", r"(?:(?:.*\s)?@?(?P<word>[^\s@]+)|.*)", NameKind.MENTIONED)


class Syntax:
    """The syntax of the lines of one command."""

    def __init__(self, *parts: Part) -> None:
        self.pattern = re.compile("".join(part.pattern for part in parts), re.DOTALL)
        self.word = parts[0].word
        self._parts = parts

    def may_begin(self, line: str) -> bool:
        """Return whether ``line`` is valid, or may become valid when more is typed."""
        return any(pattern.fullmatch(line) for pattern in self._beginnings)

    def begun(self, line: str) -> dict[str, str | None]:
        """Return the named groups of ``line``, as far as it was typed. There are none if it cannot become valid."""
        matches = (pattern.fullmatch(line) for pattern in reversed(self._beginnings))
        return next((match.groupdict() for match in matches if match is not None), {})

    def open_word(self, line: str) -> OpenWord | None:
        """Return the word at the end of ``line`` that can be completed."""
        found = None
        for pattern, part, following in zip(self._beginnings, self._parts, (*self._parts[1:], None), strict=True):
            if part.names is not None and (match := pattern.fullmatch(line)) and match["word"] is not None:
                is_before_gap = following is not None and following.pattern.startswith(GAP.pattern)
                goes_on = is_before_gap or part.names is NameKind.MENTIONED
                found = OpenWord(match.start("word"), part.names, " " if goes_on else "", part.word)
        return found

    @cached_property
    def _beginnings(self) -> list["re.Pattern[str]"]:
        """For each part, the pattern of a line that ends in it. Compiled on first use by a client."""
        right = [part.right or part.pattern for part in self._parts]
        return [re.compile("".join(right[:number]) + part.begun, re.DOTALL) for number, part in enumerate(self._parts)]
