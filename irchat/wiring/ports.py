"""All ports of a server for clients: the main one, and those of single doors."""

from collections.abc import Iterator
from typing import Any

from twisted.internet.defer import Deferred, gatherResults, succeed
from twisted.internet.protocol import ServerFactory
from twisted.logger import Logger

from irchat.server.listeners.chat_port import ChatPort
from irchat.server.listeners.factory import ChatFactory
from irchat.server.listeners.listener import listen, listening_socket
from irchat.server.protocols.irc.irc_shared import IRCShared
from irchat.settings import Config
from irchat.wiring.banner import Started, banner
from irchat.wiring.irc import irc_banner, open_irc
from irchat.wiring.ssh import open_ssh, ssh_banner
from irchat.wiring.web import open_web, web_banner


def check_ports(config: Config) -> None:
    """Check that the ports are free. Raises CannotBind or NoAddress (`irchat.server.listeners.listener`)."""
    listening_socket(config.host, config.port).close()
    if config.web_port:
        listening_socket(config.web_host, config.web_port).close()
    for port in filter(None, (config.irc_port, config.ssh_port)):
        listening_socket(config.host, port).close()


class Ports:
    """Opens the ports that ``config`` asks for. ``lines``: the factory of the main port. ``irc``: None without IRC.

    ``main``: the number of the main port. ``quiet`` logs for ports. Raises WrongSetting, CannotBind or NoAddress.
    """

    def __init__(self, reactor: Any, config: Config, lines: ChatFactory, irc: IRCShared | None) -> None:
        self._reactor = reactor
        self._config = config
        # Twisted's own port logs a line for each peer that it cannot accept.
        self.quiet = Logger(observer=lines.room.quiet)  # type: ignore[arg-type]
        self._ports: list[ChatPort] = []
        try:
            self.main = self._open(config.host, config.port, lines).number
            open_web(config, lines, irc, self._open)
            open_irc(config, lines, irc, self._open)
            self._ssh = open_ssh(reactor, config, lines, self.quiet, self._open)
        except BaseException:
            self.stop()
            raise

    def _open(self, host: str | None, number: int, factory: ServerFactory) -> ChatPort:
        port = ChatPort(lambda port: listen(self._reactor, host, port, factory, self.quiet), number, self._reactor)
        self._ports.append(port)
        return port

    def set_closed(self, reason: str, is_closed: bool) -> None:
        """Add or remove a ``reason`` to close all ports (`ChatPort.set_closed`)."""
        for port in self._ports:
            port.set_closed(reason, is_closed)

    def stop(self) -> Deferred[list[None]]:
        """Stop listening."""
        return gatherResults([port.stop() for port in self._ports])

    def stop_ssh(self) -> Deferred[None]:
        """End the process that speaks SSH."""
        return succeed(None) if self._ssh is None else self._ssh.door.stop()

    def banner(self, server: Started) -> Iterator[str]:
        """Yield the lines that a started server prints."""
        yield from banner(server)
        yield from web_banner(self._config, server)
        yield from irc_banner(self._config, server)
        yield from ssh_banner(self._config, self._ssh, server)
