"""Millions of stored messages: pages of history, lists of chats, sign-in, search, and the start of the server."""

import random
import time
from collections.abc import Iterator
from typing import Any

from benchmarks import database, measure
from benchmarks.asking import TimedClient, sign_in_seconds
from benchmarks.bench import Bench, Curve, Row, against, turns_of
from benchmarks.servers import IRChat

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
_READER, _BLOCKER, _SENDER = range(3)
_SEARCHES = {
    "rare word": database.RARE,
    "common word": database.COMMON,
    "two words": f"{database.COMMON} {database.ALSO_COMMON}",
}
_PLACES = {"all chats": None, "GLOBAL": "GLOBAL", "a group": "*g7"}


def history(bench: Bench) -> list[Row | Curve]:
    """Pages of history, `ls` with 1,000 chats, and unread counts at sign-in, with all messages stored."""
    data = database.stored(bench.cache, bench.messages, bench.say)
    with bench.place() as (folder, load, servers):
        server = IRChat(folder / "irchat", data, turns=True)
        servers.append(server)
        client = TimedClient(load, server, _READER)
        end = client.ask(type="history", chat="GLOBAL", limit=1)[1]["messages"][-1]["seq"]
        server.turns()
        bench.say("pages of history")
        pages = client.times(_pages(end, bench.scaled(2_000)))
        bench.say("ls")
        listed = client.times({"type": "chats"} for _ in range(bench.scaled(500)))
        bench.say("sign-in")
        entered = [sign_in_seconds(load, server, _READER) for _ in range(bench.scaled(500))]
        blocking = [sign_in_seconds(load, server, _BLOCKER) for _ in range(bench.scaled(500))]
        turns = server.turns()
    stored = f"{bench.messages:,} stored"
    return [
        against("history", f"page of 50 anywhere, {stored}, p99", "ms", _p99(pages), most=5),
        against("history", f"ls with {database.READER_CHATS:,} chats, p99", "ms", _p99(listed), most=10),
        against("history", f"sign-in with {database.READER_CHATS:,} unread chats, p99", "ms", _p99(entered), most=10),
        against("history", f"sign-in, {database.BLOCKER_UNREAD:,} unread, a block, p99", "ms", _p99(blocking), most=10),
        *turns_of("history", [turns]),
    ]


def search(bench: Bench) -> list[Row | Curve]:
    """Rare and common words in all messages and in one chat, newest 50; another session pings meanwhile."""
    data = database.stored(bench.cache, bench.messages, bench.say)
    rows: list[Row | Curve] = []
    with bench.place() as (folder, load, servers):
        server = IRChat(folder / "irchat", data, turns=True)
        servers.append(server)
        client = TimedClient(load, server, _READER)
        server.turns()
        for what, words in _SEARCHES.items():
            for place, chat in _PLACES.items():
                bench.say(f"{what} in {place}")
                request: dict[str, Any] = {"type": "search", "words": words, **({"chat": chat} if chat else {})}
                times = [client.ask(**request)[0]]
                times += client.times(request for _ in range(3 if times[0] > 1 else bench.scaled(50)))
                p95 = measure.percentile(times, 0.95) * 1e3
                rows.append(against("search", f"{what} in {place}, p95", "ms", p95, most=200))
        turns = server.turns()
    return [*rows, *turns_of("search", [turns])]


def starting(bench: Bench) -> list[Row | Curve]:
    """The time from the command to listening, with all messages stored."""
    data = database.stored(bench.cache, bench.messages, bench.say)
    times = []
    for number in range(bench.rounds):
        bench.say(f"round {number + 1} of {bench.rounds}")
        with bench.place() as (folder, _, servers):
            servers.append(IRChat(folder / "irchat", data))
            times.append(servers[0].start_seconds)
    return [against("start", f"start with {bench.messages:,} messages", "s", measure.median(times), most=2)]


def growth(bench: Bench) -> list[Row | Curve]:
    """The growth of reply times with the number of stored messages."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for size in [size for size in SIZES if size <= bench.messages]:
        data = database.stored(bench.cache, size, bench.say)
        with bench.place() as (folder, load, servers):
            server = IRChat(folder / "irchat", data)
            servers.append(server)
            client = TimedClient(load, server, _READER)
            end = client.ask(type="history", chat="GLOBAL", limit=1)[1]["messages"][-1]["seq"]
            bench.say(f"{size:,} stored")
            lines.setdefault("start of the server", []).append((size, server.start_seconds * 1e3))
            entered = [sign_in_seconds(load, server, _READER) * 1e3 for _ in range(50)]
            lines.setdefault("sign-in", []).append((size, measure.median(entered)))
            # Sent messages stay in the database, and move the sender's read marker.
            sends = TimedClient(load, server, _SENDER).times(
                {"type": "send", "chat": "GLOBAL", "text": "one more"} for _ in range(100)
            )
            lines.setdefault("durable send", []).append((size, measure.median(sends) * 1e3))
            runs: dict[str, Iterator[dict[str, Any]]] = {
                "page of history": _pages(end, 200),
                "ls": ({"type": "chats"} for _ in range(50)),
            }
            for what, words in _SEARCHES.items():
                runs[f"search, {what}"] = ({"type": "search", "words": words} for _ in range(10))
            for name, requests in runs.items():
                lines.setdefault(name, []).append((size, measure.median(client.times(requests)) * 1e3))
    return [Curve("stored", "Time of an answer by the messages stored", "messages stored", "ms", lines)]


def _pages(end: int, count: int) -> Iterator[dict[str, Any]]:
    chance = random.Random(time.time_ns())  # noqa: S311 -- pages that are not in the system's cache
    for _ in range(count):
        yield {"type": "history", "chat": "GLOBAL", "before": chance.randint(60, end), "limit": 50}


def _p99(times: list[float]) -> float:
    return measure.percentile(times, 0.99) * 1e3
