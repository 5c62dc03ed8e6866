"""Messages to many, to one and to groups, with and without TLS: cost, latency, and growth with the readers."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import database, measure
from benchmarks.bench import Bench, Curve, Row, against, compare
from benchmarks.dialects import sign_in
from benchmarks.load import Connection, Load
from benchmarks.servers import InspIRCd, IRChat, NgIRCd, Server, installed
from benchmarks.traffic import Cost, Room, drive

READERS = 500
PAIRS = 200
GROUPS, GROUP_MEMBERS = 100, 50
MANY_SENDERS = 10
LATENCY_RATE = 100
_COMMIT_MS = 1.9  # the latency bar allows for one commit
GROWTH = (10, 30, 100, 300, 1_000, 3_000, 9_000)
_GROWTH_OF_IRC = 1_000  # every join is announced to everyone present, so more readers would only measure joins

Rooms = Callable[[Load, Server], list[Room]]


def start(
    folder: Path,
    servers: list[Server],
    *,
    users: int,
    groups: Sequence[Sequence[int]] = (),
    tls: bool = False,
    others: Sequence[type[Server]] | None = None,
) -> None:
    """Start IRChat with those users and groups, and the installed IRC servers."""
    database.make(folder / "data", users, groups)
    servers.append(IRChat(folder / "irchat", folder / "data", tls=tls))
    for kind in installed() if others is None else others:
        if kind in installed():
            servers.append(kind(folder / kind.name, tls=tls))


def everyone(readers: int, senders: int, in_flight: int) -> Rooms:
    """Return the room for everyone: GLOBAL, or an IRC channel."""

    def rooms(load: Load, server: Server) -> list[Room]:
        clients = sign_in(load, server, range(readers + senders))
        return [Room(clients[readers:], clients[:readers], None, in_flight)]

    return rooms


def pairs(count: int, in_flight: int) -> Rooms:
    """Return pairs in which one user writes to the other."""

    def rooms(load: Load, server: Server) -> list[Room]:
        clients = {client.number: client for client in sign_in(load, server, range(2 * count), lambda number: ())}
        return [
            Room(
                [clients[2 * pair]],
                [clients[2 * pair + 1]],
                database.user_name(2 * pair + 1),
                in_flight // count + (pair < in_flight % count),
            )
            for pair in range(count)
        ]

    return rooms


def groups_of(count: int, members: int, in_flight: int) -> Rooms:
    """Return groups in which one member writes."""

    def rooms(load: Load, server: Server) -> list[Room]:
        clients = {
            client.number: client
            for client in sign_in(load, server, range(count * members), lambda number: (number // members,))
        }
        return [
            Room(
                [clients[group * members]],
                [clients[group * members + member] for member in range(1, members)],
                group,
                in_flight // count + (group < in_flight % count),
            )
            for group in range(count)
        ]

    return rooms


def costs(
    bench: Bench, rooms: Rooms, messages: int, *, users: int, groups: Sequence[Sequence[int]] = (), tls: bool = False
) -> dict[str, list[Cost]]:
    """Return the cost of each round for each server."""
    with bench.place() as (folder, load, servers):
        start(folder, servers, users=users, groups=groups, tls=tls, others=[InspIRCd] if tls else None)
        return rounds(bench, load, servers, rooms, messages)


def rounds(bench: Bench, load: Load, servers: Sequence[Server], rooms: Rooms, messages: int) -> dict[str, list[Cost]]:
    """Return the cost of each round for each of the running servers."""
    runs: dict[str, Callable[[], Cost]] = {}
    for server in servers:
        bench.say(f"signing in on {server.name}")
        made = rooms(load, server)
        load.quiet()
        drive(load, server, made, max(len(made), messages // 10))  # warm

        def run(server: Server = server, made: list[Room] = made) -> Cost:
            load.quiet(0.05)
            return drive(load, server, made, messages)

        runs[server.name] = run
    return bench.rounds_of(runs)


def _row(scenario: str, what: str, found: dict[str, list[Cost]], bar: float) -> Row:
    us = {name: [cost.us for cost in of_one] for name, of_one in found.items()}
    return compare(scenario, what, "us CPU / delivery", us, bar=bar)


def alone(bench: Bench) -> list[Row | Curve]:
    """GLOBAL, 500 readers, one message in flight."""
    found = costs(bench, everyone(READERS, 1, 1), bench.scaled(300), users=READERS + 1)
    return [_row("alone", f"{READERS} readers, 1 in flight", found, 1.1)]


def busy(bench: Bench) -> list[Row | Curve]:
    """GLOBAL, 500 readers, 64 in flight, from one sender and from ten."""
    rows: list[Row | Curve] = []
    for senders in (1, MANY_SENDERS):
        found = costs(bench, everyone(READERS, senders, 64), bench.scaled(5_000), users=READERS + senders)
        rows.append(_row("busy", f"{READERS} readers, 64 in flight, senders: {senders}", found, 0.7))
    return rows


def private(bench: Bench) -> list[Row | Curve]:
    """200 pairs, 512 in flight."""
    found = costs(bench, pairs(PAIRS, 512), bench.scaled(30_000), users=2 * PAIRS)
    rates = {name: measure.median([cost.rate for cost in of_one]) for name, of_one in found.items()}
    others = {name: rate for name, rate in rates.items() if name != "IRChat"}
    return [
        _row("private", f"{PAIRS} pairs, 512 in flight", found, 6),
        against("private", "durable messages", "1/s", rates["IRChat"], least=10_000, values=others),
    ]


def group(bench: Bench) -> list[Row | Curve]:
    """100 groups of 50, 256 in flight."""
    members = [range(number * GROUP_MEMBERS, (number + 1) * GROUP_MEMBERS) for number in range(GROUPS)]
    found = costs(
        bench,
        groups_of(GROUPS, GROUP_MEMBERS, 256),
        bench.scaled(10_000),
        users=GROUPS * GROUP_MEMBERS,
        groups=members,
    )
    return [_row("group", f"{GROUPS} groups of {GROUP_MEMBERS}, 256 in flight", found, 1)]


def tls(bench: Bench) -> list[Row | Curve]:
    """One message and 64 in flight, over TLS."""
    found = costs(bench, everyone(READERS, 1, 1), bench.scaled(300), users=READERS + 1, tls=True)
    rows: list[Row | Curve] = [_row("tls", f"TLS, {READERS} readers, 1 in flight", found, 1.7)]
    found = costs(bench, everyone(READERS, 1, 64), bench.scaled(5_000), users=READERS + 1, tls=True)
    return [*rows, _row("tls", f"TLS, {READERS} readers, 64 in flight", found, 0.7)]


def latency(bench: Bench) -> list[Row | Curve]:
    """100 messages a second to 500 readers."""
    seconds = bench.scaled(5)
    with bench.place() as (folder, load, servers):
        start(folder, servers, users=READERS + 1, others=[InspIRCd])
        runs: dict[str, Callable[[], list[float]]] = {}
        for server in servers:
            room = everyone(READERS, 1, 1 << 30)(load, server)[0]
            load.quiet()

            def run(room: Room = room) -> list[float]:
                return _steady(load, room, seconds)

            runs[server.name] = run
        found = bench.rounds_of(runs)
    p99 = {name: [measure.percentile(of_one, 0.99) * 1e3 for of_one in rounds] for name, rounds in found.items()}
    p50 = {name: [measure.percentile(of_one, 0.5) * 1e3 for of_one in rounds] for name, rounds in found.items()}
    row = compare("latency", f"{LATENCY_RATE} messages/s to {READERS} readers, p99", "ms", p99)
    if "InspIRCd" in row.values:
        most = 2 * row.values["InspIRCd"] + _COMMIT_MS
        row.bar, row.met = f"≤ {most:.1f} (2x and a commit)", row.values["IRChat"] <= most
    return [compare("latency", f"{LATENCY_RATE} messages/s to {READERS} readers, p50", "ms", p50), row]


def _steady(load: Load, room: Room, seconds: int) -> list[float]:
    """Return the latencies of messages at a steady rate."""
    room.latencies = []
    room.sent_at = room.sent_at if room.sent_at is not None else []
    due = time.perf_counter()
    for _ in range(seconds * LATENCY_RATE):
        due += 1 / LATENCY_RATE
        while (left := due - time.perf_counter()) > 0:
            load.once(left)
        room.ask(1)
    load.until(lambda: room.finished, "the last messages")
    room.check()
    return room.latencies


def readers(bench: Bench) -> list[Row | Curve]:
    """The growth of the cost with the number of readers, alone and busy."""
    lines: dict[str, list[tuple[float, float]]] = {}
    sizes = GROWTH[:5] if bench.quick else GROWTH
    with bench.place() as (folder, load, servers):
        start(folder, servers, users=max(sizes) + 1, others=[InspIRCd, NgIRCd])
        for server in servers:
            kept = sign_in(load, server, [max(sizes)])
            for size in sizes:
                if server.name != "IRChat" and size > _GROWTH_OF_IRC:
                    break
                bench.say(f"{size} readers of {server.name}")
                known = load.connections.values()
                here = [client for client in known if client.server is server and client not in kept]
                here += sign_in(load, server, range(len(here), size))
                load.quiet()
                alone, busy = _about(30_000 // size, 20, 300), _about(500_000 // size, 200, 5_000)
                for in_flight, messages in ((1, alone), (64, busy)):
                    room = Room([_reset(kept[0])], [_reset(client) for client in here], None, in_flight)
                    drive(load, server, [room], max(10, messages // 10))
                    cost = measure.median([drive(load, server, [room], messages).us for _ in range(3)])
                    name = f"{server.name}, {in_flight} in flight"
                    lines.setdefault(name, []).append((size, cost))
    return [Curve("readers", "Cost of a delivery by the number of readers", "readers", "us CPU / delivery", lines)]


def _about(messages: int, least: int, most: int) -> int:
    return max(least, min(most, messages))


def _reset(connection: Connection) -> Connection:
    """Reset a connection for another room."""
    connection.position = 0
    return connection
