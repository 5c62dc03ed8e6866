"""The web door: on the TLS port of the lines, and on a port of its own behind a reverse proxy."""

from collections.abc import Iterator
from typing import Any

from twisted.logger import Logger

from irchat.server.listeners.factory import ChatFactory
from irchat.server.listeners.listener import listen, listening_socket
from irchat.server.listeners.web.web_door import WebDoor
from irchat.server.protocols.offers import web_protocols
from irchat.settings import Config
from irchat.wiring.banner import is_loopback


def check_web(config: Config) -> None:
    """Check that the port of the door is free. Raises CannotBind or NoAddress (`irchat.server.listeners.listener`)."""
    if config.web_port:
        listening_socket(config.web_host, config.web_port).close()


class WebPorts:
    """Opens the door beside ``lines``, the factory of the main port, as ``config`` asks. ``quiet`` logs for the port.

    Raises CannotBind or NoAddress.
    """

    def __init__(self, reactor: Any, config: Config, lines: ChatFactory, quiet: Logger) -> None:
        self._config = config
        self._has_tls = lines.tls is not None
        self._port: Any = None
        if config.no_web:
            return
        door = WebDoor(lines, web_protocols(), config.web_proxy)
        lines.web = door
        if config.web_port:
            self._port = listen(reactor, config.web_host, config.web_port, door, quiet)

    def stop(self) -> Any:
        """Close the port of the door. Return a Deferred, or None."""
        port, self._port = self._port, None
        return None if port is None else port.stopListening()

    def banner(self, address: str, *, is_own: bool) -> Iterator[str]:
        """Yield the lines of the start: where the page is. ``is_own``: the server made its certificate itself."""
        if self._config.no_web:
            return
        if self._has_tls:
            yield f"In a browser: https://{address}/"
            if is_own:
                yield "(it will warn once: compare the fingerprint above)"
        if self._config.web_port:
            host = f"[{self._config.web_host}]" if ":" in self._config.web_host else self._config.web_host
            yield f"In a browser, without TLS: http://{host}:{self._config.web_port}/"
            if not is_loopback(self._config.web_host):
                yield "Other machines can reach that port, and read what is sent there: put a proxy with TLS before it."
