"""The first fields of an outbox."""

from collections.abc import Callable

from irchat.net.socket_writer import TryNow
from irchat.protocol.events import Event


class WriteFields:
    """The fields read on every write. They come first so that a fan-out touches few cache lines.

    ``try_now`` writes at once (see `irchat.net.socket_writer.Outgoing`). It is None while anything waits. ``encode``
    encodes an event once for all sessions of a protocol. It is None if the protocol encodes for each session.
    """

    __slots__ = ("_pending", "_size", "_writer", "behind", "closed", "encode", "try_now")

    encode: Callable[[Event], bytes] | None
    try_now: TryNow | None
