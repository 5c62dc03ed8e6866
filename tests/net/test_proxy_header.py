"""The PROXY header."""

import ipaddress
import struct

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.net.proxy_header import ProxyHeader, read_proxy_header

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def v2(host: str, *, command: int = 0x21, family: int | None = None, more: bytes = b"") -> bytes:
    """Return a header of version 2 for a client at ``host``, with additions."""
    address = ipaddress.ip_address(host)
    addresses = address.packed * 2 + struct.pack("!HH", 40_000, 7_667) + more
    family = (0x11 if address.version == 4 else 0x21) if family is None else family
    return SIGNATURE + struct.pack("!BBH", command, family, len(addresses)) + addresses


_GOOD = [
    (b"PROXY TCP4 192.0.2.7 10.0.0.1 40000 7667\r\n", "192.0.2.7"),
    (b"PROXY TCP6 2001:db8::7 ::1 40000 7667\r\n", "2001:db8::7"),
    (b"PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n", "::ffff:c000:207"),
    (b"PROXY UNKNOWN\r\n", None),
    (b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", None),
    (v2("192.0.2.7"), "192.0.2.7"),
    (v2("2001:db8::7"), "2001:db8::7"),
    (v2("192.0.2.7", family=0x12), "192.0.2.7"),
    (v2("192.0.2.7", more=b"\x04\0\x01x" * 200), "192.0.2.7"),
    (v2("192.0.2.7", command=0x20), None),
    (SIGNATURE + b"\x20\x00\0\0", None),
    (SIGNATURE + b"\x21\x00\0\0", None),
    (SIGNATURE + b"\x20\xff\0\x02xx", None),
    (SIGNATURE + b"\x21\x31\0\xd8" + b"/run/x".ljust(108, b"\0") * 2, None),
]

_BAD = [
    b"GET / HTTP/1.1\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"alice\n",
    b"proxy TCP4 192.0.2.7 10.0.0.1 1 2\r\n",
    b"PROXY TCP4 192.0.2.7 10.0.0.1 1\r\n",
    b"PROXY TCP4 192.0.2.7 10.0.0.1 1 2 3\r\n",
    b"PROXY TCP4 192.0.2.7  10.0.0.1 1 2\r\n",
    b"PROXY TCP4 2001:db8::7 ::1 1 2\r\n",
    b"PROXY TCP6 192.0.2.7 10.0.0.1 1 2\r\n",
    b"PROXY TCP4 192.0.2.700 10.0.0.1 1 2\r\n",
    b"PROXY TCP4 192.0.2.7 somewhere 1 2\r\n",
    b"PROXY TCP4 192.0.2.7 10.0.0.1 65536 2\r\n",
    b"PROXY TCP4 192.0.2.7 10.0.0.1 -1 2\r\n",
    b"PROXY UDP4 192.0.2.7 10.0.0.1 1 2\r\n",
    b"PROXY TCP4 192.0.2.\xb7 10.0.0.1 1 2\r\n",
    b"PROXY \r\n",
    b"PROXY " + b"x" * 101,
    b"PROXY UNKNOWN " + b"x" * 120 + b"\r\n",
    v2("192.0.2.7", command=0x22),
    v2("192.0.2.7", command=0x11),
    v2("192.0.2.7", family=0x41),
    v2("192.0.2.7", family=0x13),
    v2("192.0.2.7", family=0x21),
    SIGNATURE + b"\x21\x11\0\x0b" + b"x" * 11,
    SIGNATURE + b"\x21\x31\0\x0c" + b"x" * 12,
    SIGNATURE + b"\x21\x11\xff\xff",
    SIGNATURE + b"\x20\x00\xff\xff",
]


class HeaderTests(SynchronousTestCase):
    """`read_proxy_header`."""

    def test_good(self) -> None:
        """A header of either version states the address of the client, or none. The bytes after it are left."""
        for data, host in _GOOD:
            self.assertEqual(read_proxy_header(data + b"rest\n"), ProxyHeader(len(data), host), data)

    def test_cut(self) -> None:
        """Every beginning of a header is incomplete, and none is taken for another header."""
        for data, _ in _GOOD:
            for end in range(len(data)):
                self.assertIsNone(read_proxy_header(data[:end]), data[:end])

    def test_bad(self) -> None:
        """Other bytes, overlong headers, unknown families and wrong addresses are refused."""
        for data in _BAD:
            self.assertRaises(ValueError, read_proxy_header, data)

    @given(st.sampled_from([b"PROXY TCP4 ", b"PROXY TCP6 ", SIGNATURE, SIGNATURE + b"\x21\x11\0\x0c"]), st.binary())
    def test_anything(self, beginning: bytes, rest: bytes) -> None:
        """Any bytes are a header, incomplete, or refused. Nothing else is raised."""
        try:
            header = read_proxy_header(beginning + rest)
        except ValueError:
            return
        if header is not None and header.host is not None:
            ipaddress.ip_address(header.host)
