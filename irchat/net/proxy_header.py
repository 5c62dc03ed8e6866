"""The header with which a balancer states the address of a client: the PROXY protocol, versions 1 and 2.

Specification: https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt
"""

import ipaddress
import struct
from typing import NamedTuple

_V1_BEGINNING = b"PROXY "
_V1_MOST = 107  # with the line end
_V1_FIELDS = 6
_V2_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
_V2_START = struct.Struct("!12sBBH")
# The specification sets no limit. The additions of common balancers, such as a client's certificate, fit.
_V2_MOST = 8_192
_V2_LOCAL = 0x20
_V2_PROXY = 0x21
# By the byte for family and transport: the length of both addresses and ports. UNIX sockets, and unspecified families,
# have no address that counts.
_V2_LENGTHS = {0x00: 0, 0x11: 12, 0x12: 12, 0x21: 36, 0x22: 36, 0x31: 216, 0x32: 216}
_V2_ADDRESS = {0x11: 4, 0x12: 4, 0x21: 16, 0x22: 16}


class ProxyHeader(NamedTuple):
    """A complete header of ``length`` bytes. ``host``: the address of the client, or None if it states none.

    Health checks of a balancer state none, and neither do clients that reached it over a UNIX socket.
    """

    length: int
    host: str | None


def read_proxy_header(data: bytes) -> ProxyHeader | None:
    """Read the header at the start of ``data``. Return None if it is not complete. Raises ValueError."""
    if data[:12] == _V2_SIGNATURE[: len(data)]:
        return _read_v2(data)
    if data[:6] == _V1_BEGINNING[: len(data)]:
        return _read_v1(data)
    raise ValueError("no header")


def _read_v1(data: bytes) -> ProxyHeader | None:
    end = data.find(b"\r\n", 0, _V1_MOST)
    if end < 0:
        if len(data) >= _V1_MOST:
            raise ValueError("too long")
        return None
    fields = data[:end].decode("ascii").split(" ")
    if fields[1] == "UNKNOWN":
        return ProxyHeader(end + 2, None)
    if len(fields) != _V1_FIELDS:
        raise ValueError("fields are missing")
    read = {"TCP4": ipaddress.IPv4Address, "TCP6": ipaddress.IPv6Address}.get(fields[1])
    if read is None or not all(port.isdecimal() and int(port) <= 0xFFFF for port in fields[4:]):
        raise ValueError("unknown family, or no port")
    read(fields[3])
    return ProxyHeader(end + 2, str(read(fields[2])))


def _read_v2(data: bytes) -> ProxyHeader | None:
    if len(data) < _V2_START.size:
        return None
    _, command, family, length = _V2_START.unpack_from(data)
    if command not in (_V2_LOCAL, _V2_PROXY):
        raise ValueError("unknown version or command")
    if length > _V2_MOST:
        raise ValueError("too long")
    if command == _V2_PROXY and length < _V2_LENGTHS.get(family, _V2_MOST + 1):
        raise ValueError("unknown family, or addresses are missing")
    whole = _V2_START.size + length
    if len(data) < whole:
        return None
    size = _V2_ADDRESS.get(family)
    if command == _V2_LOCAL or size is None:
        return ProxyHeader(whole, None)
    return ProxyHeader(whole, str(ipaddress.ip_address(data[_V2_START.size : _V2_START.size + size])))
