"""Message tags: parse, build and escape them (IRCv3 message-tags)."""

import re
from collections.abc import Mapping

from irchat.protocol.rules import visible

CLIENT_TAG_BYTES = 4_094
"""Maximum bytes of the tags of a line from a client, without ``@`` and the space."""

_KEY = re.compile(r"\+?(?:[A-Za-z0-9.-]+/)?[A-Za-z0-9-]+")
_ESCAPES = str.maketrans({";": "\\:", " ": "\\s", "\\": "\\\\", "\r": "\\r", "\n": "\\n", "\0": ""})
# Every other control is one of these once it is made visible.
_CONTROLS = frozenset("\n\t\u2028\u2029\ufffd").union(map(chr, range(0x2400, 0x2422)))
_ESCAPED = re.compile(r"\\(.?)", re.DOTALL)
_MEANINGS = {":": ";", "s": " ", "\\": "\\", "r": "\r", "n": "\n"}


def escape(value: str) -> str:
    """Return the value of a tag as it stands in a line."""
    return value.translate(_ESCAPES)


def unescape(value: str) -> str:
    """Return the value that stands as ``value`` in a line. A backslash before any other character is dropped."""
    return _ESCAPED.sub(lambda found: _MEANINGS.get(found[1], found[1]), value) if "\\" in value else value


def parse_tags(data: str) -> dict[str, str]:
    """Return the tags in ``data``, the part of a line between ``@`` and a space. Of equal keys the last counts.

    Tags with an invalid key are dropped.
    """
    tags = {}
    for tag in data.split(";") if data else ():
        key, _, value = tag.partition("=")
        if _KEY.fullmatch(key):
            tags[key] = unescape(value)
    return tags


def build_tags(tags: Mapping[str, str]) -> str:
    """Return the tags of a line, without ``@`` and the space."""
    return ";".join(f"{key}={escape(value)}" if value else key for key, value in tags.items())


def client_only(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the client-only tags (``+...``) that may be passed on: their values have no control characters."""
    return {key: value for key, value in tags.items() if key[0] == "+" and not _has_controls(value)}


def _has_controls(value: str) -> bool:
    return not value.isprintable() and not _CONTROLS.isdisjoint(visible(value))


def tagged(line: bytes, tags: Mapping[str, str]) -> bytes:
    """Return a built line with further ``tags`` before those that it has."""
    if not tags:
        return line
    new = build_tags(tags).encode(errors="replace")
    return b"@%b;%b" % (new, line[1:]) if line.startswith(b"@") else b"@%b %b" % (new, line)
