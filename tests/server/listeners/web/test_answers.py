"""Answers of the web door."""

from http import HTTPStatus

from twisted.trial.unittest import SynchronousTestCase

from irchat.server.listeners.web.answers import SECURITY_HEADERS, answer, error


class AnswerTests(SynchronousTestCase):
    """`answer` and `error`."""

    def test_security_headers(self) -> None:
        """The policy is exactly this: nothing from elsewhere, nothing inline, no text as markup. All have it."""
        policy = (
            b"Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
            b"font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'none'; base-uri 'none'; "
            b"frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'\r\n"
            b"X-Content-Type-Options: nosniff\r\n"
            b"Referrer-Policy: no-referrer\r\nCross-Origin-Opener-Policy: same-origin\r\n"
            b"Cross-Origin-Resource-Policy: same-origin\r\nX-Frame-Options: DENY\r\n"
        )
        self.assertEqual(SECURITY_HEADERS, policy)
        for given in answer(HTTPStatus.OK, b"x"), answer(HTTPStatus.NOT_MODIFIED), error(HTTPStatus.NOT_FOUND, "no"):
            self.assertIn(policy, given)

    def test_error(self) -> None:
        """An error is plain text of its length, and closes the connection."""
        self.assertEqual(
            error(HTTPStatus.NOT_FOUND, "no", {"A": "b"}).split(b"\r\n")[:5],
            [
                b"HTTP/1.1 404 Not Found",
                b"Content-Type: text/plain; charset=utf-8",
                b"A: b",
                b"Content-Length: 3",
                b"Connection: close",
            ],
        )

    def test_not_modified(self) -> None:
        """An answer without a body by its status states no length and no kind."""
        self.assertNotIn(b"Content-Length", answer(HTTPStatus.NOT_MODIFIED))
        self.assertNotIn(b"\r\nContent-Type", answer(HTTPStatus.NOT_MODIFIED))
