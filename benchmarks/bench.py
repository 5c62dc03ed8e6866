"""What a scenario is handed, and what it gives: rows of the table and curves of the plots."""

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import measure
from benchmarks.load import Load
from benchmarks.servers import Server

_LONGEST_TURN_MS = 50


@dataclass
class Row:
    """One measure of a scenario. ``ratio`` is IRChat's to InspIRCd's; ``met`` None where there is no bar."""

    scenario: str
    measure: str
    unit: str
    values: dict[str, float]
    ratio: float | None = None
    bar: str = ""
    met: bool | None = None
    commit: str = ""


@dataclass
class Curve:
    """How something grows: ``lines`` has for each server the points (x, y)."""

    name: str
    title: str
    x: str
    y: str
    lines: dict[str, list[tuple[float, float]]]
    commit: str = ""


@dataclass
class Results:
    """What was measured, the latest of each scenario."""

    rows: list[Row] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> "Results":
        """From what `dump` gave."""
        curves = [Curve(**curve) for curve in data["curves"]]
        return cls([Row(**row) for row in data["rows"]], curves)

    def dump(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)

    def put(self, scenario: str, given: "list[Row | Curve]", commit: str) -> None:
        """Put in what a scenario gave, in place of what it gave before."""
        self.rows = [row for row in self.rows if row.scenario != scenario]
        for one in given:
            one.commit = commit
            if isinstance(one, Row):
                self.rows.append(one)
            else:
                self.curves = [curve for curve in self.curves if curve.name != one.name] + [one]


class Bench:
    """How long to measure, where to put things, and where to say how far it is."""

    def __init__(self, *, quick: bool, rounds: int, cache: Path, messages: int, timed: int) -> None:
        self.quick = quick
        self.rounds = rounds
        self.messages = messages
        self.timed = timed
        self.cache = cache
        self._said = 0.0
        self._scenario = ""

    def scaled(self, count: int, divisor: int = 5) -> int:
        """``count``, or less of it where things are to be quick."""
        return max(1, count // divisor) if self.quick else count

    def begin(self, scenario: str) -> None:
        """A scenario begins."""
        self._scenario = scenario

    def say(self, what: str) -> None:
        """Show how far it is: each line where it is read by nobody, over the last one in a terminal."""
        now = time.monotonic()
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[K{self._scenario}: {what}"[:118])
            sys.stderr.flush()
        elif now - self._said > 2:
            self._said = now
            sys.stderr.write(f"{self._scenario}: {what}\n")

    @contextmanager
    def place(self) -> Iterator[tuple[Path, Load, list[Server]]]:
        """A folder, a load generator and a list of servers to put those into that are to be stopped at the end."""
        folder = Path(tempfile.mkdtemp(prefix="irchat-bench-"))
        folder.chmod(0o755)
        load = Load()
        servers: list[Server] = []
        try:
            yield folder, load, servers
        finally:
            load.close(list(load.connections.values()))
            for server in servers:
                server.stop()
            shutil.rmtree(folder, ignore_errors=True)

    def rounds_of(self, runs: dict[str, Callable[[], Any]]) -> dict[str, list[Any]]:
        """What each of ``runs`` gives in each round; they take turns, and every other round goes backwards."""
        values: dict[str, list[Any]] = {name: [] for name in runs}
        for number in range(self.rounds):
            order = list(runs) if number % 2 == 0 else list(reversed(runs))
            for name in order:
                self.say(f"round {number + 1} of {self.rounds}, {name}")
                values[name].append(runs[name]())
        return values


def compare(scenario: str, what: str, unit: str, values: Mapping[str, list[float]], *, bar: float | None = None) -> Row:
    """A row of medians with the median of IRChat's ratio to InspIRCd in each round, and whether it meets ``bar``."""
    medians = {name: measure.median(of_one) for name, of_one in values.items()}
    ratio = None
    if "InspIRCd" in values and "IRChat" in values:
        pairs = zip(values["IRChat"], values["InspIRCd"], strict=True)
        ratio = measure.median([ours / theirs for ours, theirs in pairs])
    return Row(
        scenario,
        what,
        unit,
        medians,
        ratio,
        "" if bar is None else f"ratio ≤ {bar:g}",
        None if bar is None or ratio is None else ratio <= bar,
    )


def against(
    scenario: str,
    what: str,
    unit: str,
    value: float,
    *,
    most: float | None = None,
    least: float | None = None,
    values: Mapping[str, float] | None = None,
) -> Row:
    """A row of IRChat's figure, and whether it is at ``most`` or at ``least`` what the bar says."""
    bar, met = "", None
    if most is not None:
        bar, met = f"≤ {most:,g}", value <= most
    elif least is not None:
        bar, met = f"≥ {least:,g}", value >= least
    return Row(scenario, what, unit, {"IRChat": value, **(values or {})}, None, bar, met)


def turns_of(scenario: str, reports: "list[dict[str, Any]]") -> list[Row | Curve]:
    """Rows of the longest turn of the reactor in each report: by the clock, and the CPU time of its thread alone."""
    longest = measure.median([report["longest"] for report in reports]) * 1e3
    cpu = measure.median([report["longest_cpu"] for report in reports]) * 1e3
    return [
        against(scenario, "longest turn of the reactor", "ms", longest, most=_LONGEST_TURN_MS),
        Row(scenario, "longest turn, its CPU time alone", "ms", {"IRChat": cpu}),
    ]
