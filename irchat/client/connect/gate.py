"""Make strings from a server safe: replace everything that a terminal obeys, hides or reorders."""

from typing import Any, TypeVar

import msgspec
import regex

from irchat.protocol import events
from irchat.protocol.rules import visible

_E = TypeVar("_E", bound=msgspec.Struct)

# Format characters are invisible and may reverse a line. The joiners (ZWJ, ZWNJ) belong to letters and emoji.
_UNSEEN = regex.compile(r"[[\p{Cf}\p{Zl}\p{Zp}]--[\u200c\u200d]]", regex.V1)
_BREAKS = str.maketrans({"\u2028": "\n", "\u2029": "\n"})
_PICTURES = str.maketrans({"\n": "\u240a", "\t": "\u2409"})
# Fields with text of more than one line.
_TEXTS = {(events.Message, "text"), (events.Amended, "text"), (events.Help, "text"), (events.Error, "usage")}
# JSON allows integers of any size. Arithmetic on huge ones from a hostile server would fail later.
_INT_MAX = 2**53


def safe(event: _E) -> _E:
    """Return ``event`` with all strings safe to show and all numbers within 53 bits.

    Return the same object if nothing changes.
    """
    changed = {}
    for name in event.__struct_fields__:
        old = getattr(event, name)
        new = safe_text(old) if isinstance(old, str) and (type(event), name) in _TEXTS else _safe(old)
        if new is not old:
            changed[name] = new
    return msgspec.structs.replace(event, **changed) if changed else event


def safe_line(text: str) -> str:
    """Return ``text`` as one line of the same length, for names, chats and reasons."""
    if text.isascii() and text.isprintable():
        return text
    line: str = _UNSEEN.sub("\ufffd", visible(text)).translate(_PICTURES)
    return text if line == text else line


def safe_text(text: str) -> str:
    """Return ``text`` with its line feeds and tabs. Line and paragraph separators become line feeds."""
    if text.isascii() and text.isprintable():
        return text
    lines = visible(text).translate(_BREAKS)
    return text if lines == text else lines


def _safe(value: Any) -> Any:
    match value:
        case str():
            return safe_line(value)
        case int() if not isinstance(value, bool):
            return max(-_INT_MAX, min(value, _INT_MAX))
        case list():
            items = [_safe(item) for item in value]
            return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
        case dict():
            pairs = {_safe(key): _safe(item) for key, item in value.items()}
            return value if pairs == value else pairs
        case msgspec.Struct():
            return safe(value)
    return value
