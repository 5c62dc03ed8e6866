"""The words of a message as a text search vector, and a search for words as a text search query.

Both contain the words as `irchat.text.folding` makes them. A word has letters, digits and signs only, so it needs no
escape within its quotes, and none begins with ``#``: the other lexemes do.
"""

import hashlib
from collections.abc import Sequence

from irchat.store.phrases import Phrase, for_index
from irchat.text.folding import words

# The limits of PostgreSQL: bytes of a lexeme, positions of a lexeme, and the highest position.
_LEXEME_BYTES = 2_046
_POSITIONS = 255
_LAST_POSITION = 16_383
# Marks a message that has more positions than a vector can hold. Phrases in it are found by their words.
_CROWDED = "'#crowded'"
# Maximum number of phrases in one query. The hits are compared with the rest.
_PHRASES = 64


def vector(chat: int, text: str) -> str:
    """Return the vector of a message, which also has its chat as a lexeme."""
    positions: dict[str, list[int]] = {}
    count = 0
    for word in words(text):
        count += 1
        positions.setdefault(word, []).append(count)
    lexemes = [f"{_lexeme(word)}:{','.join(map(str, places[:_POSITIONS]))}" for word, places in positions.items()]
    if count > _LAST_POSITION or any(len(places) > _POSITIONS for places in positions.values()):
        lexemes.append(_CROWDED)
    return " ".join([*lexemes, _chat(chat)])


def query(phrases: Sequence[Phrase], chat: int | None) -> tuple[str, bool]:
    """Return the query for messages with all phrases, in one or all chats, and whether all of its matches are hits."""
    looked_up, is_exact = for_index(phrases)
    asked = [_asked(phrase) for phrase in looked_up[:_PHRASES]]
    if chat is not None:
        asked.append(_chat(chat))
    return "&".join(asked), is_exact and len(looked_up) <= _PHRASES and all(len(phrase) == 1 for phrase in looked_up)


def _asked(phrase: Phrase) -> str:
    lexemes = [_lexeme(word) for word in phrase]
    return lexemes[0] if len(lexemes) == 1 else f"({'<->'.join(lexemes)}|{'&'.join(lexemes)}&{_CROWDED})"


def _chat(chat: int) -> str:
    return f"'#c{chat}'"


def _lexeme(word: str) -> str:
    if len(word) * 4 > _LEXEME_BYTES and len(data := word.encode()) > _LEXEME_BYTES:
        return f"'#{hashlib.sha256(data).hexdigest()}'"
    return f"'{word}'"
