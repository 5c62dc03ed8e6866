"""Bans of networks, in memory."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.chat.state.bans import NetworkBans, network_of, notice, stands
from irchat.interfaces.stored import StoredBan
from irchat.net.addresses import read_address

NOW = 1_795_356_000_000


def ban(network: str, until: int | None = None, reason: str = "") -> StoredBan:
    """Return a ban of a network."""
    return StoredBan(None, network_of(network), until, reason)


class NetworkBanTests(SynchronousTestCase):
    """Which addresses are banned."""

    def setUp(self) -> None:
        """Begin without bans."""
        self.bans = NetworkBans()

    def found(self, host: str, now: int = NOW) -> str | None:
        """Return the reason of the ban of an address."""
        found = self.bans.of(read_address(host), now)
        return None if found is None else found.reason

    def test_of(self) -> None:
        """An address is banned by itself, or in a network of any size. IPv4 and IPv6 are separate."""
        for network in ("192.0.2.7", "198.51.100.0/25", "198.51.100.0/24", "2001:db8::/32", "2001:db8:1::/64"):
            self.bans.add(ban(network, reason=network))
        self.assertEqual(self.found("192.0.2.7"), "192.0.2.7")
        self.assertEqual(self.found("::ffff:192.0.2.7"), "192.0.2.7")
        self.assertIsNone(self.found("192.0.2.8"))
        self.assertEqual(self.found("198.51.100.200"), "198.51.100.0/24")
        self.assertEqual(self.found("2001:db8:ffff::1"), "2001:db8::/32")
        self.assertIsNone(self.found("2001:db9::1"))
        self.assertIsNone(self.found(""))

    def test_replace(self) -> None:
        """A ban of a network replaces its earlier one, and an ended ban does not hide one of a larger network."""
        self.bans.add(ban("192.0.2.0/24", reason="first"))
        self.bans.add(ban("192.0.2.0/24", reason="second"))
        self.bans.add(ban("192.0.0.0/16", reason="large"))
        self.assertEqual((self.found("192.0.2.7"), len(self.bans.all(NOW))), ("second", 2))
        self.assertEqual(self.bans.get("192.0.2.0/24"), ban("192.0.2.0/24", reason="second"))
        self.bans.add(ban("192.0.2.0/24", NOW, "ended"))
        self.assertEqual(self.found("192.0.2.7"), "large")
        self.bans.drop_ended(NOW)
        self.assertIsNone(self.bans.get("192.0.2.0/24"))
        self.assertEqual([one.reason for one in self.bans.all(0)], ["large"])

    def test_zones(self) -> None:
        """A ban that an older version stored with a zone holds for the address. One that is no network is left out."""
        self.bans.add(StoredBan(None, "fe80::1%eth0", None, "zone"))
        self.bans.add(StoredBan(None, "nonsense", None, ""))
        self.assertEqual((self.found("fe80::1"), len(self.bans.all(NOW))), ("zone", 1))

    def test_end(self) -> None:
        """A ban lasts until its end by the wall clock, excluding that moment."""
        self.bans.add(ban("192.0.2.7", NOW + 1_000, "x"))
        self.assertEqual([self.found("192.0.2.7", NOW + ms) for ms in (999, 1_000)], ["x", None])
        self.assertEqual((len(self.bans.all(NOW)), self.bans.all(NOW + 1_000)), (1, []))

    def test_remove(self) -> None:
        """A lifted ban leaves nothing, and others of its size stay."""
        for network in ("192.0.2.7", "192.0.2.8"):
            self.bans.add(ban(network, reason=network))
        self.bans.remove("192.0.2.7/32")
        self.assertEqual((self.found("192.0.2.7"), self.found("192.0.2.8")), (None, "192.0.2.8"))
        self.bans.remove("192.0.2.8/32")
        self.assertEqual((self.found("192.0.2.8"), self.bans.all(NOW)), (None, []))

    @given(st.ip_addresses(), st.integers(0, 32))
    def test_any(self, address: object, bits: int) -> None:
        """A network contains each of its addresses."""
        bans = NetworkBans()
        bans.add(ban(f"{address}/{bits}"))
        held = bans.of(read_address(str(address)), NOW)
        mapped = str(address).startswith("::ffff:") and bits < 96
        self.assertTrue(held is not None or mapped)

    def test_notice(self) -> None:
        """A banned user learns the end and the reason."""
        self.assertEqual(notice(ban("::1")), "You are banned")
        self.assertEqual(notice(ban("::1", NOW, "spam")), "You are banned until 2026-11-22 14:00 UTC: spam")
        self.assertEqual(notice(ban("::1", NOW)), "You are banned until 2026-11-22 14:00 UTC")
        self.assertFalse(stands(None, NOW))
        self.assertIsNone(network_of("alice"))
