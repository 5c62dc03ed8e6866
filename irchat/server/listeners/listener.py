"""The listening socket. It is made here so that IPv6 accepts IPv4 too, whatever the default of the system is."""

import socket
from typing import Any

from twisted.internet import tcp
from twisted.internet.protocol import ServerFactory

_BACKLOG = 1_024
# Starting TLS on one takes about 1 ms.
_ACCEPTS_A_TURN = 8
# Bytes that the system may buffer for one connection, besides ours. Linux doubles the number, for its own needs.
# Without a limit it buffers up to 4 MB for each client that does not read.
SEND_BUFFER = 131_072


class _Port(tcp.Port):
    """A port of Twisted that accepts few connections in one turn.

    Twisted begins with 100 and accepts more and more during a flood of connections. With TLS that would be a turn of
    half a second, in which nobody gets a message.
    """

    @property
    def numberAccepts(self) -> int:
        """How many connections to accept in one turn."""
        return _ACCEPTS_A_TURN

    @numberAccepts.setter
    def numberAccepts(self, number: int) -> None:
        """Twisted sets it after each turn."""


class CannotBind(Exception):
    """The address cannot be listened on. ``reason`` is the error of the system."""

    def __init__(self, reason: OSError) -> None:
        super().__init__(reason)
        self.reason = reason


class NoAddress(Exception):
    """The host is not an IP address."""


def listening_socket(host: str | None, port: int) -> socket.socket:
    """Return a socket that listens on ``host``, None for all addresses. Raises CannotBind or NoAddress."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host or all_addresses(), port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST | socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, ValueError) as error:  # ValueError: a NUL, or a part that no name may have
        raise NoAddress(str(error)) from None
    try:
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            listening.bind(address)
            # Accepted sockets inherit these. Each write is complete, so nothing is gained by waiting for more.
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
            listening.listen(_BACKLOG)
            listening.setblocking(False)
        except BaseException:
            listening.close()
            raise
    except OSError as error:
        raise CannotBind(error) from None
    return listening


def listen(reactor: Any, host: str | None, port: int, factory: ServerFactory) -> Any:
    """Hand connections to ``factory``. Return the listening port. Raises CannotBind or NoAddress."""
    with listening_socket(host, port) as listening:
        make: Any = _Port._fromListeningDescriptor
        opened = make(reactor, listening.fileno(), listening.family, factory)  # it takes a copy
    opened.startListening()
    return opened


def all_addresses() -> str:
    """Return the wildcard address: of IPv6, which accepts IPv4 too, or of IPv4 if the system has no IPv6."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::", 0))
    except OSError:
        return "0.0.0.0"  # noqa: S104 -- the default is to be reached by others
    return "::"


def own_address() -> str:
    """Return the address by which others are likely to reach this machine. Nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address for documentation (RFC 5737)
            address: str = probe.getsockname()[0]
        except OSError:
            return socket.gethostname()
    return address
