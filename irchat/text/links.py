"""Links in texts: web addresses, and messages of other chats such as ``*team#17``."""

import re
from typing import NamedTuple

_NAME = r"[^\s*@+\-~:,?!\\#&><\"'{}\[\]()/|=;]{1,32}"
_LINK = re.compile(rf"https?://[^\s<>\"]+|(?<![^\s(\[])(?P<chat>\*{_NAME}|GLOBAL)#(?P<seq>[1-9][0-9]{{0,17}})(?![\w#])")
# Punctuation of the sentence after an address.
_AFTER = ".,;:!?'\"*_"
_BRACKETS = {")": "(", "]": "[", "}": "{"}


class Link(NamedTuple):
    """A link at ``start`` to ``end`` of a text. ``chat`` and ``seq`` are those of a message."""

    text: str
    start: int
    end: int
    chat: str = ""
    seq: int = 0


def find_links(text: str) -> list[Link]:
    """Return the links in a text, in order."""
    if "#" not in text and "://" not in text:
        return []
    links = []
    for match in _LINK.finditer(text):
        if match["chat"]:
            links.append(Link(match[0], *match.span(), match["chat"], int(match["seq"])))
        elif len(address := _trimmed(match[0])) > len("https://"):
            links.append(Link(address, match.start(), match.start() + len(address)))
    return links


def _trimmed(address: str) -> str:
    """Return an address without the punctuation after it, and without a bracket that was opened before it."""
    while address:
        last = address[-1]
        opened = _BRACKETS.get(last)
        if last not in _AFTER and (opened is None or address.count(opened) >= address.count(last)):
            break
        address = address[:-1]
    return address
