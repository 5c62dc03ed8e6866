"""A stored message as lines of IRC, for the clients with the same capabilities."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from msgspec import Struct

from irchat.irc.irc_lines import TEXT_BYTES, cut
from irchat.irc.message_tags import build_tags
from irchat.irc.multiline import Piece, compose, lines_of

ACTION = "/me "
"""The beginning of a text of one line that is an ACTION in IRC."""
_ACTION_BYTES = TEXT_BYTES - len("\1ACTION \1")
# Tags of a client that take more than this on all lines of a message are on the first only.
_REPEATED_BYTES = 16_000
# A text of so few characters takes one line, whatever they are.
_SHORT = TEXT_BYTES // 4


class Caps(Protocol):
    """The capabilities of a client."""

    def __contains__(self, cap: str, /) -> bool:
        """Return whether the client has enabled ``cap``."""


class Flavour(NamedTuple):
    """The capabilities that change the lines of a message."""

    time: bool = False
    tags: bool = False
    account: bool = False
    multiline: bool = False


def flavour_of(caps: Caps, *, claims_accounts: bool = True) -> Flavour:
    """Return the flavour of a client with these capabilities. Without passwords, the server claims no account."""
    return Flavour(
        time="server-time" in caps,
        tags="message-tags" in caps,
        account=claims_accounts and "account-tag" in caps,
        multiline="batch" in caps and "draft/multiline" in caps,
    )


class Extras(NamedTuple):
    """The tags and lines that the client of a sender sent with a text, for those online.

    ``tags``: the client-only tags. ``pieces``: the lines of a multiline message as they were sent. ``answers``: what
    the server has put before the text, since it is a reply.
    """

    tags: Mapping[str, str] = {}
    pieces: Sequence[Piece] | None = None
    answers: str = ""


NO_EXTRAS = Extras()


class ShownMessage(Struct, frozen=True):
    """A message to show.

    ``command``: PRIVMSG or NOTICE. ``source``: the mask of ``sender``. ``at``: RFC 3339. ``msgid`` is empty for what is
    no message of its own, and ``reply`` the msgid of the message that it is about.
    """

    command: str
    source: str
    sender: str
    target: str
    at: str
    text: str
    msgid: str
    is_bot: bool = False
    extras: Extras = NO_EXTRAS
    reply: str = ""


def is_short(text: str) -> bool:
    """Return whether a text is one line for all clients, and neither an action nor a reply. Most texts are such."""
    return len(text) <= _SHORT and text[0] not in "#/" and "\n" not in text


def short_line(
    flavour: Flavour, command: str, source: str, sender: str, target: str, at: str, text: str, msgid: str, is_bot: bool
) -> bytes:
    """Return the line of a message with a short text, as `message_lines` does in twice the time."""
    tags = f";time={at}" if flavour.time else ""
    if flavour.account:
        tags += f";account={sender}"
    if flavour.tags:
        tags += f";bot;msgid={msgid}" if is_bot else f";msgid={msgid}"
    head = f"@{tags[1:]} " if tags else ""
    return f"{head}:{source} {command} {target} :{text}\r\n".encode()


def message_lines(flavour: Flavour, message: ShownMessage) -> bytes:
    """Return the lines of a message: one for each line of its text, long ones cut, or a multiline batch."""
    text, pieces = message.text.removeprefix(message.extras.answers), message.extras.pieces
    tags = _tags(flavour, message)
    first = [*tags, f"msgid={message.msgid}"] if flavour.tags and message.msgid else tags
    if "\n" not in text and (len(text) <= _SHORT or len(text.encode()) <= TEXT_BYTES) and not text.startswith(ACTION):
        return _line(message, first, text)
    if text.startswith(ACTION) and "\n" not in text:
        lines = [f"\1ACTION {piece}\1" for piece in cut(text.removeprefix(ACTION), _ACTION_BYTES)]
    elif flavour.multiline:
        return _batch(message, first, pieces or compose(text))
    else:
        whole = lines_of(text) if pieces is None else [piece.text for piece in pieces]
        lines = [piece for line in whole if line for piece in cut(line)]
    if flavour.tags and message.extras.tags and len(tags[-1]) * len(lines) > _REPEATED_BYTES:
        tags = tags[:-1]
    return b"".join([_line(message, first, lines[0]), *(_line(message, tags, line) for line in lines[1:])])


def _tags(flavour: Flavour, message: ShownMessage) -> list[str]:
    """Return the tags of each line of a message."""
    tags = []
    if flavour.time:
        tags.append(f"time={message.at}")
    if flavour.account:
        tags.append(f"account={message.sender}")
    if flavour.tags:
        if message.is_bot:
            tags.append("bot")
        if message.reply:
            tags.append(f"+draft/reply={message.reply}")
        if message.extras.tags:
            tags.append(build_tags(message.extras.tags))
    return tags


def _line(message: ShownMessage, tags: Sequence[str], text: str) -> bytes:
    head = f"@{';'.join(tags)} " if tags else ""
    return f"{head}:{message.source} {message.command} {message.target} :{text}\r\n".encode()


def _batch(message: ShownMessage, tags: Sequence[str], pieces: Sequence[Piece]) -> bytes:
    """Return the lines of a multiline batch. Its reference is made from the msgid: each batch has another."""
    reference = "m" + message.msgid.replace(".", "-")
    head = f"@{';'.join(tags)} " if tags else ""
    lines = [f"{head}:{message.source} BATCH +{reference} draft/multiline {message.target}\r\n"]
    for piece in pieces:
        concat = ";draft/multiline-concat" if piece.concat else ""
        lines.append(
            f"@batch={reference}{concat} :{message.source} {message.command} {message.target} :{piece.text}\r\n"
        )
    lines.append(f":{message.source} BATCH -{reference}\r\n")
    return "".join(lines).encode()
