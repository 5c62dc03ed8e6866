"""The items in the pane of a chat: messages, messages being sent, and the client's own lines."""

import math
from dataclasses import dataclass, field
from enum import Enum

from irchat.protocol import events
from irchat.protocol.rules import answered_seq, visible
from irchat.text.excerpts import Hit
from irchat.text.names import same_name

# The sort key of an item: the seq of the stored message before it, its kind, and the order of arrival.
Key = tuple[float, int, int]

AFTER_ALL = math.inf

# Marks that change the direction of the text after them. `visible` shows embeddings and overrides.
_DIRECTION = dict.fromkeys([0x200E, 0x200F, 0x061C])


class Kind(Enum):
    """The kind of an item."""

    MESSAGE = "message"
    PENDING = "pending"
    NOTE = "note"
    ERROR = "error"


@dataclass(slots=True, eq=False)
class Item:
    """One item.

    ``at`` is a time as on the wire. ``timed`` is the id of a timed message, and ``ends`` its end in seconds of the
    forward clock. ``hit`` lists the words to mark in a search result.

    ``rev`` is the number of the last change that is applied, ``edited`` the time of the last edit. ``calls``: whether
    the message mentions the user. ``about``: the message that the client's own line shows: its chat, and its seq or id.
    """

    kind: Kind
    key: Key
    text: str
    sender: str = ""
    at: str = ""
    chat: str = ""
    seq: int | None = None
    timed: str | None = None
    ends: float | None = None
    nonce: str | None = None
    own: bool = False
    hit: Hit | None = None
    rev: int = 0
    edited: str | None = None
    marks: list[events.Mark] = field(default_factory=list)
    calls: bool = False
    about: tuple[str, "int | str | None"] | None = None

    @property
    def is_talk(self) -> bool:
        """Whether this is a message of a user."""
        return self.kind in (Kind.MESSAGE, Kind.PENDING)

    @property
    def reply_to(self) -> int | None:
        """The seq of the message that this one answers, or None."""
        return answered_seq(self.text) if self.is_talk else None


def clean(text: str) -> str:
    """Return ``text`` without anything that a terminal obeys or that changes the direction of a row."""
    return text if text.isascii() and text.isprintable() else visible(text).translate(_DIRECTION)


def calls(message: events.Message, me: str) -> bool:
    """Return whether a message mentions the user ``me``."""
    return any(same_name(name, me) for name in message.to or ())
