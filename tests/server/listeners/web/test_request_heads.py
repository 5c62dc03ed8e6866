"""The heads of requests."""

from http import HTTPStatus

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.server.listeners.web.request_heads import BadHead, cut, parse


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
