"""The cost of edits, deletions and marks, as multiples of a send, and of pages with changed messages."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks import database, measure
from benchmarks.bench import Bench, Curve, Row
from benchmarks.dialects import answer_pings, sign_in
from benchmarks.load import Connection, Load
from benchmarks.servers import IRChat

_USERS = 60
_IN_FLIGHT = 64
_MESSAGES = 2_000
_PAGES = 500
_PAGE = 50
# One message of so many is changed: 7 %.
_UNCHANGED = 14
_PLAIN, _CHANGED = "*g0", "*g1"
_MARK_MOST, _EDIT_MOST, _PAGE_MOST = 1.5, 12.0, 1.5


def amend(bench: Bench) -> list[Row | Curve]:
    """CPU time of a mark, an edit and a deletion against a send, and of pages with 7 % changed messages."""
    with bench.place() as (folder, load, servers):
        database.make(folder / "data", _USERS, [range(_USERS), range(_USERS)])
        server = IRChat(folder / "irchat", folder / "data")
        servers.append(server)
        user = _User(load, server)
        count = bench.scaled(_MESSAGES)
        sent = 0

        def sends() -> float:
            nonlocal sent
            sent += count
            return user.cost(_sends(_PLAIN, count))

        def changes(**fields: Any) -> Callable[[], float]:
            return lambda: user.cost(
                {"type": "mark" if "mark" in fields else "amend", "chat": _PLAIN, "seq": seq, **fields}
                for seq in range(sent - count + 1, sent + 1)
            )

        runs = {"send": sends, "mark": changes(mark="ok"), "edit": changes(text="another text, number 1")}
        runs["deletion"] = changes(delete=True)
        costs: dict[str, list[float]] = {name: [] for name in runs}
        for number in range(bench.rounds):
            for name, run in runs.items():
                bench.say(f"round {number + 1} of {bench.rounds}, {name}")
                costs[name].append(run())
        pages = _cost_of_pages(bench, user)
    return [
        Row("amend", "send to a group of 60, nobody else online", "us CPU", {"IRChat": measure.median(costs["send"])}),
        _ratio("mark, in sends", costs["mark"], costs["send"], _MARK_MOST),
        _ratio("edit, in sends", costs["edit"], costs["send"], _EDIT_MOST),
        _ratio("deletion, in sends", costs["deletion"], costs["send"], None),
        Row("amend", f"page of {_PAGE}, nothing changed", "us CPU", {"IRChat": measure.median(pages[_PLAIN])}),
        _ratio("page with 7 % changed, in plain ones", pages[_CHANGED], pages[_PLAIN], _PAGE_MOST),
    ]


def _cost_of_pages(bench: Bench, user: "_User") -> dict[str, list[float]]:
    """Return the cost of pages of a new group without changes, and of one with many, by chat and round."""
    user.cost([{"type": "create_group", "name": name, "members": []} for name in ("plain", "changed")])
    chats = {_PLAIN: "*plain", _CHANGED: "*changed"}
    for chat in chats.values():
        user.cost(_sends(chat, _MESSAGES))
    changed = range(1, _MESSAGES + 1, _UNCHANGED)
    user.cost({"type": "mark", "chat": "*changed", "seq": seq, "mark": "ok"} for seq in changed)
    user.cost({"type": "amend", "chat": "*changed", "seq": seq, "text": "another text"} for seq in changed)
    count = bench.scaled(_PAGES)

    def pages(chat: str) -> Callable[[], float]:
        return lambda: user.cost(
            {"type": "history", "chat": chat, "before": _PAGE + 1 + seq % (_MESSAGES - _PAGE), "limit": _PAGE}
            for seq in range(count)
        )

    return bench.rounds_of({name: pages(chat) for name, chat in chats.items()})


def _sends(chat: str, count: int) -> Iterator[dict[str, Any]]:
    return ({"type": "send", "chat": chat, "text": f"a text of some words, number {number}"} for number in range(count))


def _ratio(what: str, costs: list[float], of: list[float], most: float | None) -> Row:
    """Return the median over the rounds of one cost divided by another."""
    ratio = measure.median([cost / unit for cost, unit in zip(costs, of, strict=True)])
    bar, met = ("", None) if most is None else (f"≤ {most:g}", ratio <= most)
    return Row("amend", what, "times", {"IRChat": ratio}, bar=bar, met=met)


class _User:
    """A session that sends many requests, with some of them in flight."""

    def __init__(self, load: Load, server: IRChat) -> None:
        self._load = load
        self._server = server
        self._connection = sign_in(load, server, [0])[0]
        self._connection.on_lines = self._take
        self._answered = 0

    def cost(self, requests: "Iterator[dict[str, Any]] | list[dict[str, Any]]") -> float:
        """Return the server's CPU time for each request, in us."""
        lines = [json.dumps({**request, "ref": 1}).encode() + b"\n" for request in requests]
        self._answered = sent = 0
        cpu = self._server.cpu()
        while sent < len(lines):
            due = min(len(lines), self._answered + _IN_FLIGHT)
            self._connection.send(b"".join(lines[sent:due]))
            sent = due
            self._wait_for(min(len(lines), sent - _IN_FLIGHT // 2))
        self._wait_for(len(lines))
        return (self._server.cpu() - cpu) * 1e6 / len(lines)

    def _wait_for(self, replies: int) -> None:
        self._load.until(lambda: self._answered >= replies, f"{replies:,} replies")

    def _take(self, connection: Connection, lines: bytes) -> None:
        answer_pings(connection, lines)
        self._answered += lines.count(b'{"ref":1,')
