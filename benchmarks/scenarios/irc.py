"""IRC clients of IRChat beside those of InspIRCd, and beside programs that speak JSON."""

from benchmarks import database, measure
from benchmarks.bench import Bench, Curve, Row, against
from benchmarks.scenarios.messages import READERS, everyone, rounds
from benchmarks.servers import InspIRCd, IRChat, IRChatForIRC, installed

_MOST_TIMES = 1.1


def irc(bench: Bench) -> list[Row | Curve]:
    """500 IRC clients in GLOBAL, alone and busy, beside InspIRCd's and beside JSON sessions."""
    rows: list[Row | Curve] = []
    for in_flight, count in (1, 300), (64, 5_000):
        with bench.place() as (folder, load, servers):
            for kind in IRChat, IRChatForIRC:
                database.make(folder / f"data-{kind.dialect}", READERS + 1)
                servers.append(kind(folder / kind.dialect, folder / f"data-{kind.dialect}"))
            if InspIRCd in installed():
                servers.append(InspIRCd(folder / InspIRCd.name))
            found = rounds(bench, load, servers, everyone(READERS, 1, in_flight), bench.scaled(count))
        us = {name: [cost.us for cost in costs] for name, costs in found.items()}
        shown = {"IRChat": IRChatForIRC.name, InspIRCd.name: InspIRCd.name}
        medians = {column: measure.median(us[name]) for column, name in shown.items() if name in us}
        what = f"{READERS} IRC clients, {in_flight} in flight"
        ratio = _ratio(us, InspIRCd.name) if InspIRCd.name in us else None
        rows.append(Row("irc", what, "us CPU / delivery", medians, ratio))
        rows.append(against("irc", f"{what}, to JSON sessions", "times", _ratio(us, IRChat.name), most=_MOST_TIMES))
    return rows


def _ratio(us: dict[str, list[float]], name: str) -> float:
    """Return the median over the rounds of the cost of IRC clients to that on another server."""
    return measure.median([ours / theirs for ours, theirs in zip(us[IRChatForIRC.name], us[name], strict=True)])
