"""Refuse an SSH client before any keys are exchanged (RFC 4253, sections 4.2, 6 and 11.1)."""

import struct

from irchat.protocol.ssh_door import VERSION

NOT_ALLOWED = 1
UNAVAILABLE = 7
TOO_MANY = 12

_DISCONNECT = 1
_BLOCK = 8
_LEAST_PADDING = 4


def refusal(reason: int, text: str, *, has_version: bool) -> bytes:
    """Return the bytes that make a client show ``text``. ``has_version``: the version was sent to it already."""
    said = text.encode()
    payload = struct.pack("!BII", _DISCONNECT, reason, len(said)) + said + struct.pack("!I", 0)
    padding = _BLOCK - (5 + len(payload)) % _BLOCK
    if padding < _LEAST_PADDING:
        padding += _BLOCK
    packet = struct.pack("!IB", 1 + len(payload) + padding, padding) + payload + bytes(padding)
    return packet if has_version else VERSION + b"\r\n" + packet
