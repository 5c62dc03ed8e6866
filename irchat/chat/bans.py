"""Bans: what they say, and those of networks."""

import ipaddress

from irchat.interfaces.store import StoredBan
from irchat.net.addresses import Address, read_network
from irchat.system.times import shown_moment


def stands(ban: StoredBan | None, now_ms: int) -> bool:
    """Whether there is a ban, and it has not ended."""
    return ban is not None and (ban.until is None or ban.until > now_ms)


def told(ban: StoredBan) -> str:
    """What who is banned is told."""
    until = "" if ban.until is None else f" until {shown_moment(ban.until)}"
    return f"You are banned{until}{f': {ban.reason}' if ban.reason else ''}"


class NetworkBans:
    """The bans of networks, found by an address within."""

    def __init__(self) -> None:
        self._bans: dict[str, StoredBan] = {}
        # By version and number of bits, so that an address is looked for once in each size of networks.
        self._of_size: dict[tuple[int, int], set[str]] = {}

    def add(self, ban: StoredBan) -> None:
        """A ban begins or changes."""
        assert ban.network is not None
        network = read_network(ban.network)  # older versions stored zones, as fe80::1%eth0
        if network is None:
            return
        self._bans[str(network)] = ban
        self._of_size.setdefault((network.version, network.prefixlen), set()).add(str(network))

    def get(self, network: str) -> StoredBan | None:
        """The ban of that very network, also one that has ended."""
        return self._bans.get(network)

    def remove(self, network: str) -> None:
        """A ban ends."""
        del self._bans[network]
        size = ipaddress.ip_network(network)
        of_size = self._of_size[size.version, size.prefixlen]
        of_size.remove(network)
        if not of_size:
            del self._of_size[size.version, size.prefixlen]

    def of(self, address: Address | None, now_ms: int) -> StoredBan | None:
        """The ban that stands on ``address``."""
        if address is None or not self._of_size:
            return None
        for (version, bits), networks in self._of_size.items():
            if version == address.version:
                network = str(ipaddress.ip_network((address, bits), strict=False))
                ban = self._bans[network] if network in networks else None
                if stands(ban, now_ms):
                    return ban
        return None

    def all(self, now_ms: int) -> list[StoredBan]:
        """Those that stand."""
        return [ban for ban in self._bans.values() if stands(ban, now_ms)]


def network_of(text: str) -> str | None:
    """The network that ``text`` is, as the store holds it; None where it is no address."""
    network = read_network(text)
    return None if network is None else str(network)
