"""One SSH connection, relayed by the server after a first line that identifies the client."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, cast

import asyncssh
import msgspec
from asyncssh.channel import SSHChannel
from asyncssh.packet import SSHPacket

from irchat.protocol.ssh_door import RelayHello, read_relay_hello
from irchat.ssh.session_channel import SessionChannel

_FIRST_LINE_BYTES = 1_024
# Bytes of a client that are read in one turn of the loop: small packets cost far more than their bytes.
_TURN_BYTES = 4_096
# A client may ask for new keys often, but each exchange costs milliseconds: so many at once, and a second.
_EXCHANGES_AT_ONCE, _EXCHANGES_A_SECOND = 200, 10


class RelayedConnection(asyncssh.SSHServerConnection):
    """An SSH connection through the relay of the server.

    ``relay`` names the connection to the server. ``on_drained`` are called when no byte waits to be written any longer,
    and after a key exchange. ``channels`` is the number of open channels.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, options: asyncssh.SSHServerConnectionOptions) -> None:
        super().__init__(loop, options)
        self.relay = 0
        self.channels = 0
        self.on_drained: set[Callable[[], None]] = set()
        self._first: bytes | None = b""
        self._unread = bytearray()
        self._exchanges = float(_EXCHANGES_AT_ONCE)
        self._exchanged_at = loop.time()
        self._is_full = False

    @property
    def is_drained(self) -> bool:
        """Whether the server has taken all bytes. The library keeps the data that is written during a key exchange."""
        return not self._is_full and not self._deferred_packets

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin. The transport reports each time that all bytes are written."""
        self._socket = cast(asyncio.Transport, transport)
        self._socket.set_write_buffer_limits(0)
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
        is_reading = bool(self._unread)
        self._unread += data
        if not is_reading:
            self._read()

    def _read(self) -> None:
        """Read some bytes, and the others later, after as much time as these took."""
        began = self._loop.time()
        part = bytes(self._unread[:_TURN_BYTES])
        del self._unread[:_TURN_BYTES]
        if part:
            super().data_received(part)
        if self._unread and not self.is_closed():
            self._socket.pause_reading()
            self._loop.call_later(self._loop.time() - began, self._read_on)

    def _read_on(self) -> None:
        self._read()
        if not self._unread:
            self._socket.resume_reading()

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

    def choose_server_host_key(self, peer_host_key_algs: Sequence[bytes]) -> bool:
        """Choose the host key. If the client has guessed the key exchange wrongly, drop the packet that follows.

        The library drops it only if another key exchange was chosen. A client such as dropbear does what RFC 4253,
        section 7, says: its guess is wrong if its favourite is not that of the server, even if it is chosen.
        """
        if guesses_wrongly(self._client_kexinit, self._server_kexinit):
            self._ignore_first_kex = True
        return super().choose_server_host_key(peer_host_key_algs)

    def send_newkeys(self, k: bytes, h: bytes) -> None:
        """Finish a key exchange. A client that asks for too many is disconnected."""
        now = self._loop.time()
        gained = (now - self._exchanged_at) * _EXCHANGES_A_SECOND
        self._exchanges, self._exchanged_at = min(self._exchanges + gained, _EXCHANGES_AT_ONCE) - 1, now
        if self._exchanges < 0:
            self.disconnect(asyncssh.DISC_PROTOCOL_ERROR, "Too many key exchanges")
        else:
            super().send_newkeys(k, h)

    def add_channel(self, chan: SSHChannel[Any]) -> int:
        """Count a channel. Return its number."""
        number = super().add_channel(chan)
        self.channels += 1
        return number

    def remove_channel(self, recv_chan: int) -> None:
        """Count a channel no longer."""
        super().remove_channel(recv_chan)
        self.channels -= 1

    def create_server_channel(
        self, encoding: str | None = "", errors: str = "", window: int = 0, max_pktsize: int = 0
    ) -> SessionChannel:
        """Return a channel of bytes, without the line editor of the library."""
        self._update_recv_pktlen(self._max_pktsize)
        return SessionChannel(self, self._loop, self._window, self._max_pktsize)


def guesses_wrongly(of_client: bytes, of_server: bytes) -> bool:
    """Return whether the client sends a packet of a key exchange that was not agreed on.

    Both are the whole messages SSH_MSG_KEXINIT.
    """
    (*favourites, follows), (*ours, _) = _favourites(of_client), _favourites(of_server)
    return bool(follows) and favourites != ours


def _favourites(message: bytes) -> tuple[list[bytes], list[bytes], bool]:
    """Return the first key exchange and kind of host key in a message, if any, and whether a packet follows it."""
    packet = SSHPacket(message)
    packet.get_bytes(1 + 16)  # the number of the message, and the cookie
    exchange, host_key, *_ = [packet.get_namelist() for _ in range(10)]
    return list(exchange[:1]), list(host_key[:1]), packet.get_boolean()


def _hello(line: bytes) -> RelayHello | None:
    try:
        return read_relay_hello(line)
    except msgspec.MsgspecError:
        return None
