"""The first fields of an outbox."""

from collections.abc import Callable

from irchat.interfaces.bus import Publication
from irchat.net.socket_writer import TryNow


class WriteFields:
    """The fields read on every write. They come first so that a fan-out touches few cache lines.

    ``try_now`` writes at once (see `irchat.net.socket_writer.Outgoing`). It is None while anything waits. ``encode``
    encodes a publication once for all sessions that share it. It is None if the protocol encodes for each session, and
    returns None for a publication that differs between sessions.
    """

    __slots__ = ("_pending", "_size", "_writer", "behind", "closed", "encode", "try_now")

    encode: Callable[[Publication], bytes | None] | None
    try_now: TryNow | None
