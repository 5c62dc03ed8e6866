"""The messages between nodes, which are stored nowhere.

Each is encoded with its sender, the run of the sender, its number ``n`` in that run (from 1, without gaps), and the
position in the log that the sender had applied. A receiver applies the log up to that position first.
"""

from collections.abc import Collection, Sequence
from typing import TypeAlias

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from irchat.interfaces.asides import Persona
from irchat.interfaces.nodes import LiveTimed, TimedCopy
from irchat.interfaces.stored import ChatKey

VERSION = 2
"""The version of the messages, sent as their first byte. A node ignores and logs messages of another version."""


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
    """The online users of the sender. Its timed messages follow as `Ended` and `Live`.

    ``n``: the number of the last message that this includes. ``first``: the first number that the sender can repeat.
    ``online``: the users that are online on the sender, each with the number of its sessions. ``addresses``: the number
    of sessions of each address. ``sign_ins``: see `irchat.interfaces.nodes.OtherPresence.came`.
    ``personas``: see `irchat.interfaces.asides.ThesePersonas.here`.
    """

    n: int
    first: int
    online: tuple[tuple[int, int], ...] = ()
    addresses: tuple[tuple[str, int], ...] = ()
    sign_ins: tuple[tuple[int, tuple[str, ...]], ...] = ()
    personas: tuple[tuple[int, Persona], ...] = ()


class Live(BusMessage, frozen=True):
    """A part of the live timed messages of the sender. Sent after `State`."""

    timed: LiveTimed


class Came(BusMessage, frozen=True):
    """A user is online on the sender, with this many sessions, and these sign-ins."""

    user: int
    sessions: int
    sign_ins: tuple[str, ...] = ()


class Went(BusMessage, frozen=True):
    """A user is no longer online on the sender."""

    user: int


class Timed(BusMessage, frozen=True):
    """A new timed message."""

    copy: TimedCopy


class Reached(BusMessage, frozen=True):
    """The users on this node that the timed message ``id`` reached. Not numbered: a late one is useless."""

    id: str
    users: tuple[int, ...]


class Answered(BusMessage, frozen=True):
    """The answer to the user that sent the timed message ``id`` with a nonce: it ``reached`` so many users."""

    id: str
    reached: int


class ReadTimed(BusMessage, frozen=True):
    """Users have read timed messages (see `ThisNode.note_read`)."""

    users: tuple[int, ...]
    chat: ChatKey
    ids: tuple[str, ...]
    seq: int | None = None


class Ended(BusMessage, frozen=True):
    """Timed messages ended early (see `ThisNode.forget`)."""

    timed: tuple[tuple[str, int], ...]


class Failed(BusMessage, frozen=True):
    """A sign-in for these keys (an address, a name) failed, or succeeded and reset their counts."""

    keys: tuple[str, ...]
    succeeded: bool = False


class Registered(BusMessage, frozen=True):
    """An account was created from this address."""

    address: str


class Counts(BusMessage, frozen=True):
    """The numbers of sessions on the sender that changed, by address."""

    addresses: tuple[tuple[str, int], ...]


class Posed(BusMessage, frozen=True):
    """How a user presents itself on the sender (see `irchat.interfaces.asides.OtherAsides.pose`)."""

    user: int
    persona: Persona | None


class Signaled(BusMessage, frozen=True):
    """A signal of a user to a chat. Not numbered: a late one is useless."""

    sender: int
    chat: ChatKey
    tags: dict[str, str]


class Reasoned(BusMessage, frozen=True):
    """Why ``by`` is about to remove ``user`` from a group. Not numbered: it must arrive before the removal."""

    group: int
    user: int
    by: int
    reason: str


class News(BusMessage, frozen=True):
    """A commit was appended to the log. Not numbered: without it, the others find the commit later."""


UNNUMBERED = (Beat, Again, State, Reached, Signaled, Reasoned, News)


Body: TypeAlias = (
    Beat
    | Again
    | State
    | Live
    | Came
    | Went
    | Timed
    | Reached
    | Answered
    | ReadTimed
    | Ended
    | Failed
    | Registered
    | Counts
    | Posed
    | Signaled
    | Reasoned
    | News
)


class Envelope(Struct, frozen=True, array_like=True):
    """The frame of a message. ``run``: the start of the sender's process. ``n``: 0 for an unnumbered message.

    ``clock``: the time of the sender's forward clock (seconds) when it was sent, to which remaining times refer.
    """

    node: str
    run: int
    n: int
    position: int
    clock: float
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

    A `Timed` whose time is over becomes `Ended`: its text is dropped and its number stays.
    """
    ms = int(seconds * 1000)
    if isinstance(body, Timed):
        left = _older(body.copy, ms)
        return Timed(left) if left.left_ms else Ended(((left.id, 0),))
    if isinstance(body, Live):
        return Live(replace(body.timed, copies=tuple(_older(copy, ms) for copy in body.timed.copies)))
    return body


def _older(copy: TimedCopy, ms: int) -> TimedCopy:
    left_ms = max(0, copy.left_ms - ms)
    return replace(copy, left_ms=left_ms, text=copy.text if left_ms else "")


def copies(body: Body) -> Sequence[TimedCopy]:
    """Return the timed messages in a message."""
    match body:
        case Timed(copy):
            return (copy,)
        case Live(timed):
            return timed.copies
    return ()


def without_texts(body: Body, ids: Collection[str]) -> Body:
    """Return ``body`` without the timed messages that ended."""
    match body:
        case Timed(copy) if copy.id in ids:
            return Ended(((copy.id, 0),))
        case Live(timed):
            left = (_older(copy, copy.left_ms) if copy.id in ids else copy for copy in timed.copies)
            return Live(replace(timed, copies=tuple(left)))
    return body
