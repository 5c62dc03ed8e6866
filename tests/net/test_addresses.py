"""Addresses and networks as used in bans."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.net.addresses import read_address, read_network


class AddressTests(SynchronousTestCase):
    """Parsing addresses and networks."""

    def test_addresses(self) -> None:
        """An IPv4-mapped IPv6 address is read as IPv4, a zone is dropped, and invalid text returns None."""
        for host, expected in (
            ("192.0.2.1", "192.0.2.1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("2001:DB8::1", "2001:db8::1"),
            ("fe80::1%eth0", "fe80::1"), ("", "None"), ("/run/socket", "None"),
        ):  # fmt: skip
            self.assertEqual(str(read_address(host)), expected)

    def test_networks(self) -> None:
        """A network is one address or a prefix. IPv4-mapped networks are read as IPv4."""
        for text, expected in (
            ("192.0.2.1", "192.0.2.1/32"), ("192.0.2.77/24", "192.0.2.0/24"), ("2001:db8::1/64", "2001:db8::/64"),
            ("::ffff:192.0.2.1", "192.0.2.1/32"), ("::ffff:192.0.2.0/120", "192.0.2.0/24"), ("::/0", "::/0"),
            ("::ffff:0:0/90", "::ffc0:0:0/90"), ("bob", "None"), ("fe80::1%eth0", "fe80::1/128"),
            ("fe80::%eth0/64", "fe80::/64"), ("%eth0", "None"), ("fe80::1%", "None"), ("bob%eth0", "None"),
            ("192.0.2.1/33", "None"), ("1", "None"),
        ):  # fmt: skip
            self.assertEqual(str(read_network(text)), expected, text)
