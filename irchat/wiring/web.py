"""The web door: on the TLS port of the lines, and on a port of its own behind a reverse proxy."""

from collections.abc import Iterator

from irchat.server.listeners.factory import ChatFactory
from irchat.server.listeners.web.web_door import WebDoor
from irchat.server.protocols.irc.irc_shared import IRCShared
from irchat.server.protocols.offers import irc_protocols, web_protocols
from irchat.settings import Config
from irchat.wiring.banner import OpenPort, Started, is_loopback


def open_web(config: Config, lines: ChatFactory, irc: IRCShared | None, open_port: OpenPort) -> None:
    """Open the door beside ``lines``, the factory of the main port, and its port if ``config`` asks for one.

    With ``irc``, IRC clients of browsers are served too.
    """
    if config.no_web:
        return
    of_irc = None if irc is None else irc_protocols(irc)
    door = WebDoor(lines, web_protocols(), config.web_proxy, irc=of_irc)
    lines.web = door
    if config.web_port:
        open_port(config.web_host, config.web_port, door)


def web_banner(config: Config, server: Started) -> Iterator[str]:
    """Yield the lines of the start: where the page is."""
    if config.no_web:
        return
    if server.fingerprint:
        yield f"In a browser: https://{server.here}:{server.port}/"
        if server.made_certificate:
            yield "(it will warn once: compare the fingerprint above)"
    if config.web_port:
        host = f"[{config.web_host}]" if ":" in config.web_host else config.web_host
        yield f"In a browser, without TLS: http://{host}:{config.web_port}/"
        if not is_loopback(config.web_host):
            yield "Other machines can reach that port, and read what is sent there: put a proxy with TLS before it."
