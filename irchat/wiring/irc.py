"""The IRC door: on the main port beside the other protocols, and on a port of its own."""

from collections.abc import Iterator

from twisted.internet.interfaces import IReactorTime

from irchat.server.listeners.factory import ChatFactory
from irchat.server.protocols.irc.irc_shared import IRCShared, make_shared
from irchat.server.protocols.offers import irc_protocols
from irchat.server.sessions.services import Services
from irchat.settings import Config
from irchat.wiring.banner import OpenPort, Started


def make_irc(config: Config, services: Services, clock: IReactorTime) -> IRCShared | None:
    """Return what all IRC sessions share, or None without IRC."""
    if config.no_irc:
        return None
    shared = make_shared(services, clock, config.name, config.irc_name)
    shared.motd = config.irc_motd
    return shared


def open_irc(config: Config, lines: ChatFactory, irc: IRCShared | None, open_port: OpenPort) -> None:
    """Open the port of the door beside ``lines``, the factory of the main port, if ``config`` asks for one."""
    if irc is not None and config.irc_port:
        open_port(config.host, config.irc_port, lines.beside(irc_protocols(irc)))


def irc_banner(config: Config, server: Started) -> Iterator[str]:
    """Yield the lines of the start: what to type in two clients. A certificate of our own is pinned."""
    if config.no_irc:
        return
    host, port = config.host or "localhost", config.irc_port or server.port
    if not server.fingerprint:
        yield f"In weechat: /server add chat {host}/{port}, then /connect chat"
        yield f"In irssi: /connect {host} {port}"
        return
    digits = server.fingerprint.removeprefix("sha256:")
    yield f"In weechat: /server add chat {host}/{port} -ssl"
    if server.made_certificate:
        pin = digits.replace(":", "").lower()
        yield f"  /set irc.server.chat.ssl_fingerprint {pin} (weechat 4: tls_fingerprint)"
    yield "  /connect chat"
    yield f"In irssi: /connect -tls {f'-tls_pinned_cert {digits} ' if server.made_certificate else ''}{host} {port}"
