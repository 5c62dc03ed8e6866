"""Addresses of the Internet as bans and limits know them: IPv4 also where it comes by way of IPv6."""

import ipaddress
import re

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_ZONE = re.compile(r"(?<=[0-9a-fA-F:])%[^/%]+(?=/|$)")
_MAPPED = 96  # bits before the IPv4 address in an IPv6 address that holds one


def read_address(host: str) -> Address | None:
    """The address that ``host`` is, None where it is none, as of a socket that is no network's."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def read_network(text: str) -> Network | None:
    """The network that ``text`` is: one address, or ``192.0.2.0/24``; None where it is neither.

    The zone of an address (``fe80::1%eth0``) is left out, as it is from the addresses of connections.
    """
    try:
        network = ipaddress.ip_network(_ZONE.sub("", text), strict=False)
    except ValueError:
        return None
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is not None and network.prefixlen >= _MAPPED:
        return ipaddress.ip_network((mapped, network.prefixlen - _MAPPED))
    return network
