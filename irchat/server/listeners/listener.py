"""The listening socket. It is made here so that IPv6 accepts IPv4 too, whatever the default of the system is."""

import socket
from typing import Any

from twisted.internet.interfaces import IReactorSocket
from twisted.internet.protocol import ServerFactory

_BACKLOG = 1_024
# Bytes that the system may buffer for one connection, besides ours. Linux doubles the number, for its own needs.
# Without a limit it buffers up to 4 MB for each client that does not read.
SEND_BUFFER = 131_072


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


def listen(reactor: IReactorSocket, host: str | None, port: int, factory: ServerFactory) -> Any:
    """Hand connections to ``factory``. Return the listening port. Raises CannotBind or NoAddress."""
    with listening_socket(host, port) as listening:
        return reactor.adoptStreamPort(listening.fileno(), listening.family, factory)  # it takes a copy


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
