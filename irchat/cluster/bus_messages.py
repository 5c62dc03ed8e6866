"""The messages between nodes. Nothing of them is stored anywhere.

Each is encoded with the node that sends it, the number of its run, its number ``n`` in that run (without a gap, from 1
on), and the position in the log up to which the sender had applied it: a receiver applies the log up to there first.
"""

from typing import TypeAlias

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from irchat.interfaces.nodes import TimedCopy
from irchat.interfaces.stored import ChatKey

VERSION = 1
"""The version of the messages, sent as their first byte. A node ignores those of another version, and logs that."""


class BusMessage(Struct, frozen=True, tag=True):
    """A message of one node to all others."""


class Beat(BusMessage, frozen=True):
    """The sender is alive, and ``n`` is the number of its last message. Sent twice a second."""

    n: int


class Again(BusMessage, frozen=True):
    """A request to ``node`` to repeat its messages from ``n`` of ``run`` on. If it cannot, it sends `State`.

    With ``n`` 0, a request for `State`.
    """

    node: str
    run: int
    n: int


class State(BusMessage, frozen=True):
    """All that the sender knows: its online users, and all live timed messages, each with the users that have read it.

    ``n``: the number of its last message that this includes. ``first``: that of the first one that it can repeat.
    ``online``: the users that are online on the sender, each with the number of its sessions. ``addresses``: the number
    of sessions of each address.
    """

    n: int
    first: int
    online: tuple[tuple[int, int], ...] = ()
    addresses: tuple[tuple[str, int], ...] = ()
    timed: tuple[tuple[TimedCopy, tuple[int, ...]], ...] = ()


class Came(BusMessage, frozen=True):
    """A user is online on the sender, with this many sessions."""

    user: int
    sessions: int


class Went(BusMessage, frozen=True):
    """A user is no longer online on the sender."""

    user: int


class Timed(BusMessage, frozen=True):
    """A new timed message."""

    copy: TimedCopy


class Reached(BusMessage, frozen=True):
    """The users that the timed message ``id`` reached on the sender of this. Not numbered: a late one is useless."""

    id: str
    users: tuple[int, ...]


class ReadTimed(BusMessage, frozen=True):
    """A user has read timed messages."""

    user: int
    chat: ChatKey
    ids: tuple[str, ...]


class Ended(BusMessage, frozen=True):
    """Timed messages ended early."""

    chat: ChatKey
    ids: tuple[str, ...]


class Failed(BusMessage, frozen=True):
    """A sign-in for these keys (an address, a name) failed, or succeeded and ended their count."""

    keys: tuple[str, ...]
    succeeded: bool = False


class Registered(BusMessage, frozen=True):
    """An account was created from this address."""

    address: str


class Counts(BusMessage, frozen=True):
    """The numbers of sessions on the sender that changed, by address."""

    addresses: tuple[tuple[str, int], ...]


class News(BusMessage, frozen=True):
    """A commit was appended to the log. Not numbered: it only saves the others a wait."""


UNNUMBERED = (Beat, Again, State, Reached, News)


Body: TypeAlias = (
    Beat | Again | State | Came | Went | Timed | Reached | ReadTimed | Ended | Failed | Registered | Counts | News
)


class Envelope(Struct, frozen=True, array_like=True):
    """The frame of a message. ``run``: the start of the sender's process. ``n``: 0 for an unnumbered message."""

    node: str
    run: int
    n: int
    position: int
    body: Body


class UnknownMessage(Exception):
    """The message is of another version, or unreadable."""


_decoder = msgspec.msgpack.Decoder(Envelope)


def encode(envelope: Envelope) -> bytes:
    """Encode a message, with its version."""
    return bytes([VERSION]) + msgspec.msgpack.encode(envelope)


def decode(data: bytes) -> Envelope:
    """Decode a message. Raises UnknownMessage."""
    if data[:1] != bytes([VERSION]):
        raise UnknownMessage
    try:
        return _decoder.decode(data[1:])
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise UnknownMessage from None  # the cause would show its content


def aged(body: Body, seconds: float) -> Body:
    """Return ``body`` after it has waited for ``seconds``: the timed messages in it have less time left.

    An ended one is replaced by its end, so that its text goes and its number stays.
    """
    ms = int(seconds * 1000)
    if isinstance(body, Timed):
        left = replace(body.copy, left_ms=body.copy.left_ms - ms)
        return Timed(left) if left.left_ms > 0 else Ended(left.chat, (left.id,))
    if isinstance(body, State) and body.timed:
        lefts = ((replace(copy, left_ms=copy.left_ms - ms), readers) for copy, readers in body.timed)
        return replace(body, timed=tuple((copy, readers) for copy, readers in lefts if copy.left_ms > 0))
    return body
