"""A client that sends IRChat one request after another and times each reply."""

import json
import time
from collections.abc import Iterable
from typing import Any

from benchmarks import database
from benchmarks.dialects import answer_pings, sign_in
from benchmarks.load import Connection, Load
from benchmarks.servers import Server


class TimedClient:
    """A signed-in session that waits for each reply."""

    def __init__(self, load: Load, server: Server, number: int) -> None:
        self._load = load
        self._connection = sign_in(load, server, [number])[0]
        self._connection.on_lines = self._take
        self._reply: bytes | None = None
        self._ref = 0

    def ask(self, **request: Any) -> tuple[float, dict[str, Any]]:
        """Return the seconds until the reply, and the reply."""
        self._ref += 1
        self._reply = None
        line = json.dumps({**request, "ref": self._ref}).encode() + b"\n"
        begun = time.perf_counter()
        self._connection.send(line)
        while self._reply is None:
            self._load.once(60)
        seconds = time.perf_counter() - begun
        reply: dict[str, Any] = json.loads(self._reply)
        assert reply["type"] != "error", reply
        return seconds, reply

    def times(self, requests: Iterable[dict[str, Any]]) -> list[float]:
        """Return the seconds that each request took."""
        return [self.ask(**request)[0] for request in requests]

    def _take(self, connection: Connection, lines: bytes) -> None:
        answer_pings(connection, lines)
        for line in lines.splitlines():
            if line.startswith(b'{"ref":%d,' % self._ref):
                self._reply = line


def sign_in_seconds(load: Load, server: Server, number: int) -> float:
    """Return the seconds from sending a token to the welcome, on an open connection."""
    welcomed = False
    greeted = False

    def take(connection: Connection, lines: bytes) -> None:
        nonlocal welcomed, greeted
        greeted = True
        welcomed = welcomed or b'"type":"welcome"' in lines

    connection = load.open(server, number, b"", take)
    load.until(lambda: greeted, "the greeting")
    begun = time.perf_counter()
    connection.send(b'{"type":"resume","token":"%s"}\n' % database.token(number).encode())
    while not welcomed:
        load.once(60)
    seconds = time.perf_counter() - begun
    connection.close()
    return seconds
