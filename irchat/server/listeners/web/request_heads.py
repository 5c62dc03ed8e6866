"""The head of an HTTP request: cut from the bytes of a connection, and checked."""

import logging
import re
from collections.abc import Collection
from http import HTTPStatus
from typing import NamedTuple

from websockets.http11 import Request
from websockets.server import ServerProtocol

from irchat.net.addresses import Address, Network, read_address
from irchat.net.websocket_layer import MESSAGE_BYTES

HEAD_BYTES = 8_192
"""Maximum bytes of a head."""

_REQUEST_LINE = re.compile(rb"([A-Z]+) (/[!-~]*) HTTP/(1\.[01])\Z")
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::[0-9]+)?\Z")

# The library would say of each connection that it opens and closes.
_quiet = logging.getLogger("irchat.websocket")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False


class BadHead(Exception):
    """The head cannot be answered. The connection is closed after ``status`` and ``text``."""

    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class Head(NamedTuple):
    """A valid head. ``protocol`` can accept a WebSocket handshake in it. ``path``: without the query."""

    path: str
    headers: dict[str, str]
    request: Request
    protocol: ServerProtocol
    closes: bool

    @property
    def is_upgrade(self) -> bool:
        """Whether it asks for a WebSocket."""
        return "websocket" in self.headers.get("Upgrade", "").lower()


def cut(data: bytes) -> tuple[bytes | None, bytes]:
    """Return the first head in ``data``, or None if it is not complete, and the other bytes. Raises BadHead."""
    end = data.find(b"\r\n\r\n")
    if end > HEAD_BYTES - 4 or (end < 0 and len(data) > HEAD_BYTES):
        raise BadHead(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"A head has at most {HEAD_BYTES:,} bytes.")
    return (None, data) if end < 0 else (data[: end + 4], data[end + 4 :])


def parse(head: bytes) -> Head:
    """Return the head in ``head``. Raises BadHead."""
    line = head.partition(b"\r\n")[0]
    match = _REQUEST_LINE.match(line)
    if match is None:
        is_other = re.search(rb" HTTP/[0-9.]+\Z", line) is not None and not line.endswith((b"/1.0", b"/1.1"))
        if is_other:
            raise BadHead(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "Use HTTP/1.1.")
        raise BadHead(HTTPStatus.BAD_REQUEST, "That is no HTTP request.")
    if match[3] != b"1.1":
        raise BadHead(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "Use HTTP/1.1.")
    if match[1] != b"GET":
        raise BadHead(HTTPStatus.METHOD_NOT_ALLOWED, "Only GET is answered here.")
    protocol = ServerProtocol(max_size=MESSAGE_BYTES, logger=_quiet)
    protocol.receive_data(head)
    events = protocol.events_received()
    if not events or not isinstance(events[0], Request):
        raise BadHead(HTTPStatus.BAD_REQUEST, "That is no HTTP request.")
    return _checked(events[0], protocol)


def _checked(request: Request, protocol: ServerProtocol) -> Head:
    headers: dict[str, str] = {}
    for name, value in request.headers.raw_items():
        key = "-".join(part.capitalize() for part in name.split("-"))
        if key in headers and key in ("Host", "Content-Length", "Origin"):
            raise BadHead(HTTPStatus.BAD_REQUEST, f"Two headers {key}.")
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    if headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in headers:
        raise BadHead(HTTPStatus.BAD_REQUEST, "A request has no body here.")
    if not _HOST.match(headers.get("Host", "")):
        raise BadHead(HTTPStatus.BAD_REQUEST, "The header Host is missing or invalid.")
    closes = "close" in headers.get("Connection", "").lower()
    return Head(request.path.partition("?")[0], headers, request, protocol, closes)


def is_foreign(head: Head) -> bool:
    """Return whether the page that asks is from another host. A program sends no ``Origin``."""
    origin = head.headers.get("Origin")
    if origin is None:
        return False
    scheme, _, host = origin.partition("://")
    default = {"http": ":80", "https": ":443"}.get(scheme)
    if default is None:
        return True
    asked = head.headers["Host"].lower()
    return host.lower() != asked and f"{host.lower()}{default}" != asked and host.lower() != f"{asked}{default}"


def stated_address(head: Head, peer: Address | None, proxies: Collection[Network]) -> str | None:
    """Return the last address in ``X-Forwarded-For``, if ``peer`` is one of the ``proxies``. None: that of the peer.

    Only the last one is from the proxy itself: a client can send the others.
    """
    given = head.headers.get("X-Forwarded-For")
    if given is None or peer is None or not any(peer in network for network in proxies):
        return None
    last = given.rpartition(",")[2].strip()
    if last.startswith("[") and "]" in last:
        last = last[1:].partition("]")[0]
    address = read_address(last)
    return None if address is None else str(address)
