"""The rules for marks on messages."""

import unicodedata
from functools import lru_cache

import regex

from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import visible

MARK_LENGTH = 16
"""Maximum characters of a mark."""
MESSAGE_MARKS = 12
"""Maximum number of different marks on a message."""
USER_MARKS = 6
"""Maximum number of marks of one user on a message."""
NAMES_OF_MARK = 10
"""Maximum number of names shown for a mark."""

_EMOJI_STYLE = "\ufe0f"
# Characters that are visible alone. The blank of Braille is a symbol to Unicode, and looks like a space.
_SEEN = regex.compile(r"[^\p{Default_Ignorable_Code_Point}\p{M}\p{Z}\p{Cf}\u2800]")


@lru_cache(maxsize=1_024)
def clean_mark(mark: str) -> tuple[str, str]:
    """Return a mark as it is shown, and the key by which marks are compared. ``1`` is 👍.

    Raises Refusal ``bad-request`` if it is not one word of 1 to 16 characters, or if nothing of it can be seen.
    """
    shown = visible(unicodedata.normalize("NFC", mark.replace(_EMOJI_STYLE, "")))
    if shown == "1":
        shown = "👍"
    if not 1 <= len(shown) <= MARK_LENGTH or any(character.isspace() for character in shown):
        raise Refusal(Code.BAD_REQUEST, f"A mark is one word of 1 to {MARK_LENGTH} characters, such as ok or 👍.")
    if not _SEEN.search(shown):
        text = "Nothing of that mark can be seen. A mark has a letter, a digit, a sign or an emoji, such as ok or 👍."
        raise Refusal(Code.BAD_REQUEST, text)
    return shown, unicodedata.normalize("NFC", shown.casefold())
