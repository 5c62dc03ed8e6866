"""One SSH connection, relayed by the server after a first line that tells whose it is."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import asyncssh
import msgspec

from irchat.protocol.ssh_door import RelayHello, read_relay_hello
from irchat.ssh.session_channel import SessionChannel

_FIRST_LINE_BYTES = 1_024


class RelayedConnection(asyncssh.SSHServerConnection):
    """An SSH connection through the relay of the server.

    ``relay`` names the connection to the server. ``on_drained`` are called when no byte waits to be written any longer,
    and after a key exchange.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, options: asyncssh.SSHServerConnectionOptions) -> None:
        super().__init__(loop, options)
        self.relay = 0
        self.on_drained: set[Callable[[], None]] = set()
        self._first: bytes | None = b""
        self._is_full = False

    @property
    def is_drained(self) -> bool:
        """Whether the server has taken all bytes. The library keeps what is written during a key exchange."""
        return not self._is_full and not self._deferred_packets

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin. The transport reports each time that all bytes are written."""
        cast(asyncio.Transport, transport).set_write_buffer_limits(0)
        super().connection_made(transport)

    def data_received(self, data: bytes, datatype: Any = None) -> None:
        """Take the first line, and then the bytes of the client."""
        if self._first is not None:
            line, found, data = (self._first + data).partition(b"\n")
            if not found:
                self._first = line
                if len(line) > _FIRST_LINE_BYTES:
                    self.abort()
                return
            self._first = None
            hello = _hello(line)
            if hello is None:
                self.abort()
                return
            self.relay = hello.relay
        if data:
            super().data_received(data, datatype)

    def pause_writing(self) -> None:
        """Note that bytes wait."""
        self._is_full = True

    def resume_writing(self) -> None:
        """Note that all bytes are written."""
        self._is_full = False
        self._drained()

    def _send_deferred_packets(self) -> None:
        super()._send_deferred_packets()
        if self.is_drained:
            self._drained()

    def _drained(self) -> None:
        for call in list(self.on_drained):
            call()

    def create_server_channel(
        self, encoding: str | None = "", errors: str = "", window: int = 0, max_pktsize: int = 0
    ) -> SessionChannel:
        """Return a channel of bytes, without the line editor of the library."""
        self._update_recv_pktlen(self._max_pktsize)
        return SessionChannel(self, self._loop, self._window, self._max_pktsize)


def _hello(line: bytes) -> RelayHello | None:
    try:
        return read_relay_hello(line)
    except msgspec.MsgspecError:
        return None
