"""Sieges of the web door of a real server, and the memory that they cost it."""

import json
import os
import socket
from http.client import HTTPConnection
from pathlib import Path

from websockets.frames import Frame, Opcode

from tests.helpers.loads.abuse import KIB, under_attack
from tests.helpers.loads.many_clients import rss_kib
from tests.helpers.processes import JSONClient, ServerProcess
from tests.helpers.services import free_port

_FLOOD_BYTES = 48 << 20
_MOST_KIB = 8 * KIB
_HALF_KIB = 64
_HALVES = 2_000
# A server that has stopped reading takes nothing more in this time.
_STUCK_SECONDS = 3.0
_UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
_LONG_TEXT = "\U0001f600" * 4_000
# The beginning of a TLS record that says it has 512 bytes.
_HALF_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"


def besiege(home: Path) -> str:
    """Besiege a server in four ways. Return what each costs. Raises AssertionError if memory is not bounded."""
    web_port = free_port()
    with under_attack(home, "--web-port", str(web_port)) as (server, _, _):
        pid = server.process.pid
        _check(web_port)
        told = []
        for name, siege, most in (
            ("unfinished fragments", _fragments, _MOST_KIB),
            ("pings to a client that never reads", _pings, _MOST_KIB),
            ("messages to a client that never reads", _never_read, _MOST_KIB),
            (f"{_HALVES} half handshakes and heads", _halves, 2 * _HALVES * _HALF_KIB),
        ):
            before = rss_kib(pid)
            held = siege(server, web_port)
            grown = rss_kib(pid) - before
            _check(web_port)
            for one in held:
                one.close()
            told.append(f"{name}: {grown / KIB:.1f} MiB")
            if grown > most:
                raise AssertionError(told[-1])
        return "; ".join(told)


def _check(web_port: int) -> None:
    """Check that the page is still served."""
    client = HTTPConnection("127.0.0.1", web_port, timeout=60)
    client.request("GET", "/")
    if client.getresponse().status != 200:
        raise AssertionError("the page is not served")
    client.close()


def _open(web_port: int) -> socket.socket:
    """Return a WebSocket after its greeting. The kernel buffers little of what it does not read."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
    client.settimeout(60)
    client.connect(("127.0.0.1", web_port))
    client.sendall(_UPGRADE)
    while b"IRChat/1" not in client.recv(4_096):
        pass
    return client


def _frame(opcode: Opcode, data: bytes, *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin=fin).serialize(mask=True)


def _flood(client: socket.socket, first: bytes, again: bytes) -> int:
    """Send until the end of the flood or until the server stops reading. Return the number of bytes sent."""
    client.settimeout(_STUCK_SECONDS)
    sent = 0
    try:
        client.sendall(first)
        while sent < _FLOOD_BYTES:
            client.sendall(again)
            sent += len(again)
    except OSError:
        pass
    return sent


def _fragments(_: ServerProcess, web_port: int) -> list[socket.socket]:
    client = _open(web_port)
    data = os.urandom(32_768).hex().encode()
    sent = _flood(client, _frame(Opcode.TEXT, data, fin=False), _frame(Opcode.CONT, data, fin=False))
    if sent >= _FLOOD_BYTES:
        raise AssertionError("all fragments were taken")
    return [client]


def _pings(_: ServerProcess, web_port: int) -> list[socket.socket]:
    client = _open(web_port)
    pings = _frame(Opcode.PING, b"p" * 125) * 500
    if _flood(client, pings, pings) >= _FLOOD_BYTES:
        raise AssertionError("all pings were taken")
    return [client]


def _never_read(server: ServerProcess, web_port: int) -> list[socket.socket]:
    client = _open(web_port)
    client.sendall(_frame(Opcode.TEXT, json.dumps({"type": "login", "name": "lazy"}).encode()))
    while b"welcome" not in client.recv(65_536):
        pass
    sender = JSONClient(server)
    sender.ask(type="login", name="eager")
    message = {"type": "send", "chat": "GLOBAL", "text": _LONG_TEXT}
    for _ in range(60):
        sender.post(*[message] * 9)
        if sender.ask(**message)["type"] != "sent":
            raise AssertionError("a message was refused")
    sender.close()
    return [client]


def _halves(server: ServerProcess, web_port: int) -> list[socket.socket]:
    held = []
    for number in range(_HALVES):
        for place, data in (server.port, _HALF_HELLO), (web_port, b"GET / HTTP/1.1\r\nX-Half: 1"):
            client = socket.create_connection(("127.0.0.1", place), 60)
            client.sendall(data + str(number).encode())
            held.append(client)
    return held
