"""The items in the pane of a chat: messages, messages being sent, and the client's own lines."""

import math
from dataclasses import dataclass
from enum import Enum

from irchat.text.excerpts import Hit

# The sort key of an item: the seq of the stored message before it, its kind, and the order of arrival.
Key = tuple[float, int, int]

AFTER_ALL = math.inf


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

    @property
    def is_talk(self) -> bool:
        """Whether this is a message of a user."""
        return self.kind in (Kind.MESSAGE, Kind.PENDING)
