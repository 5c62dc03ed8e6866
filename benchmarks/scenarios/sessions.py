"""Sessions: memory of idle ones, speed of sign-ins, and cost of presence."""

import json
import time
from functools import partial
from typing import Any

from benchmarks import database, measure
from benchmarks.bench import Bench, Curve, Row, against, turns_of
from benchmarks.dialects import answer_pings, sign_in
from benchmarks.load import Connection
from benchmarks.scenarios.messages import start
from benchmarks.servers import InspIRCd, IRChat, Server, installed

IDLE = 9_000
SIGN_INS = 5_000
HANDSHAKES = 2_000
_SETTLE_SECONDS = 3.0


def idle(bench: Bench) -> list[Row | Curve]:
    """The memory of 9,000 idle sessions."""
    count = bench.scaled(IDLE)
    values = _memory_of_each(bench, count, tls=False)
    return [against("idle", f"{count:,} idle sessions, each", "KiB", values.pop("IRChat"), most=8, values=values)]


def handshakes(bench: Bench) -> list[Row | Curve]:
    """TLS handshakes, and the memory of idle sessions over TLS."""
    count = bench.scaled(HANDSHAKES)
    memory = _memory_of_each(bench, count, tls=True)
    with bench.place() as (folder, load, servers):
        start(folder, servers, users=count, tls=True, others=[InspIRCd])

        def run(server: Server) -> tuple[float, float]:
            begun, cpu = time.perf_counter(), server.cpu()
            clients = sign_in(load, server, range(count), lambda number: ())
            cost = (count / (time.perf_counter() - begun), (server.cpu() - cpu) / count * 1e6)
            load.close(clients)
            load.quiet()
            return cost

        found = bench.rounds_of({server.name: partial(run, server) for server in servers})
    rates = {name: measure.median([rate for rate, _ in rounds]) for name, rounds in found.items()}
    costs = {name: measure.median([cost for _, cost in rounds]) for name, rounds in found.items()}
    return [
        Row("handshakes", f"TLS, {count:,} sign-ins", "1/s", rates),
        Row("handshakes", "TLS, CPU of each sign-in", "us", costs, _ratio(costs)),
        Row("handshakes", "TLS, each idle session", "KiB", memory, _ratio(memory)),
    ]


def signin(bench: Bench) -> list[Row | Curve]:
    """5,000 sessions sign in by token."""
    count = bench.scaled(SIGN_INS)
    rates, turns = [], []
    for number in range(bench.rounds):
        bench.say(f"round {number + 1} of {bench.rounds}")
        with bench.place() as (folder, load, servers):
            database.make(folder / "data", count)
            server = IRChat(folder / "irchat", folder / "data", turns=True)
            servers.append(server)
            server.turns()
            begun = time.perf_counter()
            sign_in(load, server, range(count))
            rates.append(count / (time.perf_counter() - begun))
            turns.append(server.turns())
    return [
        against("signin", f"{count:,} sign in by token", "1/s", measure.median(rates), least=1_500),
        *turns_of("signin", turns),
    ]


def presence(bench: Bench) -> list[Row | Curve]:
    """5,000 sign in and out while 5,000 watch."""
    count = bench.scaled(SIGN_INS)
    with bench.place() as (folder, load, servers):
        database.make(folder / "data", 2 * count)
        server = IRChat(folder / "irchat", folder / "data", turns=True)
        servers.append(server)
        bench.say("the watchers sign in")
        watchers = sign_in(load, server, range(count))
        load.quiet(_SETTLE_SECONDS)
        read: dict[bytes, dict[str, Any]] = {}
        watches = [_Watch(read) for _ in watchers]
        for watcher, watch in zip(watchers, watches, strict=True):
            watcher.on_lines = watch.take
        server.turns()
        bench.say("the others come and go")
        cpu, begun = server.cpu(), time.perf_counter()
        others = sign_in(load, server, range(count, 2 * count))
        came = time.perf_counter() - begun
        load.close(others)
        load.until(
            lambda: watches[-1].gone == count and all(watch.gone == count for watch in watches),
            "all watchers to hear who left",
        )
        cpu = server.cpu() - cpu
        turns = [server.turns()]
    names = {database.user_name(number) for number in range(count, 2 * count)}
    for watch in watches:
        watch.check(names)
    # Not the interval between two lines: data that waits while this process is busy arrives all at once.
    most = max((len(watch.events) - 1) / (watch.last - watch.first) for watch in watches)
    return [
        against("presence", "most writes to a watcher", "1/s", most, most=1.05),
        Row("presence", f"{count:,} sign in, {count:,} watching", "1/s", {"IRChat": count / came}),
        Row("presence", "CPU for each who comes and goes", "us", {"IRChat": cpu / count * 1e6}),
        *turns_of("presence", turns),
    ]


class _Watch:
    """The events that one watcher received. ``read`` caches decoded lines: many watchers get the same ones."""

    __slots__ = ("_read", "events", "first", "gone", "last")

    def __init__(self, read: dict[bytes, dict[str, Any]]) -> None:
        self.events: list[dict[str, Any]] = []
        self.gone = 0
        self.first = self.last = 0.0
        self._read = read

    def take(self, connection: Connection, lines: bytes) -> None:
        answer_pings(connection, lines)
        for line in lines.splitlines():
            if b'"presence"' in line:
                event = self._read.get(line)
                if event is None:
                    event = self._read[line] = json.loads(line)
                self.last = time.perf_counter()
                self.first = self.first or self.last
                self.events.append(event)
                self.gone += len(event["offline"])

    def check(self, names: set[str]) -> None:
        """Check the watcher's view. A user who came and went within a second may be reported only as gone."""
        gone = [name for event in self.events for name in event["offline"]]
        assert sorted(gone) == sorted(names), "a watcher did not hear who left"
        assert all(names.issuperset(event["online"]) for event in self.events), (
            "a watcher heard of a user who did not come"
        )


def _memory_of_each(bench: Bench, count: int, *, tls: bool) -> dict[str, float]:
    """Return the KiB per idle session, by server."""
    found: dict[str, float] = {}
    for kind in ("IRChat", *(kind.name for kind in installed() if not tls or kind is InspIRCd)):
        bench.say(kind)
        with bench.place() as (folder, load, servers):
            start(folder, servers, users=count, tls=tls, others=[other for other in installed() if other.name == kind])
            for server in servers:
                if server.name != kind:
                    continue
                warm = sign_in(load, server, [0], lambda number: ())
                load.quiet(1.0)
                before = server.memory()
                sign_in(load, server, range(1, count), lambda number: ())
                load.quiet(_SETTLE_SECONDS)
                found[kind] = (server.memory() - before) / (count - len(warm)) / 1024
    return found


def _ratio(values: dict[str, float]) -> float | None:
    return values["IRChat"] / values["InspIRCd"] if "InspIRCd" in values else None
