"""HTTP answers: the status line, the headers that every answer has, and the body."""

from collections.abc import Mapping
from http import HTTPStatus

SECURITY_HEADERS = (
    b"Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
    b" font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'none'; base-uri 'none';"
    b" frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'\r\n"
    b"X-Content-Type-Options: nosniff\r\n"
    b"Referrer-Policy: no-referrer\r\n"
    b"Cross-Origin-Opener-Policy: same-origin\r\n"
    b"Cross-Origin-Resource-Policy: same-origin\r\n"
    b"X-Frame-Options: DENY\r\n"
)
"""The headers of every answer. A script of another page, or one in a message, could take the token of a user."""


def answer(
    status: HTTPStatus, body: bytes = b"", headers: Mapping[str, str] | None = None, *, closes: bool = False
) -> bytes:
    """Return an answer. Without ``Content-Type`` among the ``headers``, ``body`` is plain text."""
    lines = [f"HTTP/1.1 {status.value} {status.phrase}"]
    given = (
        {"Content-Type": "text/plain; charset=utf-8"} if body and not (headers and "Content-Type" in headers) else {}
    )
    given |= headers or {}
    if status is not HTTPStatus.NOT_MODIFIED:
        given["Content-Length"] = str(len(body))
    if closes:
        given["Connection"] = "close"
    lines += [f"{name}: {value}" for name, value in given.items()]
    return "\r\n".join(lines).encode() + b"\r\n" + SECURITY_HEADERS + b"\r\n" + body


def error(status: HTTPStatus, text: str, headers: Mapping[str, str] | None = None, *, closes: bool = True) -> bytes:
    """Return an answer with an error and the next step."""
    return answer(status, f"{text}\n".encode(), headers, closes=closes)
