"""The lines between the server and the process of its SSH door, and the files in which they find each other.

The server starts the process (``python -m irchat.ssh``) with one line of JSON on its standard input, a `DoorConfig`.
The process answers `READY` on its standard output when it listens on `RELAY_SOCKET`, writes its log to standard error,
and ends when its standard input ends.

The server relays each SSH connection to `RELAY_SOCKET`, after one line of JSON, a `RelayHello`. The process comes back
by `DOOR_SOCKET`, as often as it needs a session for that connection. Its first line is a `DoorHello`. Then it gets the
greeting of the server and speaks the JSON protocol, with the further requests `irchat.protocol.requests.KeyOf` and
`irchat.protocol.requests.Vouch`.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

RELAY_SOCKET = "ssh.sock"
DOOR_SOCKET = "door.sock"
HOST_KEY_FILE = "ssh_host_ed25519_key"
READY = b"ready\n"

VERSION = b"SSH-2.0-IRChat"
"""The version of the server (RFC 4253, section 4.2), without its line end. The process must send exactly this one:
the server may have sent it already, and then removes it from the output of the process."""

GUEST_SECONDS = 600
"""Seconds after which a client is disconnected that has answered no question of the sign-in."""

OFFERED_MOST = 20
"""Maximum number of offered keys in a `DoorHello`."""


class DoorConfig(Struct, frozen=True):
    """The configuration of the process.

    ``folder`` contains the sockets and the host key. ``sessions``: the maximum number of sessions. ``passwords``:
    whether sign-ins need one. ``name``: that of the server.
    """

    folder: str
    sessions: int
    passwords: bool
    name: str


class RelayHello(Struct, frozen=True):
    """The first line to the process. ``address``: that of the client. ``relay``: the number of the connection."""

    address: str
    relay: int


class OfferedKey(Struct, frozen=True):
    """A public key that a client has offered. ``blob``: its binary form (RFC 4253, section 6.6) in base64."""

    kind: Annotated[str, Meta(max_length=64)]
    blob: Annotated[str, Meta(max_length=8_192)]


class DoorHello(Struct, frozen=True):
    """The first line from the process: the connection that needs a session, and the keys that it has offered."""

    door: Literal["ssh"]
    relay: int
    keys: Annotated[list[OfferedKey], Meta(max_length=OFFERED_MOST)] = []


_relay_decoder: msgspec.json.Decoder[RelayHello] = msgspec.json.Decoder(RelayHello)
_door_decoder: msgspec.json.Decoder[DoorHello] = msgspec.json.Decoder(DoorHello)
_config_decoder: msgspec.json.Decoder[DoorConfig] = msgspec.json.Decoder(DoorConfig)


def encode(line: DoorConfig | RelayHello | DoorHello) -> bytes:
    """Return a first line, with its line feed."""
    return msgspec.json.encode(line) + b"\n"


def read_config(line: bytes) -> DoorConfig:
    """Read the configuration. Raises msgspec.MsgspecError."""
    return _config_decoder.decode(line)


def read_relay_hello(line: bytes) -> RelayHello:
    """Read the first line of a relay. Raises msgspec.MsgspecError."""
    return _relay_decoder.decode(line)


def read_door_hello(line: bytes) -> DoorHello:
    """Read the first line on the door. Raises msgspec.MsgspecError."""
    return _door_decoder.decode(line)
