"""Plain HTTP on a TLS port: people type ``host:7667`` into a browser, and are sent to ``https``."""

import re

from irchat.server.listeners.web.answers import SECURITY_HEADERS
from irchat.server.listeners.web.request_heads import HEAD_BYTES

_REQUEST = re.compile(rb"(?:GET|HEAD) (/(?!/)[!-~]*) HTTP/1\.[01]\r?\n")
_HOST = re.compile(rb"^host:[ \t]*([A-Za-z0-9.:\[\]-]+)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)


def redirect(data: bytes) -> bytes | None:
    """Return the answer to the plain request in ``data``, None while its head is not complete, or b"" for others."""
    if not (b"GET ".startswith(data[:4]) or b"HEAD ".startswith(data[:5])):
        return b""
    head, end, _ = data.partition(b"\r\n\r\n")
    if not end:
        return None if len(data) <= HEAD_BYTES else b""
    request, host = _REQUEST.match(head + b"\r\n"), _HOST.search(head)
    if request is None or host is None:
        return b""
    return (
        b"HTTP/1.1 307 Temporary Redirect\r\nLocation: https://"
        + host[1]
        + request[1]
        + b"\r\nContent-Length: 0\r\nConnection: close\r\n"
        + SECURITY_HEADERS
        + b"\r\n"
    )
