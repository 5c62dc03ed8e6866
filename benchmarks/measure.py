"""Figures from the operating system, and statistics."""

import math
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

# The clock of a process's CPU time, of all its threads: clock_getcpuclockid(3) of another process.
_CPU_CLOCK_BITS = 2


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process, user and system, of all its threads past and present."""
    return time.clock_gettime((~pid << 3) | _CPU_CLOCK_BITS)


def memory_bytes(pid: int) -> int:
    """Return the proportional set size of a process."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"the system does not tell the memory of process {pid}")


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that ``share`` (0 to 1) of all values do not exceed, by nearest rank."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def machine() -> str:
    """Describe the machine, its system and its Python in one line."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    system = f"{platform.system()} {platform.release()}"
    return f"{model}, {os.cpu_count()} cores, {system}, Python {platform.python_version()}"


def commit() -> str:
    """Return the measured commit, and whether the tree differs from it."""
    folder = Path(__file__).parent
    try:
        name = _output("git", "-C", str(folder), "rev-parse", "--short", "HEAD")
        changed = _output("git", "-C", str(folder), "status", "--porcelain", "--", "../irchat")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{name}, with changes" if changed else name


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
