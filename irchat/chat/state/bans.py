"""Bans: whether a ban is in force, the text for the banned, and the table of banned networks."""

import ipaddress
from typing import TypeGuard

from irchat.interfaces.stored import StoredBan
from irchat.net.addresses import Address, read_network
from irchat.system.times import shown_moment


def stands(ban: StoredBan | None, now_ms: int) -> TypeGuard[StoredBan]:
    """Return whether there is a ban and it has not ended."""
    return ban is not None and (ban.until is None or ban.until > now_ms)


BANNED = "You are banned"
"""The beginning of the text shown to a banned user."""


def notice(ban: StoredBan) -> str:
    """Return the text shown to a banned user."""
    until = "" if ban.until is None else f" until {shown_moment(ban.until)}"
    return f"{BANNED}{until}{f': {ban.reason}' if ban.reason else ''}"


class NetworkBans:
    """The banned networks. A single address is a network with one address."""

    def __init__(self) -> None:
        self._bans: dict[str, StoredBan] = {}
        # The versions and prefix lengths so far, at most 162: an address takes one lookup for each.
        self._sizes: dict[tuple[int, int], None] = {}

    def add(self, ban: StoredBan) -> None:
        """Add a ban, or replace the ban of the same network."""
        assert ban.network is not None
        network = read_network(ban.network)  # older versions stored zones, such as fe80::1%eth0
        if network is not None:
            self._bans[str(network)] = ban
            self._sizes[network.version, network.prefixlen] = None

    def get(self, network: str) -> StoredBan | None:
        """Return the ban of exactly this network, even if it has ended."""
        return self._bans.get(network)

    def remove(self, network: str) -> None:
        """Remove the ban of exactly this network."""
        self._bans.pop(str(read_network(network)), None)

    def drop_ended(self, now_ms: int) -> None:
        """Remove the bans that have ended."""
        for network in [network for network, ban in self._bans.items() if not stands(ban, now_ms)]:
            self.remove(network)

    def of(self, address: Address | None, now_ms: int) -> StoredBan | None:
        """Return the ban in force on a network that contains ``address``, or None."""
        for version, bits in self._sizes:
            if address is not None and version == address.version:
                ban = self._bans.get(str(ipaddress.ip_network((address, bits), strict=False)))
                if stands(ban, now_ms):
                    return ban
        return None

    def all(self, now_ms: int) -> list[StoredBan]:
        """Return the bans in force."""
        return [ban for ban in self._bans.values() if stands(ban, now_ms)]


def network_of(text: str) -> str | None:
    """Return the network in ``text`` in the form of the store, or None if it is not an address or network."""
    network = read_network(text)
    return None if network is None else str(network)
