"""Passwords as they are compared: prepared as RFC 8265 has it for an OpaqueString."""

import unicodedata


def prepared(password: str) -> str:
    """Return ``password`` with every space as U+0020 and in NFC, so that all keyboards and systems type the same one.

    Characters that the profile forbids are kept: they were allowed before, and an emoji newer than Python's tables is
    one of them.
    """
    if password.isascii():
        return password
    spaced = "".join(" " if unicodedata.category(character) == "Zs" else character for character in password)
    return unicodedata.normalize("NFC", spaced)
