"""Run twistd and time each turn of its reactor: ``python -m benchmarks.turns REPORT TWISTD-OPTIONS...``.

A turn is the time from one wait of the poller to the next. SIGUSR1 writes the turns since the last signal to the file
REPORT as JSON.
"""

import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.scripts.twistd import run

reactor: Any = _reactor

_KEPT = 1_000_000


class TimedPoller:
    """The reactor's poller, which records the time between its waits."""

    def __init__(self, poller: Any) -> None:
        self._poller = poller
        self._woke = time.perf_counter()
        self._woke_cpu = time.thread_time()
        self.turns: list[tuple[float, float]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._poller, name)

    def poll(self, timeout: float, count: int) -> Any:
        """Record the turn that ends, and wait."""
        if len(self.turns) < _KEPT:
            self.turns.append((time.perf_counter() - self._woke, time.thread_time() - self._woke_cpu))
        try:
            return self._poller.poll(timeout, count)
        finally:
            self._woke = time.perf_counter()
            self._woke_cpu = time.thread_time()

    def write(self, path: Path) -> None:
        """Write the longest turns and their number, and start over."""
        turns, self.turns = self.turns, []
        self._woke, self._woke_cpu = time.perf_counter(), time.thread_time()  # restart the current turn
        walls = sorted(wall for wall, _ in turns)
        report = {
            "turns": len(turns),
            "longest": walls[-1] if walls else 0,
            "longest_cpu": max((cpu for _, cpu in turns), default=0),
            "p999": walls[int(len(walls) * 0.999)] if walls else 0,
        }
        unnamed = path.with_suffix(".new")
        unnamed.write_text(json.dumps(report))
        unnamed.rename(path)


def main() -> None:
    """Run twistd with the poller timed."""
    path = Path(sys.argv[1])
    sys.argv[:2] = ["twistd"]
    poller = TimedPoller(reactor._poller)
    reactor._poller = poller
    signal.signal(signal.SIGUSR1, lambda *_: poller.write(path))
    run()


if __name__ == "__main__":
    main()
