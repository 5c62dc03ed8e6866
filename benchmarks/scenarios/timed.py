"""Timed messages that wait by the million, and how late they are erased."""

import re
import time
from datetime import datetime
from typing import Any

from benchmarks import database, measure
from benchmarks.bench import Bench, Curve, Row, against, turns_of
from benchmarks.dialects import answer_pings, sign_in
from benchmarks.load import Connection, Load
from benchmarks.servers import IRChat

ENDS_A_SECOND = 1_000
GROWTH = (1_000, 10_000, 100_000)
_SENDERS = 4
_IN_FLIGHT = 400  # of each sender
_SENT_A_SECOND = 6_000  # a guess at the pace, to have the ends begin after the last was sent
_WATCH_SECONDS = 20

_TIMED = re.compile(rb'"id":"([^"]+)","expires_at":"([^"]+)"')
_ERASED = re.compile(rb'"type":"erased","chat":"[^"]*","id":"([^"]+)"')


def timed(bench: Bench) -> list[Row | Curve]:
    """1,000,000 timed messages wait while 1,000 end a second; and how that grows with their number."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for size in sorted({*(size for size in GROWTH if size < bench.timed), bench.timed}):
        each, late, turns = _wait(bench, size)
        longest = turns["longest"] * 1e3
        for name, value in (("KiB of each", each), ("ms late, p99", late), ("longest turn, ms", longest)):
            lines.setdefault(name, []).append((size, value))
    return [
        against("timed", f"{bench.timed:,} waiting, each", "KiB", each, most=1),
        against("timed", f"erased late, {ENDS_A_SECOND:,} a second, p99", "ms", late, most=100),
        *turns_of("timed", [turns]),
        Curve("timed", "Timed messages by how many wait", "timed messages waiting", "KiB, ms", lines),
    ]


def _wait(bench: Bench, count: int) -> tuple[float, float, dict[str, Any]]:
    """KiB of each, ms late at p99 and the report of the reactor's turns, with so many waiting."""
    with bench.place() as (folder, load, servers):
        database.make(folder / "data", 2 * _SENDERS)
        server = IRChat(folder / "irchat", folder / "data", turns=True)
        servers.append(server)
        clients = sign_in(load, server, range(2 * _SENDERS))
        clients.sort(key=lambda client: client.number)
        load.quiet(1.0)
        receivers = _Receivers()
        for client in clients[_SENDERS:]:
            client.on_lines = receivers.take
        before = server.memory()
        ends_from = time.time() + count / _SENT_A_SECOND + 5
        sending = _Sending(load, clients[:_SENDERS], count, ends_from)
        server.turns()
        while not sending.finished:
            load.once(0.1)
            bench.say(f"{sending.acknowledged:,} of {count:,} are waiting")
        load.quiet(0.02, longest=1.0)
        ended = receivers.erased
        waiting = count - ended
        each = (server.memory() - before) / waiting / 1024
        bench.say("watching them end")
        seconds = min(_WATCH_SECONDS, bench.scaled(_WATCH_SECONDS), count // ENDS_A_SECOND + 1)
        if ended == 0:
            load.until(lambda: receivers.erased > 0, "the first end")
        receivers.late.clear()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            load.once(0.1)
        turns = server.turns()
        assert receivers.late, "nothing ended"
        assert not receivers.doubled, "a message was erased twice"
    return each, measure.percentile(receivers.late, 0.99) * 1e3, turns


class _Sending:
    """Sends timed messages from several sessions, each to its own peer, so that they end at a steady pace."""

    def __init__(self, load: Load, senders: list[Connection], count: int, ends_from: float) -> None:
        self.acknowledged = 0
        self._senders = senders
        self._count = count
        self._ends_from = ends_from
        self._sent = 0
        for sender in senders:
            sender.on_lines = self._take
            self._send(sender, _IN_FLIGHT)

    @property
    def finished(self) -> bool:
        return self.acknowledged == self._count

    def _take(self, sender: Connection, lines: bytes) -> None:
        answer_pings(sender, lines)
        answered = lines.count(b'"type":"sent"')
        self.acknowledged += answered
        self._send(sender, answered)

    def _send(self, sender: Connection, count: int) -> None:
        lines = []
        now = time.time()
        peer = database.user_name(sender.number + _SENDERS)
        for number in range(self._sent, min(self._count, self._sent + count)):
            life = max(1, round(self._ends_from + number / ENDS_A_SECOND - now))
            lines.append(
                f'{{"type":"send","chat":"@{peer}","text":"m{number}; this is gone from all screens after its time'
                f' and was never on a disk","expires_in":{life}}}\n'
            )
        self._sent += len(lines)
        if lines:
            sender.send("".join(lines).encode())


class _Receivers:
    """Those who get the messages; notes how late each is erased, by the time that the message itself told."""

    def __init__(self) -> None:
        self.late: list[float] = []
        self.erased = 0
        self.doubled = False
        self._ends: dict[bytes, bytes] = {}

    def take(self, connection: Connection, lines: bytes) -> None:
        answer_pings(connection, lines)
        if b'"expires_at"' in lines:
            self._ends.update(_TIMED.findall(lines))
        if b'"erased"' in lines:
            now = time.time()
            for timed_id in _ERASED.findall(lines):
                end = self._ends.pop(timed_id, None)
                if end is None:
                    self.doubled = True
                else:
                    self.late.append(now - datetime.fromisoformat(end.decode()).timestamp())
                    self.erased += 1
