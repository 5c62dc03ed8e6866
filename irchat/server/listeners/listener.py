"""The listening socket. Created here so that IPv6 also accepts IPv4, whatever the default of the system."""

import socket
from typing import Any

from twisted.internet import tcp
from twisted.internet.protocol import ServerFactory

_BACKLOG = 1_024
# Starting TLS on a connection takes about 1 ms.
_ACCEPTS_A_TURN = 8
# Bytes that the system may buffer for one connection, besides the outbox. Linux doubles the number for its own needs.
# Without a limit it buffers up to 4 MB for each client that does not read.
SEND_BUFFER = 131_072


class _Port(tcp.Port):
    """A Twisted port that accepts few connections in one turn.

    Twisted accepts 100 at first, and more and more during a flood of connections. With TLS, such a turn would take half
    a second, during which no message is delivered.
    """

    @property
    def numberAccepts(self) -> int:
        """The number of connections to accept in one turn."""
        return _ACCEPTS_A_TURN

    @numberAccepts.setter
    def numberAccepts(self, number: int) -> None:
        """Ignore the value that Twisted sets after each turn."""


class CannotBind(OSError):
    """The server cannot listen on ``host`` (None: all addresses) and ``port``, for the reason of the system."""

    host: str | None = None
    port = 0


class NoAddress(Exception):
    """The host is not an IP address."""


def listening_socket(host: str | None, port: int) -> socket.socket:
    """Return a socket that listens on ``host`` (None: all addresses). Raises CannotBind or NoAddress."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host or all_addresses(), port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST | socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, ValueError) as error:  # ValueError: a NUL, or an invalid label of a name
        raise NoAddress(str(error)) from None
    try:
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            listening.bind(address)
            # Accepted sockets inherit these. Each write is complete, so waiting for more gains nothing.
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
            listening.listen(_BACKLOG)
            listening.setblocking(False)
        except BaseException:
            listening.close()
            raise
    except OSError as error:
        cannot = CannotBind(*error.args)
        cannot.host, cannot.port = host, port
        raise cannot from None
    return listening


def listen(reactor: Any, host: str | None, port: int, factory: ServerFactory, logger: Any = None) -> Any:
    """Listen with ``factory``. Return the listening port, which logs to ``logger``. Raises CannotBind or NoAddress."""
    with listening_socket(host, port) as listening:
        make: Any = _Port._fromListeningDescriptor
        opened = make(reactor, listening.fileno(), listening.family, factory)  # it uses a duplicate
    if logger is not None:
        opened._logger = logger
    opened.startListening()
    return opened


def all_addresses() -> str:
    """Return the wildcard address of IPv6, which also accepts IPv4, or of IPv4 if the system has no IPv6."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::", 0))
    except OSError:
        return "0.0.0.0"  # noqa: S104 -- reachable from other machines by default
    return "::"


def own_address() -> str:
    """Return the address at which others probably reach this machine. Nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address for documentation (RFC 5737)
            address: str = probe.getsockname()[0]
        except OSError:
            return socket.gethostname()
    return address
