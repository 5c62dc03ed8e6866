"""IP addresses and networks, for bans and limits. An IPv4 address mapped into IPv6 counts as IPv4."""

import ipaddress
import re

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_ZONE = re.compile(r"(?<=[0-9a-fA-F:])%[^/%]+(?=/|$)")
_MAPPED = 96  # bits before the IPv4 address in an IPv4-mapped IPv6 address


def read_address(host: str) -> Address | None:
    """Return ``host`` as an address, or None if it is not one, such as the host of a UNIX socket."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def read_network(text: str) -> Network | None:
    """Return ``text``, an address or a network such as ``192.0.2.0/24``, as a network. Return None if it is neither.

    The zone of an address (``fe80::1%eth0``) is dropped, as it is from the addresses of connections.
    """
    try:
        network = ipaddress.ip_network(_ZONE.sub("", text), strict=False)
    except ValueError:
        return None
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is not None and network.prefixlen >= _MAPPED:
        return ipaddress.ip_network((mapped, network.prefixlen - _MAPPED))
    return network
