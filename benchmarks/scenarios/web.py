"""WebSocket over TLS beside lines over TLS: cost of a delivery, and memory of a session."""

import copy

from benchmarks import database, measure
from benchmarks.bench import Bench, Curve, Row, against, turns_of
from benchmarks.dialects import sign_in
from benchmarks.load import Load
from benchmarks.scenarios.messages import READERS, Rooms, everyone, rounds
from benchmarks.servers import IRChat, Server
from benchmarks.traffic import Room
from benchmarks.websocket import WebIRChat

IDLE = 2_000
_SETTLE_SECONDS = 3.0
# Many short rounds instead of few: what else the machine does then hits both alike.
_ROUNDS = 5
_MOST_TIMES = 1.25
_MOST_KIB = 50


def web(bench: Bench) -> list[Row | Curve]:
    """WebSocket beside lines, both with TLS: 500 readers, and idle sessions."""
    rows: list[Row | Curve] = []
    reports = []
    short = copy.copy(bench)
    short.rounds *= _ROUNDS
    for in_flight, count in (1, 20), (64, 400):
        with bench.place() as (folder, load, servers):
            for kind in IRChat, WebIRChat:
                database.make(folder / f"data-{kind.name}", READERS + 1)
                servers.append(kind(folder / kind.name, folder / f"data-{kind.name}", tls=True, turns=True))
            found = rounds(short, load, servers, _signed_in(everyone(READERS, 1, in_flight)), bench.scaled(count, 2))
            reports.append(servers[1].turns())
        pairs = zip(found["WebSocket"], found["IRChat"], strict=True)
        ratio = measure.median([web.us / lines.us for web, lines in pairs])
        what = f"CPU / delivery to TLS lines, {in_flight} in flight"
        rows.append(against("web", what, "times", ratio, most=_MOST_TIMES))
    kib = {kind.name: _memory(bench, kind) for kind in (IRChat, WebIRChat)}
    rows.append(against("web", "an idle session of a browser", "KiB", kib["WebSocket"], most=_MOST_KIB))
    rows.append(Row("web", "an idle session with TLS lines", "KiB", {"IRChat": kib["IRChat"]}))
    return [*rows, *turns_of("web", reports)]


def _signed_in(rooms: Rooms) -> Rooms:
    """Return ``rooms``, after which the turns of the start and of the sign-ins are forgotten."""

    def made(load: Load, server: Server) -> list[Room]:
        found = rooms(load, server)
        load.quiet()
        if isinstance(server, IRChat):
            server.turns()
        return found

    return made


def _memory(bench: Bench, kind: type[IRChat]) -> float:
    """Return the KiB of each idle session."""
    count = bench.scaled(IDLE)
    with bench.place() as (folder, load, servers):
        database.make(folder / "data", count + 1)
        server = kind(folder / kind.name, folder / "data", tls=True)
        servers.append(server)
        sign_in(load, server, [count], lambda number: ())
        load.quiet(1.0)
        before = server.memory()
        sign_in(load, server, range(count), lambda number: ())
        load.quiet(_SETTLE_SECONDS)
        return (server.memory() - before) / count / 1024
