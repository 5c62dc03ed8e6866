"""The messages between nodes. Nothing of them is stored anywhere.

Each is encoded with the node that sends it, the number of its run, its number ``n`` in that run (without a gap, from 1
on), and the position in the log up to which the sender had applied it: a receiver applies the log up to there first.
"""

from msgspec import Struct

from irchat.interfaces.nodes import LiveTimed, TimedCopy
from irchat.interfaces.stored import ChatKey

VERSION = 1
"""The version of the messages. A node ignores those of another one, and says so in its log."""


class BusMessage(Struct, frozen=True, tag=True):
    """A message of one node to all others, or only to the node ``to``."""


class Envelope(Struct, frozen=True, array_like=True):
    """The frame of a message. ``run``: the start of the sender's process. ``n``: 0 for an unnumbered message."""

    version: int
    node: str
    run: int
    n: int
    position: int
    body: BusMessage


class Beat(BusMessage, frozen=True):
    """The sender is alive, and ``n`` is the number of its last message. Sent twice a second.

    ``clock``: the time of its forward clock, in seconds. It is compared with that of messages with remaining times.
    """

    n: int
    clock: float = 0.0


class Again(BusMessage, frozen=True):
    """A request to ``node`` to repeat its messages from ``n`` of ``run`` on. If it cannot, it sends `State`."""

    node: str
    run: int
    n: int


class State(BusMessage, frozen=True):
    """All that the sender knows: its online users, and the timed messages that ended early (see `ThisNode.ended`).

    ``n``: the number of its last message that this includes. ``parts``: the number of `Live` messages before it.
    """

    n: int
    online: tuple[int, ...]
    ended: tuple[tuple[str, int], ...] = ()
    parts: int = 0


class Live(BusMessage, frozen=True):
    """A part of the live timed messages of the sender, before its `State`. ``part`` counts from 1. Not numbered."""

    part: int
    clock: float
    timed: LiveTimed


class Came(BusMessage, frozen=True):
    """A user is online on the sender."""

    user: int


class Went(BusMessage, frozen=True):
    """A user is no longer online on the sender."""

    user: int


class Timed(BusMessage, frozen=True):
    """A new timed message. ``clock``: the time of the sender's forward clock, to which its remaining time refers."""

    copy: TimedCopy
    clock: float


class Reached(BusMessage, frozen=True):
    """The users that the timed message ``id`` reached on the sender of this. Not numbered."""

    id: str
    users: tuple[int, ...]


class Answered(BusMessage, frozen=True):
    """The sender of the timed message ``id``, which has a nonce, was answered that it reached so many users."""

    id: str
    reached: int


class ReadTimed(BusMessage, frozen=True):
    """Users have read timed messages (see `ThisNode.note_read`)."""

    users: tuple[int, ...]
    chat: ChatKey
    ids: tuple[str, ...]
    seq: int | None = None


class Ended(BusMessage, frozen=True):
    """Timed messages ended early, the last of them by ``left_ms``."""

    chat: ChatKey
    ids: tuple[str, ...]
    left_ms: int


class Failed(BusMessage, frozen=True):
    """A sign-in for these keys (an address, a name) failed, or succeeded and ended their count."""

    keys: tuple[str, ...]
    succeeded: bool = False


class Counts(BusMessage, frozen=True):
    """Numbers of the sender that changed, by address or user: sessions, and registrations within the last hour."""

    sessions_of_user: tuple[tuple[int, int], ...] = ()
    sessions_of_address: tuple[tuple[str, int], ...] = ()
    registrations: tuple[tuple[str, int], ...] = ()


class News(BusMessage, frozen=True):
    """A commit was appended to the log. Not numbered: it only saves the others a wait."""
