"""The channel of one session: which requests of a client it takes."""

import asyncio
from typing import TYPE_CHECKING, Any

import asyncssh
from asyncssh.packet import SSHPacket

if TYPE_CHECKING:
    from irchat.ssh.relayed_connection import RelayedConnection

_VARIABLES = frozenset({b"NO_COLOR", b"COLORTERM", b"TERM"})
_VARIABLES_MOST, _VALUE_BYTES = 10, 100
# A client that takes only tiny packets makes each frame cost thousands of them.
_PACKET_BYTES_MIN = 1_024


class SessionChannel(asyncssh.SSHServerChannel[bytes]):
    """A channel that takes few variables of the environment, and no signals."""

    def __init__(
        self, connection: "RelayedConnection", loop: asyncio.AbstractEventLoop, window: int, packet_bytes: int
    ) -> None:
        super().__init__(connection, loop, True, False, False, 0, 0, None, "strict", window, packet_bytes)
        self._variables = 0

    def process_open(self, send_chan: int, send_window: int, send_pktsize: int, session: Any) -> None:
        """Open, if the client takes packets of a usual size."""
        if send_pktsize < _PACKET_BYTES_MIN:
            self._loop.call_soon(self._cleanup)
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_RESOURCE_SHORTAGE, "The packets are too small")
        super().process_open(send_chan, send_window, send_pktsize, session)

    @property
    def variables(self) -> dict[str, str]:
        """The variables that the client has set."""
        return {name.decode(): value.decode("ascii", "replace") for name, value in self._env.items()}

    def _process_pty_req_request(self, packet: SSHPacket) -> bool:
        """Take a terminal, whatever its name and its modes are."""
        term, size = packet.get_string(), (packet.get_uint32(), packet.get_uint32())
        pixels = packet.get_uint32(), packet.get_uint32()
        packet.get_string()
        packet.check_end()
        if self._term_type is not None:
            return False
        self._term_type = term.decode("ascii", "replace")
        assert isinstance(self._session, asyncssh.SSHServerSession)
        return bool(self._session.pty_requested(self._term_type, (*size, *pixels), {}))

    def _process_exec_request(self, packet: SSHPacket) -> bool:
        """Take a command. One that is not UTF-8 is refused by its session, with a reason."""
        command = packet.get_string()
        packet.check_end()
        return self._start_session(command=command.decode("utf-8", "surrogateescape"))

    def _process_env_request(self, packet: SSHPacket) -> bool:
        name, value = packet.get_string(), packet.get_string()
        packet.check_end()
        self._variables += 1
        if name not in _VARIABLES or len(value) > _VALUE_BYTES or self._variables > _VARIABLES_MOST:
            return False
        self._env[name] = value
        return True

    def _process_signal_request(self, packet: SSHPacket) -> bool:
        return False
