"""The normal form of passwords: the OpaqueString profile of RFC 8265."""

import unicodedata


def prepared(password: str) -> str:
    """Return ``password`` in NFC and with every space as U+0020, so that all keyboards and systems type the same one.

    Characters that the profile forbids are kept: earlier versions allowed them, and they include emoji that are newer
    than Python's tables.
    """
    if password.isascii():
        return password
    spaced = "".join(" " if unicodedata.category(character) == "Zs" else character for character in password)
    return unicodedata.normalize("NFC", spaced)
