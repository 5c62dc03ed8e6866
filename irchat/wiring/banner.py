"""The lines that a started server prints: where it listens, and how to join it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from twisted.internet.protocol import ServerFactory

from irchat.net.addresses import read_address
from irchat.protocol.rules import DEFAULT_PORT
from irchat.server.listeners.listener import own_address
from irchat.settings import Config
from irchat.system.installed import installed

OpenPort = Callable[[str | None, int, ServerFactory], object]
"""Opens a port: the address to listen on, its number, and the factory of its connections."""


class Started(NamedTuple):
    """A started server. ``fingerprint`` of its certificate, ``node`` and ``figures_at`` are empty where it has none."""

    config: Config
    port: int
    folder: Path
    fingerprint: str
    node: str
    figures_at: str

    @property
    def made_certificate(self) -> bool:
        """Whether the certificate is of the server's own making. A public one is verified, and changes on renewal."""
        return bool(self.fingerprint) and self.config.tls_cert is None

    @property
    def at_port(self) -> str:
        """The port as it follows the host in an address. The default port is left out."""
        return "" if self.port == DEFAULT_PORT else f":{self.port}"

    @property
    def here(self) -> str:
        """The host as a user on this machine types it."""
        return _bracketed(self.config.host) if self.config.host else "localhost"


def banner(server: Started) -> Iterator[str]:
    """Yield the lines, without those of single doors (`irchat.wiring.ports`)."""
    host = server.config.host
    with_tls = "with TLS" if server.fingerprint else "WITHOUT TLS"
    yield f"IRChat listens on {host or 'all addresses'}, port {server.port}, {with_tls}"
    yield f"Data: {server.folder}"
    if server.node:
        yield f"Store: PostgreSQL, as the node {server.node}"
    if server.figures_at:
        yield f"Figures for Prometheus: {server.figures_at}"
    if server.fingerprint:
        yield f"Certificate: {server.fingerprint}"
    flag = "" if server.fingerprint else "--no-tls "
    yield f"To join: {installed('irchat', 'irchat.client')} {flag}{server.here}{server.at_port}"
    address = host or own_address()
    if not host or not is_loopback(address):
        there = f"{flag}{_bracketed(address)}{server.at_port}"
        pin = f" --fingerprint {server.fingerprint}" if server.made_certificate else ""
        yield f"To join from another machine, once IRChat is installed there: irchat {there}{pin}"


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach ``host``."""
    address = read_address(host)
    return host == "localhost" if address is None else address.is_loopback


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
