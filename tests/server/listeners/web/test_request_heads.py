"""The heads of requests."""

import ipaddress
from http import HTTPStatus

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.server.listeners.web.request_heads import HEAD_BYTES, BadHead, Head, cut, is_foreign, parse, stated_address


class HeadTests(SynchronousTestCase):
    """`cut` and `parse`; each refusal is in the tests of the connection."""

    def test_cut(self) -> None:
        """The first head is cut off, and the rest stays."""
        self.assertEqual(cut(b"a\r\n\r\nb"), (b"a\r\n\r\n", b"b"))
        self.assertEqual(cut(b"a\r\n"), (None, b"a\r\n"))
        self.assertRaises(BadHead, cut, b"x" * 8_193)

    def test_path(self) -> None:
        """The query is no part of the path, and names of headers have one form."""
        head = parse(b"GET /a?b HTTP/1.1\r\nhOST: x\r\nx-one: 1\r\nX-One: 2\r\n\r\n")
        self.assertEqual((head.path, head.headers), ("/a", {"Host": "x", "X-One": "1, 2"}))

    @given(st.binary(max_size=300))
    def test_any_bytes(self, data: bytes) -> None:
        """Any bytes give a head, or a refusal with a status of a client's error or of another version."""
        try:
            parse(data + b"\r\n\r\n")
        except BadHead as bad:
            self.assertIn(bad.status, set(HTTPStatus) - {HTTPStatus.OK})

    def test_longest(self) -> None:
        """A head of 8 KiB is whole, and a longer one is refused, complete or not."""
        longest = b"x" * (HEAD_BYTES - 4) + b"\r\n\r\n"
        self.assertEqual(cut(longest + b"rest"), (longest, b"rest"))
        self.assertRaises(BadHead, cut, b"x" + longest)
        self.assertEqual(cut(b"x" * HEAD_BYTES), (None, b"x" * HEAD_BYTES))

    def test_closes(self) -> None:
        """A client may ask to close, or for a WebSocket, in any letters."""
        for header, closes, is_upgrade in (
            ("Connection: Close", True, False),
            ("Connection: keep-alive", False, False),
            ("Upgrade: WebSocket", False, True),
            ("Upgrade: h2c", False, False),
        ):
            head = parse(f"GET / HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n".encode())
            self.assertEqual((head.closes, head.is_upgrade), (closes, is_upgrade), header)

    def test_two_origins(self) -> None:
        """A head with two hosts or two origins is refused: which one counts would depend on the reader."""
        for header in "Host: x", "Origin: https://x", "origin: https://y":
            head = f"GET / HTTP/1.1\r\nHost: x\r\nOrigin: https://x\r\n{header}\r\n\r\n".encode()
            self.assertIn("Two headers", self.assertRaises(BadHead, parse, head).text)

    def test_bodies(self) -> None:
        """A request with a body is refused. Whether a length of 0 is, depends on the version of the library."""
        for header in "Content-Length: 1", "Transfer-Encoding: chunked":
            head = f"GET / HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n".encode()
            self.assertIs(self.assertRaises(BadHead, parse, head).status, HTTPStatus.BAD_REQUEST)


def head_with(**headers: str) -> Head:
    """Return a head with some headers besides ``Host``."""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return parse(f"GET / HTTP/1.1\r\n{lines}\r\n".encode())


class OriginTests(SynchronousTestCase):
    """`is_foreign`."""

    def test_origins(self) -> None:
        """A page is from here if scheme, host and port are, with or without the default port, in any letters."""
        for host, origin, foreign in (
            ("chat.example", "https://chat.example", False),
            ("Chat.Example", "https://chat.example", False),
            ("chat.example", "https://CHAT.example", False),
            ("chat.example", "https://chat.example:443", False),
            ("chat.example:443", "https://chat.example", False),
            ("chat.example:80", "http://chat.example", False),
            ("chat.example:7667", "https://chat.example:7667", False),
            ("chat.example:7667", "https://chat.example", True),
            ("chat.example", "https://chat.example:7667", True),
            ("chat.example", "http://chat.example:443", True),
            ("chat.example", "https://chat.example.evil", True),
            ("chat.example", "ftp://chat.example", True),
            ("chat.example", "null", True),
        ):
            self.assertIs(is_foreign(head_with(Host=host, Origin=origin)), foreign, (host, origin))

    def test_programs(self) -> None:
        """A program sends no origin and is never foreign."""
        self.assertIs(is_foreign(head_with(Host="x")), False)


class StatedAddressTests(SynchronousTestCase):
    """`stated_address`."""

    def test_trusted(self) -> None:
        """Only a proxy is believed, and only the last address, which may be in brackets with a port."""
        proxies = [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("192.0.2.0/24")]
        for peer, header, stated in (
            ("192.0.2.1", "198.51.100.7", "198.51.100.7"),
            ("10.0.0.1", "203.0.113.1, 198.51.100.7", "198.51.100.7"),
            ("10.0.0.1", "2001:db8::7", "2001:db8::7"),
            ("10.0.0.1", "[2001:db8::7]:443", "2001:db8::7"),
            ("10.0.0.1", "[2001:db8::7", None),
            ("10.0.0.1", "unknown", None),
            ("198.51.100.1", "198.51.100.7", None),
            (None, "198.51.100.7", None),
        ):
            head = head_with(Host="x", X_Forwarded_For=header)
            address = None if peer is None else ipaddress.ip_address(peer)
            self.assertEqual(stated_address(head, address, proxies), stated, (peer, header))
        self.assertIsNone(stated_address(head_with(Host="x"), ipaddress.ip_address("10.0.0.1"), proxies))
