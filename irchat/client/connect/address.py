"""Parse an address typed as ``[user@]host[:port]`` and find its server."""

import re
from collections.abc import Callable
from ipaddress import ip_address
from typing import NamedTuple

from irchat.client.exceptions import ClientError
from irchat.net.port_note import Server
from irchat.protocol.rules import DEFAULT_PORT, shown

_HOST_AND_PORT = re.compile(r"(?:\[(?P<bracketed>[^][]+)]|(?P<plain>[^][:]+))(?::(?P<port>.*))?")


class Address(NamedTuple):
    """A parsed address. ``user`` and ``port`` are None if they were left out."""

    user: str | None
    host: str
    port: int | None


class Target(NamedTuple):
    """A server to connect to. ``fingerprint`` is that of its certificate, from the note of a server on this machine."""

    host: str
    port: int
    tls: bool
    fingerprint: str = ""

    @property
    def label(self) -> str:
        """``host:port`` with an IPv6 address in brackets, as in messages and in known_hosts."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse_address(text: str) -> Address:
    """Parse ``[user@]host[:port]``. Brackets are required around an IPv6 address with a port. Raises ClientError."""
    user, at, rest = text.rpartition("@")
    if rest.count(":") > 1 and "[" not in rest:
        rest = f"[{rest}]"  # an IPv6 address without a port
    match = None if "/" in text else _HOST_AND_PORT.fullmatch(rest)
    host = match and (match["bracketed"] or match["plain"])
    if not match or not host or not text.isprintable() or " " in text or (at and not user):
        without = " without '://' and '/'" if "/" in text else ""
        raise ClientError(
            f"{shown(text, 80)!r} is not an address. Write [user@]host[:port]{without}, for example"
            " alice@192.0.2.7:7667."
        )
    return Address(user or None, _normal(host), None if match["port"] is None else _port(match["port"]))


def _normal(host: str) -> str:
    """Return the canonical spelling of a host, as used in known_hosts and in the tokens file."""
    try:
        return str(ip_address(host)).lower()
    except ValueError:
        return host.lower().rstrip(".") or host


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 5 and 1 <= int(text) <= 65_535):
        raise ClientError(f"{shown(text)!r} is not a port. A port is a number from 1 to 65535.")
    return int(text)


def find_target(address: Address, *, tls: bool, own_name: str, find_servers: Callable[[], list[Server]]) -> Target:
    """Return the server for ``address``.

    An address of this machine (``own_name`` is its host name) without a port selects the server running here. ``tls``
    applies to a server that is not found here. Raises ClientError if several run here.
    """
    servers = find_servers() if _is_this_machine(address.host, own_name) else []
    targets = sorted({Target(address.host, *server) for server in servers})
    if address.port is not None:
        wanted = Target(address.host, address.port, tls)
        return next((target for target in targets if target[:3] == wanted[:3]), wanted)
    if len(targets) > 1:
        raise ClientError(
            "Several servers run on this machine. Choose one by its port:\n"
            + "\n".join(f"  {_command(address.user, target)}" for target in targets)
        )
    return targets[0] if targets else Target(address.host, DEFAULT_PORT, tls)


def _command(user: str | None, target: Target) -> str:
    """Return the command that connects to ``target``."""
    name = "" if user is None else f"{user}@"
    return f"irchat {name}{target.label}" if target.tls else f"irchat --no-tls {name}{target.label} (not encrypted)"


def _is_this_machine(host: str, own_name: str) -> bool:
    if host in ("localhost", own_name.lower()):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
