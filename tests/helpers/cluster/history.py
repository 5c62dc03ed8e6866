"""What clients did and saw, in the order in which one program observed it.

``at`` is the time in seconds of a steady clock. ``connection`` numbers the connections of all users. Chats are named as
all users name them: a private chat is ``@`` and its two users in order.
"""

from typing import NamedTuple


class Came(NamedTuple):
    """A welcome. ``online``: the users who are online."""

    at: float
    user: str
    connection: int
    online: frozenset[str]


class Left(NamedTuple):
    """The end of a connection that had been welcomed."""

    at: float
    user: str
    connection: int


class Posted(NamedTuple):
    """An attempt to send. A repetition has the same text and nonce. ``seconds``: the life of a timed message, or 0."""

    at: float
    user: str
    connection: int
    chat: str
    text: str
    seconds: int


class Answered(NamedTuple):
    """The reply ``sent``. A stored message has a ``seq``, a timed one ``id``, ``left_ms`` and ``reached``."""

    at: float
    user: str
    connection: int
    chat: str
    text: str
    seq: int
    id: str = ""
    left_ms: int = 0
    reached: int = 0


class Refused(NamedTuple):
    """The error in reply to an attempt to send."""

    at: float
    user: str
    connection: int
    text: str
    code: str


class Shown(NamedTuple):
    """A stored message, as it was sent (``live``) or in a page."""

    at: float
    user: str
    connection: int
    chat: str
    seq: int
    sender: str
    text: str
    live: bool


class Paged(NamedTuple):
    """The end of catching up in a chat: all pages after the seq ``after`` have been shown."""

    at: float
    user: str
    connection: int
    chat: str
    after: int


class ShownTimed(NamedTuple):
    """A timed message, live or in a page."""

    at: float
    user: str
    connection: int
    chat: str
    id: str
    sender: str
    text: str
    left_ms: int
    live: bool


class Erased(NamedTuple):
    """The end of a timed message."""

    at: float
    user: str
    connection: int
    id: str


class BlockAsked(NamedTuple):
    """A request to set or lift a block."""

    at: float
    user: str
    connection: int
    other: str
    blocked: bool


class BlockAnswered(NamedTuple):
    """The reply to it."""

    at: float
    user: str
    connection: int
    other: str
    blocked: bool


class Presence(NamedTuple):
    """Users who came online or went offline."""

    at: float
    user: str
    connection: int
    online: frozenset[str]
    offline: frozenset[str]


Record = (
    Came
    | Left
    | Posted
    | Answered
    | Refused
    | Shown
    | Paged
    | ShownTimed
    | Erased
    | BlockAsked
    | BlockAnswered
    | Presence
)
History = list[Record]


class StoredText(NamedTuple):
    """A message as the store has it at the end."""

    sender: str
    text: str


Stored = dict[str, dict[int, StoredText]]
"""All stored messages, by chat and seq."""


def canonical(chat: str, user: str) -> str:
    """Return the name of a chat that is the same for all users. ``chat`` is its name as ``user`` sees it."""
    return f"@{','.join(sorted((chat[1:], user)))}" if chat.startswith("@") else chat
