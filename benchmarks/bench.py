"""The interface of a scenario: its parameters, and the rows and curves that it returns."""

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
    """One measure of a scenario. ``ratio`` is IRChat's figure to InspIRCd's. ``met`` is None without a bar."""

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
    """A curve for a plot. ``lines`` has the points (x, y) of each server."""

    name: str
    title: str
    x: str
    y: str
    lines: dict[str, list[tuple[float, float]]]
    commit: str = ""


@dataclass
class Results:
    """The latest results of each scenario."""

    rows: list[Row] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> "Results":
        """Make results from the output of `dump`."""
        curves = [Curve(**curve) for curve in data["curves"]]
        return cls([Row(**row) for row in data["rows"]], curves)

    def dump(self) -> dict[str, Any]:
        """Return the results as JSON values."""
        return asdict(self)

    def put(self, scenario: str, given: "list[Row | Curve]", commit: str) -> None:
        """Replace the earlier results of a scenario."""
        self.rows = [row for row in self.rows if row.scenario != scenario]
        for one in given:
            one.commit = commit
            if isinstance(one, Row):
                self.rows.append(one)
            else:
                self.curves = [curve for curve in self.curves if curve.name != one.name] + [one]


class Bench:
    """Duration of the measurements, place of the files, and output of the progress."""

    def __init__(self, *, quick: bool, rounds: int, cache: Path, messages: int, timed: int) -> None:
        self.quick = quick
        self.rounds = rounds
        self.messages = messages
        self.timed = timed
        self.cache = cache
        self._said = 0.0
        self._scenario = ""

    def scaled(self, count: int, divisor: int = 5) -> int:
        """Return ``count``, or less in a quick run."""
        return max(1, count // divisor) if self.quick else count

    def begin(self, scenario: str) -> None:
        """Set the scenario that the progress names."""
        self._scenario = scenario

    def say(self, what: str) -> None:
        """Show progress: in a terminal over the last line, elsewhere a line every two seconds at most."""
        now = time.monotonic()
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[K{self._scenario}: {what}"[:118])
            sys.stderr.flush()
        elif now - self._said > 2:
            self._said = now
            sys.stderr.write(f"{self._scenario}: {what}\n")

    @contextmanager
    def place(self) -> Iterator[tuple[Path, Load, list[Server]]]:
        """Provide a folder, a load generator, and a list of servers that are stopped at the end."""
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
        """Return the results of each of ``runs`` by round. The runs alternate, in turn forwards and backwards."""
        values: dict[str, list[Any]] = {name: [] for name in runs}
        for number in range(self.rounds):
            order = list(runs) if number % 2 == 0 else list(reversed(runs))
            for name in order:
                self.say(f"round {number + 1} of {self.rounds}, {name}")
                values[name].append(runs[name]())
        return values


def compare(scenario: str, what: str, unit: str, values: Mapping[str, list[float]], *, bar: float | None = None) -> Row:
    """Return a row of medians. Its ratio is the median over the rounds of IRChat's figure to InspIRCd's."""
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
    """Return a row of IRChat's figure, which must be at ``most`` or at ``least`` the bar."""
    bar, met = "", None
    if most is not None:
        bar, met = f"≤ {most:,g}", value <= most
    elif least is not None:
        bar, met = f"≥ {least:,g}", value >= least
    return Row(scenario, what, unit, {"IRChat": value, **(values or {})}, None, bar, met)


def turns_of(scenario: str, reports: "list[dict[str, Any]]") -> list[Row | Curve]:
    """Return rows of the longest reactor turn in each report, in wall time and in CPU time of its thread."""
    longest = measure.median([report["longest"] for report in reports]) * 1e3
    cpu = measure.median([report["longest_cpu"] for report in reports]) * 1e3
    return [
        against(scenario, "longest turn of the reactor", "ms", longest, most=_LONGEST_TURN_MS),
        Row(scenario, "longest turn, its CPU time alone", "ms", {"IRChat": cpu}),
    ]
