"""Lines of IRC: parse and build them, and cut long texts.

Lines are parsed from bytes without their line ending, and built as bytes with CR LF.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

import regex

from irchat.irc.message_tags import CLIENT_TAG_BYTES, build_tags, parse_tags
from irchat.protocol.errors import Code
from irchat.protocol.rules import visible

TEXT_BYTES = 500
"""Maximum bytes of the text in one line to a client."""
REST_BYTES = 510
"""Maximum bytes of a line from a client, without its tags."""
REST_BYTES_BEFORE = 4_096
"""The same before the sign-in: passwords are long."""
REASON_LENGTH = 300
"""Maximum characters of an AWAY text and of a reason of KICK or PART."""

_COMMAND = re.compile("[A-Za-z]{1,32}|[0-9]{3}")
_CLUSTER = regex.compile(r"\X")
_CLUSTER_BYTES = 100


class Line(NamedTuple):
    """A parsed line. ``command`` is in upper case. A tag without a value has the value ''."""

    tags: dict[str, str]
    source: str
    command: str
    params: list[str]

    def param(self, index: int, default: str = "") -> str:
        """Return a parameter, or ``default`` if the line has fewer."""
        return self.params[index] if index < len(self.params) else default

    @property
    def label(self) -> str | None:
        """The ``label`` tag of a request, if it has a valid one."""
        label = self.tags.get("label")
        return label if label and len(label) <= 64 and label.isprintable() else None


class BadIRCLine(Exception):
    """A line that is not parsed.

    ``code``: ``line-too-long`` or ``bad-encoding``. ``command``: as far as it can be read, else ``*``. ``label``: as
    `Line.label`.
    """

    def __init__(self, code: Code, command: str, label: str | None) -> None:
        super().__init__(code, command, label)
        self.code = code
        self.command = command
        self.label = label


def parse(data: bytes, most: int = REST_BYTES) -> Line | None:
    """Parse a line without its line ending. ``most``: the maximum bytes of what follows its tags.

    Return None for an empty line. NUL is dropped. Raises `BadIRCLine`.
    """
    head, rest = b"", data.replace(b"\0", b"").lstrip(b" ")
    if rest.startswith(b"@"):
        head, _, rest = rest[1:].partition(b" ")
        rest = rest.lstrip(b" ")
    too_long = len(head) > CLIENT_TAG_BYTES or len(rest) > most
    try:
        if too_long:
            raise BadIRCLine(Code.LINE_TOO_LONG, *_beginning(head, rest))
        return _parsed(parse_tags(head.decode()), rest.decode())
    except UnicodeDecodeError:
        raise BadIRCLine(Code.BAD_ENCODING, *_beginning(head, rest)) from None


def _parsed(tags: dict[str, str], rest: str) -> Line | None:
    source = ""
    if rest.startswith(":"):
        source, _, rest = rest[1:].partition(" ")
        rest = rest.lstrip(" ")
    middle, colon, trailing = f" {rest}".partition(" :")
    words = [word for word in middle.split(" ") if word]
    if colon:
        words.append(trailing)
    if not words or not middle.strip(" "):
        return None
    return Line(tags, source, words[0].upper(), words[1:])


def _beginning(head: bytes, rest: bytes) -> tuple[str, str | None]:
    """Return the command and the label of a line that is not parsed."""
    line = _parsed(parse_tags(head[:CLIENT_TAG_BYTES].decode(errors="replace")), rest[:600].decode(errors="replace"))
    if line is None:
        return "*", None
    return (line.command if _COMMAND.fullmatch(line.command) else "*"), line.label


def safe(text: str) -> str:
    """Return ``text`` with every control made visible, so that it ends no line and no terminal obeys it."""
    return visible(text).replace("\n", "\u240a")


def middle(text: str) -> str:
    """Return ``text`` as a parameter that is not the last, or ``*`` if it cannot be one."""
    return "*" if not text or text[0] == ":" or " " in text else safe(text)


def build(
    command: str, *params: str, source: str = "", text: str | None = None, tags: Mapping[str, str] | None = None
) -> bytes:
    """Return a line with CR LF. ``text`` is the last parameter and has its colon always.

    Controls in it are made visible, so that nothing ends the line. One of ``params`` that is empty,
    begins with a colon or contains a space is replaced by ``*``.
    """
    words = [command, *(middle(param) for param in params)]
    if source:
        words.insert(0, f":{source}")
    if tags:
        words.insert(0, f"@{build_tags(tags)}")
    if text is not None:
        words.append(f":{safe(text)}")
    return f"{' '.join(words)}\r\n".encode(errors="replace")


def cut(text: str, most: int = TEXT_BYTES) -> list[str]:
    """Split a text of one line into pieces of at most ``most`` bytes. Joined, they are the text.

    A piece ends after the last space in its second half, else between characters as they are seen.
    """
    if len(text) * 4 <= most or len(text.encode()) <= most:
        return [text]
    pieces, rest = [], text.encode()
    while len(rest) > most:
        end = _place_to_cut(rest, most)
        pieces.append(rest[:end].decode())
        rest = rest[end:]
    return [*pieces, rest.decode()]


def _place_to_cut(data: bytes, most: int) -> int:
    space = data.rfind(b" ", most // 2, most)
    if space >= 0:
        return space + 1
    end = _character_start(data, most)
    # A flag or an accented letter is several code points: look for the beginning of the last one, not too far back.
    begin = _character_start(data, max(most // 2, end - _CLUSTER_BYTES))
    following = data[begin : _character_start(data, end + _CLUSTER_BYTES)].decode()
    place = begin
    for cluster in _CLUSTER.finditer(following):
        beyond = place + len(cluster[0].encode())
        if beyond > end:
            break
        place = beyond
    return place if place > begin else end


def _character_start(data: bytes, place: int) -> int:
    """Return ``place``, or the beginning of the character in whose middle it is."""
    while 0 < place < len(data) and data[place] & 0xC0 == 0x80:
        place -= 1
    return min(place, len(data))
