"""Texts of messages: formatting codes, CTCP and ACTION."""

import re
from typing import NamedTuple

_CTCP = "\x01"
_ME = "/me "
# Colour with its digits, colour in hexadecimal with its digits, and the codes of one character.
_FORMATTING = re.compile(
    r"\x03(?:[0-9]{1,2}(?:,[0-9]{1,2})?)?|\x04(?:[0-9A-Fa-f]{6}(?:,[0-9A-Fa-f]{6})?)?|[\x02\x0f\x11\x16\x1d\x1e\x1f]"
)


class Said(NamedTuple):
    """The text of a PRIVMSG or NOTICE, as it is stored. ``ctcp``: it is a CTCP other than ACTION, to be refused."""

    text: str
    ctcp: bool = False


def strip_formatting(text: str) -> str:
    """Return ``text`` without colour, bold and the other formatting codes."""
    return text if text.isprintable() else _FORMATTING.sub("", text)


def read_said(text: str) -> Said:
    """Return a text of a client in the form in which it is stored: ACTION as ``/me waves``, no formatting codes.

    Other controls are left to `irchat.protocol.rules.clean_text`.
    """
    if not text.startswith(_CTCP):
        return Said(strip_formatting(text))
    word, _, rest = text[1:].removesuffix(_CTCP).partition(" ")
    if word.upper() != "ACTION":
        return Said("", ctcp=True)
    done = strip_formatting(rest)
    # Without anything done there is nothing to send: it is refused as an empty text.
    return Said(f"{_ME}{done}" if done.strip() else "")
