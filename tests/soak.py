"""Run the long versions of tests that CI runs short, for example ``python -m tests.soak crash --cycles 1000``."""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.helpers.loads import (
    abuse,
    cluster,
    hostile_floods,
    kills,
    kills_under_load,
    loads,
    power_cut,
    ssh_screens,
    stalled_readers,
)


def main() -> int:
    """Run one test and print its figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument(
        "--seed", type=int, default=int(time.time()), help="seed of all random choices [default: the time]"
    )
    each = parser.add_subparsers(dest="test", required=True)
    crash = each.add_parser("crash", help="kill -9 at random moments under load")
    crash.add_argument("--cycles", type=int, default=1_000)
    crash.add_argument("--load", choices=loads.LOADS, help="load of a benchmark scenario [default: a few users]")
    cut = each.add_parser("power-cut", help="restore the state of the disk at random moments of a server under load")
    cut.add_argument("--seconds", type=float, default=20)
    cut.add_argument("--cuts", type=int, default=1_000)
    slow = each.add_parser("slow-readers", help="readers that stop under full traffic and then continue")
    slow.add_argument("--readers", type=int, default=1_000)
    slow.add_argument("--seconds", type=float, default=60)
    slow.add_argument("--messages", type=int, default=450)
    slow.add_argument(
        "--load",
        choices=stalled_readers.STALLS,
        help="some readers of a benchmark scenario, repeatedly for --seconds [default: --readers"
        " slow readers, and --messages messages]",
    )
    hostile = each.add_parser("hostile", help="hostile lines, while others talk")
    hostile.add_argument("--lines", type=int, default=1_000_000)
    slowloris = each.add_parser("slowloris", help="connections that send single bytes at intervals")
    slowloris.add_argument("--connections", type=int, default=1_000)
    slowloris.add_argument("--seconds", type=float, default=20)
    lines = each.add_parser("byte-by-byte", help="lines of 64 KiB, a byte at a time")
    lines.add_argument("--lines", type=int, default=10)
    storm = each.add_parser("storm", help="connects as fast as the machine allows")
    storm.add_argument("--connects", type=int, default=10_000)
    deaf = each.add_parser("never-read", help="clients that request much and read nothing")
    deaf.add_argument("--connections", type=int, default=50)
    deaf.add_argument("--seconds", type=float, default=30)
    several = each.add_parser("cluster", help="random faults of three nodes, of PostgreSQL and of Redis, under load")
    several.add_argument("--seconds", type=float, default=3_600)
    ssh = each.add_parser("ssh", help="screens over SSH that come and go, and one whose client is stopped")
    ssh.add_argument("--screens", type=int, default=50)
    ssh.add_argument("--rounds", type=int, default=3)
    ssh.add_argument("--messages", type=int, default=3_000)
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="irchat-"))
    begin = time.monotonic()
    print(f"seed {options.seed}", flush=True)  # noqa: T201
    try:
        print(_run(options, home))  # noqa: T201
    except BaseException:
        print(f"the files are in {home}")  # noqa: T201
        raise
    shutil.rmtree(home)
    print(f"{time.monotonic() - begin:.0f} s")  # noqa: T201
    return 0


def _run(options: argparse.Namespace, home: Path) -> object:
    match options.test:
        case "crash":
            if options.load:
                return kills_under_load.crash(home, options.load, options.cycles, options.seed)
            return kills.crash(home, options.cycles, options.seed)
        case "power-cut":
            return power_cut.cut_power(home, options.seconds, options.cuts, options.seed)
        case "slow-readers":
            if options.load:
                return stalled_readers.stall(home, options.load, options.seconds)
            return abuse.stall(home, options.readers, messages=options.messages, seconds=options.seconds)
        case "hostile":
            return hostile_floods.hostile(home, options.lines, options.seed)
        case "slowloris":
            return abuse.slowloris(home, options.connections, options.seconds)
        case "byte-by-byte":
            return abuse.byte_by_byte(home, options.lines)
        case "storm":
            return abuse.storm(home, options.connects)
        case "never-read":
            return abuse.never_read(home, options.connections, options.seconds)
        case "cluster":
            return cluster.soak(home, options.seconds, options.seed)
        case "ssh":
            return ssh_screens.soak(home, options.screens, options.rounds, options.messages)
    raise AssertionError(options.test)


if __name__ == "__main__":
    sys.exit(main())
