"""A server that sends only hostile strings, for tests of what reaches the terminal of a client."""

import json
import re
import socket
import threading
import types
import typing
from contextlib import suppress
from typing import Any

import msgspec

from irchat.protocol import events, wire

# An escape sequence, C0 and C1 controls, line ends, and characters that reverse or end a line.
STRING = (
    "\x1b]0;PWNED\x07\x1b[4;7;99mPWNED\x9b31mPWNED\u202ePWNED\u2028PWNED\u2029PWNED\x85\x00\r\n-- PWNED\t\b\x7f"
    "\u2066\u200e\u200f\u061c\ufeff\u2060"
)
_RAW = re.compile("[\u202a-\u202e\u2066-\u2069\u2028\u2029\x7f-\x9f\x00]|\x1b\\]0;PWNED|\x1b\\[4;7;99m")


def raw_in(output: bytes) -> list[str]:
    """Return the characters of `STRING` that reached the terminal unchanged."""
    return _RAW.findall(output.decode("utf-8", "replace"))


def hostile(kind: Any, prefix: str = "") -> Any:
    """Return a value of the type ``kind`` in which each string is `STRING`, beginning with ``prefix``."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if kind is str:
        return prefix + STRING
    if kind in (int, bool):
        return kind(1)
    if origin is list:
        return [hostile(inner[0], prefix), hostile(inner[0], "b" + prefix)]
    if origin is dict:
        return {hostile(inner[0]): hostile(inner[1])}
    if origin in (types.UnionType, typing.Union):
        return hostile(inner[0], prefix)
    fields = msgspec.structs.fields(kind)
    return kind(*(hostile(field.type, prefix) for field in fields))


def every_event() -> list[events.Event]:
    """Return two events of each type, all of their strings hostile."""
    return [hostile(kind, prefix) for kind in typing.get_args(events.ANY) for prefix in ("@", "*")]


def strings_in(value: Any) -> list[str]:
    """Return each string in an event."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, msgspec.Struct):
        return [text for name in value.__struct_fields__ for text in strings_in(getattr(value, name))]
    if isinstance(value, dict):
        return [text for pair in value.items() for text in strings_in(list(pair))]
    return [text for item in value for text in strings_in(item)] if isinstance(value, list) else []


class HostileServer:
    """Listens on a loopback port without TLS. ``refuse``: its answers to each way of signing in."""

    def __init__(self, refuse: str | None = None) -> None:
        self._refuse = refuse
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=[connection], daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        greeting = STRING.replace("\n", "")
        with suppress(OSError), connection, connection.makefile("rwb", buffering=0) as file:
            file.write(f"IRChat/1 {greeting}: your username?\n".encode())
            for line in file:
                request = json.loads(line)
                file.write(wire.encode_reply(self._reply(request["type"]), request.get("ref", 0)))
                if request["type"] == "blocks" or request["type"] == "line":
                    for event in every_event():
                        if not isinstance(event, events.Bye):
                            file.write(wire.encode(event))

    def _reply(self, kind: str) -> events.Event:
        replies = {
            "chats": events.Chats, "users": events.Users, "blocks": events.Blocks, "history": events.History,
            "search": events.Found, "send": events.Sent, "members": events.Group, "help": events.Help,
            "line": events.Help, "read": events.Ok,
        }  # fmt: skip
        if kind in ("login", "resume", "register"):
            return hostile(events.Welcome) if self._refuse is None else events.Error(self._refuse, STRING, STRING)
        return hostile(replies.get(kind, events.Error), "@")
