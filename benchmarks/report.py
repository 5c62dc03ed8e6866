"""Write the results as text, as a page of the docs, and as plots."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.bench import Curve, Results, Row
from benchmarks.svg import bars, curves

_SERVERS = ("IRChat", "InspIRCd", "ngIRCd")
_HEAD = ("Scenario", "Measure", "Unit", *_SERVERS, "Ratio", "Bar", "")
_OF_NODES = "cluster"
_PLOTTED = ("alone", "busy", "private", "group", "tls")

_PAGE = """\
==========
Benchmarks
==========

``python -m benchmarks`` writes this page. The servers and the load generator are separate processes on one machine,
connected over loopback. IRChat runs as in production: every message is on the disk (fsync) before anyone receives it.
The load generator checks everything that arrives: no message lost, none twice, and the same order for all. The servers
take turns, round after round. The figures are medians, and the ratio is the median of IRChat's figure divided by
InspIRCd's in the same round. The operating system reports CPU time and memory (PSS) of the server's process.
``design.rst`` explains what a message costs and why a bar is missed.

:Machine: {machine}
:Versions: {versions}
:Commit: {commit}

.. image:: benchmarks-cost.svg
   :alt: CPU time of a delivery in each scenario

.. list-table::
   :header-rows: 1

{table}

Several nodes
=============

Nodes on one PostgreSQL server, and beside them one server on SQLite. All processes share the cores of one machine, the
load generator included, so the figures show what more nodes cost there, not what they bring on more machines.

{nodes}

How cost grows
==============

{curves}
"""


def text(rows: Sequence[Row]) -> str:
    """Return a table for the terminal."""
    return "\n".join(
        f"{row.scenario:<9} {row.measure:<44} "
        + "  ".join(f"{name} {_figure(value)}" for name, value in row.values.items())
        + f" {row.unit}"
        + (f"; ratio {row.ratio:.2f}" if row.ratio is not None else "")
        + (f"; bar {row.bar}: {_verdict(row)}" if row.bar else "")
        for row in rows
    )


def write(docs: Path, results: Results, machine: str, versions: str) -> None:
    """Write ``benchmarks.rst`` and its plots into ``docs``."""
    rows = [row for row in results.rows if row.scenario != _OF_NODES]
    table = "\n".join(_line(cells) for cells in [_HEAD, *(_cells(row) for row in rows)])
    nodes = _nodes([row for row in results.rows if row.scenario == _OF_NODES])
    plotted = [row for row in results.rows if row.scenario in _PLOTTED and row.unit.startswith("us")]
    (docs / "benchmarks-cost.svg").write_text(
        bars("CPU time of the server for each delivery", "us", _SERVERS, [(row.measure, row.values) for row in plotted])
    )
    for curve in results.curves:
        (docs / f"benchmarks-{curve.name}.svg").write_text(curves(curve.title, curve.x, curve.y, curve.lines))
    grown = "\n\n".join(_grown(curve) for curve in results.curves)
    commits = sorted({row.commit for row in results.rows} | {curve.commit for curve in results.curves})
    (docs / "benchmarks.rst").write_text(
        _PAGE.format(
            machine=machine, versions=versions, commit="; ".join(commits), table=table, nodes=nodes, curves=grown
        )
    )


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.scenario,
        row.measure,
        row.unit,
        *(_figure(row.values[name]) if name in row.values else "" for name in _SERVERS),
        "" if row.ratio is None else f"{row.ratio:.2f}",
        row.bar,
        _verdict(row),
    )


def _nodes(rows: Sequence[Row]) -> str:
    """Return the table of the rows about several nodes."""
    if not rows:
        return "Not measured."
    names = list(rows[0].values)
    cells = [
        ("Measure", "Unit", *names),
        *((row.measure, row.unit, *map(_figure, row.values.values())) for row in rows),
    ]
    return ".. list-table::\n   :header-rows: 1\n\n" + "\n".join(map(_line, cells))


def _grown(curve: Curve) -> str:
    """Return the plot of a curve and a table of its points."""
    points = {name: dict(line) for name, line in curve.lines.items()}
    sizes = sorted({size for line in points.values() for size in line})
    rows = [
        (curve.x, *points),
        *(
            (f"{size:,.0f}", *(_figure(line[size]) if size in line else "" for line in points.values()))
            for size in sizes
        ),
    ]
    table = "\n".join(_line(cells) for cells in rows)
    return (
        f".. image:: benchmarks-{curve.name}.svg\n   :alt: {curve.title}\n\n"
        f".. list-table:: {curve.title} ({curve.y})\n   :header-rows: 1\n\n{table}"
    )


def _line(cells: Sequence[str]) -> str:
    first, *others = cells
    return "\n".join([f"   * - {first}", *(f"     - {cell}".rstrip() for cell in others)])


def _verdict(row: Row) -> str:
    return "" if row.met is None else "met" if row.met else "missed"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 1_000 else f"{value:.3g}"
