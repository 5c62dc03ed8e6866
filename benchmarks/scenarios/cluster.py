"""Several nodes on PostgreSQL, beside one SQLite server: messages and deliveries a second in all, and latency."""

import secrets
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from unittest import SkipTest

from benchmarks import database, measure
from benchmarks.bench import Bench, Curve, Row
from benchmarks.dialects import sign_in
from benchmarks.load import Connection, Load
from benchmarks.scenarios.messages import PAIRS
from benchmarks.servers import IRChat, Server
from benchmarks.traffic import Cost, Room, drive
from tests.helpers.services import PostgresServer, RedisServer

NODES = (1, 2, 4)
READERS = 500
RATES = (10, 100, 1_000)
_LONGEST_RUN = 100_000


class ClusterNode(IRChat):
    """A node, on the database ``store``."""

    def __init__(self, folder: Path, number: int, store: str, redis: RedisServer, key: Path) -> None:
        self._options = [
            "--store",
            store,
            "--node",
            f"node{number}",
            "--bus",
            redis.url,
            "--bus-key",
            str(key),
            "--no-ssh",
        ]
        super().__init__(folder, folder / "data")

    def _command(self) -> list[str]:
        return [*super()._command(), *self._options]


class Fleet:
    """Servers that are measured together: the nodes of one cluster, or one server alone."""

    def __init__(self, name: str, servers: Sequence[Server]) -> None:
        self.name = name
        self.servers = servers

    def cpu(self) -> float:
        """Return the CPU time of all so far, in seconds."""
        return sum(server.cpu() for server in self.servers)

    def sign_in(self, load: Load, clients: Sequence[int]) -> list[Connection]:
        """Return connections of these clients in their order, spread over the servers."""
        count = len(self.servers)
        found: dict[int, Connection] = {}
        for index, server in enumerate(self.servers):
            part = list(clients)[index::count]
            found |= {client.number: client for client in sign_in(load, server, part)}
        return [found[number] for number in clients]


def cluster(bench: Bench) -> list[Row | Curve]:
    """1, 2 and 4 nodes on PostgreSQL: durable messages, deliveries, and latency."""
    rates: dict[str, list[float]] = {}
    deliveries: dict[str, list[float]] = {}
    cpu: dict[str, list[float]] = {}
    latencies: dict[tuple[str, int, float], list[float]] = {}
    try:
        postgres, redis = PostgresServer(), RedisServer()
    except SkipTest as missing:
        bench.say(f"{missing}: nothing is measured")
        return []
    try:
        postgres.start()
        redis.start()
        for count in (0, *NODES):
            _measure(bench, count, postgres, redis, (rates, deliveries, cpu, latencies))
    finally:
        redis.remove()
        postgres.remove()
    rows: list[Row | Curve] = [
        Row("cluster", f"{PAIRS} pairs, 512 in flight, durable messages in all", "1/s", _medians(rates)),
        Row("cluster", f"{READERS} readers, 64 in flight, deliveries in all", "1/s", _medians(deliveries)),
        Row("cluster", f"{READERS} readers, 64 in flight, CPU of all nodes", "us CPU / delivery", _medians(cpu)),
    ]
    for rate in RATES:
        for name, share in ("p50", 0.5), ("p99", 0.99):
            found = {fleet: values for (fleet, of_rate, of_share), values in latencies.items()
                     if (of_rate, of_share) == (rate, share)}  # fmt: skip
            rows.append(Row("cluster", f"{rate:,} messages/s in pairs, {name}", "ms", _medians(found)))
    return rows


Found = tuple[
    dict[str, list[float]], dict[str, list[float]], dict[str, list[float]], dict[tuple[str, int, float], list[float]]
]


def _measure(bench: Bench, count: int, postgres: PostgresServer, redis: RedisServer, found: Found) -> None:
    """Measure ``count`` nodes, or with 0 a server on SQLite. Two cores serve all processes."""
    rates, deliveries, cpu, latencies = found
    with bench.place() as (folder, load, servers):
        fleet = _start(folder, servers, count, postgres, redis)
        bench.say(f"signing in on {fleet.name}")
        pairs = _pairs(fleet.sign_in(load, range(2 * PAIRS)), 512)
        load.quiet()
        _drive(load, fleet, pairs, bench.scaled(2_000))  # warm
        for _ in range(bench.rounds):
            bench.say(f"{fleet.name}: pairs")
            rates.setdefault(fleet.name, []).append(_drive(load, fleet, pairs, bench.scaled(20_000)).rate)
        for rate in RATES:
            bench.say(f"{fleet.name}: {rate} messages a second")
            times = _steady(load, pairs, rate, bench.scaled(10))
            for share in 0.5, 0.99:
                latencies.setdefault((fleet.name, rate, share), []).append(measure.percentile(times, share) * 1e3)
        everyone = fleet.sign_in(load, range(2 * PAIRS, 2 * PAIRS + READERS + 1))
        load.close([client for pair in pairs for client in pair.clients])
        load.quiet()
        room = Room(everyone[:1], everyone[1:], None, 64)
        _drive(load, fleet, [room], bench.scaled(500))
        for _ in range(bench.rounds):
            bench.say(f"{fleet.name}: everyone")
            cost = _drive(load, fleet, [room], bench.scaled(2_500))
            deliveries.setdefault(fleet.name, []).append(cost.rate * READERS)
            cpu.setdefault(fleet.name, []).append(cost.us)


def _start(folder: Path, servers: list[Server], count: int, postgres: PostgresServer, redis: RedisServer) -> Fleet:
    data = folder / "made"
    database.make(data, 2 * PAIRS + READERS + 1)
    if not count:
        servers.append(IRChat(folder / "sqlite", data))
        return Fleet("SQLite", servers)
    key = folder / "bus.key"
    key.touch(0o600)
    key.write_bytes(secrets.token_bytes(32))
    url = postgres.new_database()
    moved = [sys.executable, "-m", "irchat.admin", "--data", str(data), "move-to", url]
    subprocess.run(moved, check=True, capture_output=True, cwd=Path(__file__).parents[2])
    for number in range(1, count + 1):
        servers.append(ClusterNode(folder / f"node{number}", number, url, redis, key))
    return Fleet(f"{count} {'node' if count == 1 else 'nodes'}", servers)


class Pair(Room):
    """A room of one writer and one reader, which are on different nodes where there are several."""

    def __init__(self, sender: Connection, reader: Connection, in_flight: int) -> None:
        super().__init__([sender], [reader], database.user_name(reader.number), in_flight)
        self.clients = sender, reader
        self.sent_at = []


def _pairs(clients: Sequence[Connection], in_flight: int) -> list[Pair]:
    """Pair each client with the next one. Clients are spread over the nodes in turn."""
    each = max(1, in_flight // PAIRS)
    return [Pair(clients[2 * pair], clients[2 * pair + 1], each) for pair in range(PAIRS)]


def _drive(load: Load, fleet: Fleet, rooms: Sequence[Room], messages: int) -> Cost:
    return drive(load, fleet, rooms, max(len(rooms), messages))  # type: ignore[arg-type] -- a name and its CPU time


def _steady(load: Load, rooms: Sequence[Pair], rate: int, seconds: int) -> list[float]:
    """Return the latencies of messages at a steady rate, one room after another."""
    for room in rooms:
        room.in_flight, room.latencies = _LONGEST_RUN, []
    due = time.perf_counter()
    for number in range(max(seconds * rate, 20)):
        due += 1 / rate
        while (left := due - time.perf_counter()) > 0:
            load.once(left)
        rooms[number % len(rooms)].ask(1)
    load.until(lambda: all(room.finished for room in rooms), "the last messages")
    for room in rooms:
        room.check()
    return [latency for room in rooms for latency in room.latencies]


def _medians(values: dict[str, list[float]]) -> dict[str, float]:
    return {name: measure.median(of_one) for name, of_one in values.items()}
