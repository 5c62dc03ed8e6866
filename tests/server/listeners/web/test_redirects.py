"""Plain HTTP on a TLS port."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.server.listeners.web.redirects import redirect


class RedirectTests(SynchronousTestCase):
    """`redirect`."""

    def test_redirected(self) -> None:
        """A browser is sent to the same path over TLS."""
        for method in b"GET", b"HEAD":
            got = redirect(method + b" /a?b=c HTTP/1.1\r\nAccept: x\r\nHost: chat.example:7667\r\n\r\n")
            assert got is not None
            self.assertTrue(got.startswith(b"HTTP/1.1 307 "), got)
            self.assertIn(b"\r\nLocation: https://chat.example:7667/a?b=c\r\n", got)

    def test_in_pieces(self) -> None:
        """It waits for the whole head, but not for ever."""
        for head in b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n":
            for end in range(1, len(head)):
                self.assertIsNone(redirect(head[:end]))
        self.assertEqual(redirect(b"GET /" + b"x" * 9_000), b"")

    def test_others(self) -> None:
        """Nothing else is answered: other methods, other hosts, paths that lead to another host, split answers."""
        for head in (
            b"POST / HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET // HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET //evil.example/ HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n",
            b"GET / HTTP/1.1\r\n\r\n",
            b"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n",
            b"hello",
        ):
            self.assertEqual(redirect(head), b"", head)

    @given(st.binary(max_size=200))
    def test_any_bytes(self, data: bytes) -> None:
        """Any bytes give no answer, or one with a single header of a place."""
        got = redirect(b"GET /" + data + b" HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertIn((got or b"").count(b"Location: "), (0, 1))
