"""Connections of browsers: lines in WebSocket, over TLS or plain HTTP."""

import os
from typing import Any

from benchmarks.load import Connection, Lines, Load, Lost, context
from benchmarks.servers import IRChat, Server

_HELLO = (
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
_TEXT, _MASKED = 0x81, 0x80
_HTTP = context()
_HTTP.set_alpn_protocols(["http/1.1"])


class _Over:
    """A load generator whose connections offer HTTP in their TLS handshakes."""

    tls = _HTTP

    def __init__(self, load: Load) -> None:
        self._load = load

    def __getattr__(self, name: str) -> Any:
        return getattr(self._load, name)


class WebSocketConnection(Connection):
    """A connection to ``/ws``."""

    __slots__ = ("_frames", "_is_open")

    def __init__(self, load: Load, server: Server, number: int, on_lines: Lines, source: str = "") -> None:
        self._frames = b""
        self._is_open = False
        over: Any = _Over(load)
        super().__init__(over, server, number, on_lines, source)

    def send(self, data: bytes) -> None:
        """Send lines as one message. Before the first one, ask for the WebSocket."""
        mask = os.urandom(4)
        size = len(data)
        length = bytes((_MASKED | size,)) if size < 126 else bytes((_MASKED | 126,)) + size.to_bytes(2, "big")
        key = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
        masked = (int.from_bytes(data, "big") ^ key).to_bytes(size, "big")
        hello = b"" if self._is_open else _HELLO
        self._is_open = True
        self.push(hello + bytes((_TEXT,)) + length + mask + masked)

    def lines_in(self, data: bytes) -> bytes:
        """Return the contents of the complete frames."""
        data = self._frames + data
        at = 0
        if data.startswith(b"HTTP/"):
            if not data.startswith(b"HTTP/1.1 101 "):
                raise Lost(f"{self.server.name} answered {data[:60]!r}")
            at = data.find(b"\r\n\r\n") + 4
            if at < 4:
                self._frames = data
                return b""
        found = []
        while (end := _frame(data, at)) is not None:
            begin, at = end
            found.append(data[begin:at])
        self._frames = data[at:]
        return b"".join(found)


def _frame(data: bytes, at: int) -> tuple[int, int] | None:
    """Return the begin and the end of the contents of the frame at ``at``, or None if it is not complete."""
    if len(data) < at + 2:
        return None
    size, begin = data[at + 1], at + 2
    if size >= 126:
        width = 2 if size == 126 else 8
        if len(data) < begin + width:
            return None
        size, begin = int.from_bytes(data[begin : begin + width], "big"), begin + width
    return (begin, begin + size) if len(data) >= begin + size else None


class WebIRChat(IRChat):
    """IRChat, with browsers as clients."""

    name = "WebSocket"
    connection = WebSocketConnection
