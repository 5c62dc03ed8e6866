"""Compare names and parts of names, find names that look alike, and check new names."""

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from functools import lru_cache
from operator import itemgetter
from typing import TypeVar

import regex
from precis_i18n import get_profile

from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import fold_name, shown

# Marks of no particular script. A mark that composes with its letter (NFC) is not counted. A letter has at most two
# others: a vowel sign and shadda in Arabic, an accent in Yoruba.
_STRAY = regex.compile(r"(?:(?=[\p{sc=Inherited}\p{sc=Common}])\p{M})+")
_STRAY_MOST = 2
# Maximum marks on a letter. The longest syllables of Burmese, Khmer and Tibetan have fewer.
_MARKS_MOST = 7

_PROFILE = get_profile("UsernameCaseMapped")
_JOINERS = dict.fromkeys([0x200C, 0x200D])
_MARKS = regex.compile(r"\p{M}+")
_SIGNS = ("*", "@")

Named = TypeVar("Named")


def fold_part(text: str) -> str:
    """Map ``text`` as `fold_name` maps a name, without checking that it is a valid name.

    Use it for the beginning of a name, a chat's name with its sign, or a text that may mention a name.
    """
    if text.isascii():
        return text.lower()
    mapped: str = _PROFILE.normalization_rule(_PROFILE.case_mapping_rule(_PROFILE.width_mapping_rule(text)))
    return mapped


@lru_cache(maxsize=65_536)
def name_key(name: str) -> str:
    """Return `fold_part` of a name, from a cache."""
    return fold_part(name)


def same_name(one: str, other: str) -> bool:
    """Return whether two names, or two names of chats with their signs, are the same."""
    return one == other or name_key(one) == name_key(other)


def rank(typed: str, name: str) -> int | None:
    """Return how well ``name`` matches ``typed``: 0 exactly, 1 by its beginning, 2 by a part, None not at all.

    Both may begin with the sign of a chat (``*`` or ``@``). If ``typed`` has one, ``name`` must have the same.
    """
    wanted, key = fold_part(typed.strip()), name_key(name)
    bare = key[1:] if key.startswith(_SIGNS) else key
    if wanted.startswith(_SIGNS):
        if not key.startswith(wanted[0]):
            return None
        wanted = wanted[1:]
    if wanted == bare:
        return 0
    if bare.startswith(wanted):
        return 1
    return 2 if wanted in bare else None


def best(typed: str, choices: Iterable[Named], name_of: Callable[[Named], str]) -> list[Named]:
    """Return the ``choices`` whose names match ``typed``, best first (see `rank`). Equal matches stay in order."""
    ranks = [(how_well, choice) for choice in choices if (how_well := rank(typed, name_of(choice))) is not None]
    return [choice for _, choice in sorted(ranks, key=itemgetter(0))]


def skeleton(key: str) -> str:
    """Return the skeleton of a name's key. Names with the same skeleton look alike.

    It omits the joiners (U+200C, U+200D), marks of no script that do not compose with their letter, and the order and
    repetition of other marks on a letter.
    """
    if key.isascii():
        return key
    composed = unicodedata.normalize("NFC", key.translate(_JOINERS))
    return _MARKS.sub(lambda marks: "".join(sorted(set(marks[0]))), _STRAY.sub("", composed))


def check_new_name(name: str) -> str:
    """Return the key of the name of a new user or group.

    Raises Refusal ``bad-name`` if it is not a valid name, or has more marks on a letter than any language writes. The
    second rule does not apply to existing names.
    """
    key = fold_name(name)
    composed = "" if name.isascii() else unicodedata.normalize("NFC", name.translate(_JOINERS))
    if _longest(_STRAY.findall(composed)) > _STRAY_MOST or _longest(_MARKS.findall(composed)) > _MARKS_MOST:
        text = f"{shown(name)!r} cannot be a name: a letter has too many marks. Choose another one."
        raise Refusal(Code.BAD_NAME, text)
    return key


def _longest(runs: Iterable[str]) -> int:
    return max(map(len, runs), default=0)


class Lookalikes:
    """The skeletons that differ from the key of their name, each with the number of existing names that have it."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, key: str) -> None:
        """Add a name."""
        if (drawn := skeleton(key)) != key:
            self._counts[drawn] += 1

    def remove(self, key: str) -> None:
        """Remove a name."""
        if (drawn := skeleton(key)) != key:
            self._counts[drawn] -= 1
            if not self._counts[drawn]:
                del self._counts[drawn]

    def __contains__(self, drawn: str) -> bool:
        return drawn in self._counts
