"""The web door: it creates a connection for each browser, on the TLS port of the lines or on a port of its own."""

from collections.abc import Collection, Sequence

from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Protocol, ServerFactory

from irchat.net.addresses import Network, read_address
from irchat.protocol.errors import Refusal
from irchat.server.admission import Visit, counted_address
from irchat.server.listeners.factory import ChatFactory
from irchat.server.listeners.registry import ConnectionRegistry
from irchat.server.listeners.web.page_files import PageFiles
from irchat.server.listeners.web.web_connection import WebConnection
from irchat.server.protocols.offers import Offers
from irchat.server.sessions.rate_limiter import RateLimiters
from irchat.server.sessions.services import Services

IRC_TEXT, IRC_BINARY = "text.ircv3.net", "binary.ircv3.net"
"""The subprotocols of IRC over WebSocket (IRCv3 websocket)."""


class SocketDoor:
    """The factory of the WebSockets of one path, which speak one of the protocols in ``offers``.

    ``subprotocols``: the names that a client may choose from in its handshake. With any, each line is one message; a
    client that names none gets the first.
    """

    def __init__(self, lines: ChatFactory, offers: Offers, subprotocols: Sequence[str] = ()) -> None:
        self._lines = lines
        self.offers = offers
        self.subprotocols = subprotocols
        self.clock: IReactorTime = lines.clock
        self.services: Services = lines.services
        self.registry: ConnectionRegistry = lines.registry

    @property
    def name(self) -> str:
        """The name of the server."""
        return self._lines.name


class WebDoor(ServerFactory):
    """Creates the connections of browsers. It shares all limits with ``lines``, the factory of the main port.

    ``offers``: the protocols of the page, and ``irc``: those of IRC clients, each on a path of its own. As a factory it
    serves a port of its own (plain HTTP), where addresses in ``proxies`` name their clients.
    """

    noisy = False

    def __init__(
        self, lines: ChatFactory, offers: Offers, proxies: Collection[Network] = (), *, irc: Offers | None = None
    ) -> None:
        self._lines = lines
        self.proxies = proxies
        self.files = PageFiles()
        self.clock: IReactorTime = lines.clock
        self.sockets = {"/ws": SocketDoor(lines, offers)}
        if irc is not None:
            self.sockets["/irc"] = SocketDoor(lines, irc, (IRC_TEXT, IRC_BINARY))

    def buildProtocol(self, addr: IAddress | None) -> Protocol | None:
        """Return a connection on the port of the door, or None if there is no room for it."""
        if not self._lines.room.is_there():
            return None
        host = getattr(addr, "host", "")
        peer = read_address(host)
        if peer is not None and any(peer in network for network in self.proxies):
            return WebConnection(self, host, None)
        try:
            return WebConnection(self, host, self.visit(host))
        except Refusal:
            return None

    @property
    def rate_limiters(self) -> RateLimiters:
        """The limiters of users and addresses."""
        return self._lines.services.rate_limiters

    def over_tls(self, host: str, visit: Visit) -> WebConnection:
        """Return a connection on the main port, after the browser has chosen HTTP."""
        return WebConnection(self, host, visit)

    def visit(self, host: str) -> Visit:
        """Count a connection from ``host``. Raises Refusal ``too-many``."""
        return self._lines.visit(counted_address(host))
