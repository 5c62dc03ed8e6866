"""What stands in the pane of a chat: messages, those that are being sent, and the chat's own lines."""

import math
from dataclasses import dataclass
from enum import Enum

from irchat.text.excerpts import Hit

# An item's place: the stored message before it, what it is, and the order of coming.
Key = tuple[float, int, int]

AFTER_ALL = math.inf


class Kind(Enum):
    """What an item is."""

    MESSAGE = "message"
    PENDING = "pending"
    NOTE = "note"
    ERROR = "error"


@dataclass(slots=True, eq=False)
class Item:
    """One item. ``ends``: when a timed message is gone, in seconds of the forward clock. ``hit``: where the words that
    were searched for are in it."""

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
        """Whether it is something that a user said."""
        return self.kind in (Kind.MESSAGE, Kind.PENDING)
