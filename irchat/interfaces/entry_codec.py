"""Encode entries for the log of several nodes, without their secrets."""

from typing import get_args

import msgspec

from irchat.interfaces import writes
from irchat.interfaces.stored import Marker, StoredChange
from irchat.interfaces.writes import Entry, Write

LOGGED: tuple[type[Write[object]], ...] = (
    writes.UserCreated,
    writes.PasswordSet,
    writes.MessageEdited,
    writes.MessageDeleted,
    writes.MarkSet,
    writes.AlertSet,
    writes.MarkerMoved,
    writes.GroupCreated,
    writes.MemberAdded,
    writes.MemberRemoved,
    writes.GroupRemoved,
    writes.BlockSet,
    writes.UserRemoved,
    writes.SessionsEnded,
    writes.BanSet,
    writes.BanRemoved,
    writes.MarksRemoved,
    writes.SignInEnded,
    writes.OtherSignInsEnded,
    writes.KeyRemoved,
)
"""The writes that other nodes apply, except messages: those are read from their own table.

The place of a write is its number in the log: new ones come last.
"""

_NUMBERS: dict[type[Write[object]], int] = {write: number for number, write in enumerate(LOGGED)}
_DECODERS: list[msgspec.msgpack.Decoder[tuple[Write[object], object]]] = [
    msgspec.msgpack.Decoder(tuple[write, get_args(write.__orig_bases__[0])[0]])  # type: ignore[misc,valid-type,attr-defined]
    for write in LOGGED
]
_encoder = msgspec.msgpack.Encoder()

# The version that brought each kind of entry, unless it was the first.
_SINCE: dict[type[Write[object]], int] = {
    writes.SignInEnded: 2,
    writes.OtherSignInsEnded: 2,
    writes.KeyRemoved: 3,
}

VERSION = max(_SINCE.values())
"""The version of the encoding. Each new kind of entry raises it: a node of an older version cannot read it."""


class UnknownEntry(Exception):
    """The entry is of a newer version."""


def version_of(write: type[Write[object]]) -> int:
    """Return the version that a node must have to read an entry of this kind."""
    return _SINCE.get(write, 1)


def is_logged(entry: Entry) -> bool:
    """Return whether other nodes need this entry: it changes something that they hold."""
    if type(entry.write) not in _NUMBERS:
        return False
    result = entry.result
    if isinstance(result, StoredChange):
        return result.refusal is None and result.is_new
    if isinstance(result, Marker):
        return result.moved
    return result is not False


def encode(entry: Entry) -> bytes:
    """Encode a logged entry. It contains no password hash and no token."""
    write = entry.write
    if isinstance(write, writes.UserCreated):
        write = msgspec.structs.replace(write, password=None, token=None)
    elif isinstance(write, writes.PasswordSet):
        write = msgspec.structs.replace(write, password="", keep=None)
    elif isinstance(write, writes.SignInEnded):
        write = msgspec.structs.replace(write, token=b"")
    elif isinstance(write, writes.OtherSignInsEnded):
        write = msgspec.structs.replace(write, keep=None)
    return bytes([_NUMBERS[type(write)]]) + _encoder.encode((write, entry.result))


def decode(data: bytes) -> Entry:
    """Decode an entry. Raises UnknownEntry for one of a newer version."""
    if not data or data[0] >= len(_DECODERS):
        raise UnknownEntry(f"an entry of kind {data[0] if data else None} is of a newer version of IRChat")
    try:
        return Entry(*_DECODERS[data[0]].decode(data[1:]))
    except msgspec.MsgspecError as error:
        raise UnknownEntry(f"an entry of kind {data[0]} cannot be read: {error}") from None
