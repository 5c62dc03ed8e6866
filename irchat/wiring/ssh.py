"""The SSH door: on the port of the lines, and on a port of its own."""

from collections.abc import Iterator
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger

from irchat.protocol.ssh_door import DoorConfig
from irchat.server.listeners.chat_port import ChatPort
from irchat.server.listeners.factory import ChatFactory
from irchat.server.listeners.listener import CannotBind, listen, listening_socket
from irchat.server.listeners.ssh.host_keys import WrongHostKey, ensure_host_key
from irchat.server.listeners.ssh.ssh_door import SSHDoor
from irchat.settings import Config, WrongSetting


def check_ssh(config: Config) -> None:
    """Check that the port of the door is free. Raises WrongSetting."""
    if config.ssh_port:
        try:
            listening_socket(config.host, config.ssh_port).close()
        except CannotBind as error:
            raise _port_error(config, error) from None


class SSHPorts:
    """Opens the door beside ``lines``, the factory of the main port, as ``config`` asks. ``quiet`` logs for sockets.

    Raises WrongSetting, or OSError if the host key cannot be written.
    """

    def __init__(self, reactor: Any, config: Config, lines: ChatFactory, quiet: Logger) -> None:
        self.port: ChatPort | None = None
        self._config = config
        self._door: SSHDoor | None = None
        if config.no_ssh:
            return
        try:
            self._fingerprint = ensure_host_key(config.data)
        except WrongHostKey as error:
            raise WrongSetting(str(error)) from None
        door = DoorConfig(str(config.data), config.ssh_sessions, not config.no_passwords, str(lines.name))
        lines.ssh = self._door = SSHDoor(reactor, lines, door, quiet)
        if config.ssh_port:
            factory = self._door
            try:
                self.port = ChatPort(
                    lambda port: listen(reactor, config.host, port, factory, quiet), config.ssh_port, reactor
                )
            except CannotBind as error:
                raise _port_error(config, error) from None

    def stop_listening(self) -> Deferred[None]:
        """Close the port of the door."""
        return succeed(None) if self.port is None else self.port.stop()

    def stop(self) -> Deferred[None]:
        """End the process that speaks SSH."""
        return succeed(None) if self._door is None else self._door.stop()

    def banner(self, port: int, address: str) -> Iterator[str]:
        """Yield the lines of the start: how to join by SSH on ``port``, at ``address``."""
        if self._door is not None:
            yield f"By SSH: ssh -p {self._config.ssh_port or port} NAME@{address.strip('[]')}"
            yield f"SSH host key: {self._fingerprint}"


def _port_error(config: Config, error: CannotBind) -> WrongSetting:
    return WrongSetting(f"--ssh-port {config.ssh_port}: {error.strerror}; choose another")
