"""Measure, show progress, and write the table and the plots: ``python -m benchmarks [SCENARIO ...]``."""

import argparse
import gc
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import measure, report, servers
from benchmarks.bench import Bench, Results, Row
from benchmarks.scenarios import SCENARIOS

_ROOT = Path(__file__).parent.parent


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Return the exit status: 1 if a bar is missed."""
    options = _parser().parse_args(arguments)
    bench = Bench(
        quick=options.quick,
        rounds=options.rounds or (2 if options.quick else 5),
        cache=options.cache.expanduser().absolute(),
        messages=options.messages or (100_000 if options.quick else 10_000_000),
        timed=options.timed or (20_000 if options.quick else 1_000_000),
    )
    docs: Path | None = options.docs or (None if options.quick else _ROOT / "docs")
    kept = docs / "benchmarks.json" if docs else None
    results = Results()
    if docs is not None:
        docs.mkdir(parents=True, exist_ok=True)
    if kept is not None and kept.exists():
        results = Results.load(json.loads(kept.read_text()))
    gc.disable()  # the load generator makes too few cycles to be worth the pauses
    missed = False
    for name in options.scenarios or SCENARIOS:
        begun = time.monotonic()
        bench.begin(name)
        given = SCENARIOS[name](bench)
        gc.collect()
        results.put(name, given, measure.commit())
        rows = [row for row in given if isinstance(row, Row)]
        missed = missed or any(row.met is False for row in rows)
        if sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")
        print(report.text(rows) or f"{name}: see the plot", f"({time.monotonic() - begun:.0f} s)", flush=True)  # noqa: T201
        if docs is not None and kept is not None:
            kept.write_text(json.dumps(results.dump(), indent=1) + "\n")
            report.write(docs, results, measure.machine(), servers.versions())
    return int(missed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure IRChat, beside InspIRCd and ngIRCd where these are installed.",
        epilog="Scenarios: "
        + "; ".join(f"{name}: {(run.__doc__ or '').strip().rstrip('.')}" for name, run in SCENARIOS.items()),
    )
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", choices=[*SCENARIOS, []], help="default: all")
    parser.add_argument("--quick", action="store_true", help="two rounds of less; writes no docs")
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path("~/.cache/irchat-benchmarks"),
        metavar="DIR",
        help="where big databases are kept once they are built [default: %(default)s]",
    )
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds in which the servers take turns [default: 5]")
    parser.add_argument("--messages", type=int, metavar="N", help="messages stored [default: 10,000,000]")
    parser.add_argument("--timed", type=int, metavar="N", help="timed messages that wait [default: 1,000,000]")
    parser.add_argument("--docs", type=Path, metavar="DIR", help="where to write benchmarks.rst and its plots")
    return parser


if __name__ == "__main__":
    sys.exit(main())
