"""The words and phrases of a search, for all stores."""

from collections.abc import Iterable, Sequence

from irchat.text.folding import words

SIDE_BY_SIDE = 16
"""The longest phrase that an index searches for. Each word costs a walk through all its places in a message. The words
of a longer phrase are searched for in any order, and the hits are then compared."""

Phrase = tuple[str, ...]


def phrases_of(asked: Iterable[str]) -> list[Phrase]:
    """Return the different phrases of a search: each of its words is folded, to a word or several side by side."""
    return list(dict.fromkeys(phrase for one in asked if (phrase := tuple(words(one)))))


def for_index(phrases: Sequence[Phrase]) -> tuple[list[Phrase], bool]:
    """Return the phrases to look up in an index, and whether every message with them is a hit."""
    room = SIDE_BY_SIDE
    is_exact = True
    asked: dict[Phrase, None] = {}
    for phrase in phrases:
        length = len(phrase)
        if length > 1:
            length = min(length, max(room, 1))
            room -= length
        asked[phrase[:length]] = None
        for word in phrase[length:]:
            asked[(word,)] = None
            is_exact = False
    return list(asked), is_exact


def holds(text: str, phrases: Iterable[Phrase]) -> bool:
    """Return whether a text has all phrases."""
    spaced = f" {' '.join(words(text))} "
    return all(f" {' '.join(phrase)} " in spaced for phrase in phrases)
