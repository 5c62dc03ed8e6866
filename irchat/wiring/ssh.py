"""The SSH door: on the port of the lines, and on a port of its own."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from twisted.internet.protocol import ServerFactory
from twisted.logger import Logger

from irchat.protocol.ssh_door import DoorConfig
from irchat.server.listeners.factory import ChatFactory
from irchat.server.listeners.ssh.host_keys import WrongHostKey, ensure_host_key
from irchat.server.listeners.ssh.ssh_factory import SSHDoor
from irchat.settings import Config, WrongSetting
from irchat.wiring.banner import Started


class OpenedSSH(NamedTuple):
    """The open door. ``fingerprint``: that of the host key."""

    door: SSHDoor
    fingerprint: str


def open_ssh(
    reactor: Any,
    config: Config,
    lines: ChatFactory,
    quiet: Logger,
    open_port: Callable[[str | None, int, ServerFactory], object],
) -> OpenedSSH | None:
    """Open the door beside ``lines``, the factory of the main port, as ``config`` asks. Nothing is started.

    ``quiet`` logs for its sockets. Raises WrongSetting, or OSError if the host key cannot be written.
    """
    fingerprint = host_key(config)
    if fingerprint is None:
        return None
    of_process = DoorConfig(str(config.data), config.ssh_sessions, not config.no_passwords, str(lines.name))
    door = SSHDoor(reactor, lines, of_process, quiet)
    if config.ssh_port:
        open_port(config.host, config.ssh_port, door)
    lines.ssh = door
    return OpenedSSH(door, fingerprint)


def host_key(config: Config) -> str | None:
    """Return the fingerprint of the host key, None without the door. Raises WrongSetting or OSError."""
    if config.no_ssh:
        return None
    try:
        return ensure_host_key(config.data)
    except WrongHostKey as error:
        raise WrongSetting(str(error)) from None


def ssh_banner(config: Config, ssh: OpenedSSH | None, server: Started) -> Iterator[str]:
    """Yield the lines of the start: how to join by SSH."""
    if ssh is not None:
        yield f"By SSH: ssh -p {config.ssh_port or server.port} NAME@{server.here.strip('[]')}"
        yield f"SSH host key: {ssh.fingerprint}"
