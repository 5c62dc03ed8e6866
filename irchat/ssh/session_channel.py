"""The channel of one session: which requests of a client it takes."""

import asyncio
from typing import TYPE_CHECKING

import asyncssh
from asyncssh.packet import SSHPacket

if TYPE_CHECKING:
    from irchat.ssh.relayed_connection import RelayedConnection

_VARIABLES = frozenset({b"NO_COLOR", b"COLORTERM", b"TERM"})
_VARIABLES_MOST, _VALUE_BYTES = 10, 100


class SessionChannel(asyncssh.SSHServerChannel[bytes]):
    """A channel that takes few variables of the environment, and no signals."""

    def __init__(
        self, connection: "RelayedConnection", loop: asyncio.AbstractEventLoop, window: int, packet_bytes: int
    ) -> None:
        super().__init__(connection, loop, True, False, False, 0, 0, None, "strict", window, packet_bytes)
        self._variables = 0

    @property
    def variables(self) -> dict[str, str]:
        """The variables that the client has set."""
        return {name.decode(): value.decode("ascii", "replace") for name, value in self._env.items()}

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
