"""Links in texts: web addresses, and messages of other chats such as ``*team#17``."""

import re
from typing import NamedTuple
from urllib.parse import quote

_NAME = r"[^\s*@+\-~:,?!\\#&><\"'{}\[\]()/|=;]{1,32}"
_LINK = re.compile(rf"https?://[^\s<>\"]+|(?<![^\s(\[])(?P<chat>\*{_NAME}|GLOBAL)#(?P<seq>[1-9][0-9]{{0,17}})(?![\w#])")
# Punctuation of the sentence after an address.
_AFTER = ".,;:!?'\"*_"
_ADDRESS = re.compile(r"(https?://)([^/?#]*)(.*)", re.DOTALL)
# Characters of an address that are not percent-encoded.
_SAFE = ":/?#[]@!$&'()*+,;=%~-._"
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


def target_of(address: str) -> str:
    """Return an address in ASCII, as a terminal or a browser takes it: the host in punycode, the rest quoted."""
    match = _ADDRESS.fullmatch(address)
    assert match is not None
    return match[1] + quote(_encoded(match[2]), _SAFE) + quote(match[3], _SAFE)


def shown_host(address: str) -> str:
    """Return the host of an address in punycode, if it has other letters than ASCII, else an empty string.

    Letters of other scripts can look like Latin ones, so the name alone does not show where the address leads.
    """
    match = _ADDRESS.fullmatch(address)
    assert match is not None
    return "" if match[2].isascii() else _encoded(match[2])


def _encoded(host: str) -> str:
    labels = host.split(".")
    return ".".join(
        label if label.isascii() else f"xn--{label.casefold().encode('punycode').decode()}" for label in labels
    )
