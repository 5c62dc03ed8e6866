"""Core dumps are forbidden."""

import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase


class CoreDumpTests(SynchronousTestCase):
    """`forbid_core_dumps` and `forbid_memory_access`, in child processes, because they cannot be undone."""

    def run_code(self, code: str) -> str:
        """Run code with all names of the module. Return its output."""
        done = subprocess.run(
            [sys.executable, "-c", f"from irchat.system.core_dumps import *; {code}"],
            capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2],
        )  # fmt: skip
        return done.stdout

    def test_no_core_dumps(self) -> None:
        """The limit for core dumps is 0, hard and soft, so it cannot be raised without privileges."""
        for forbid in "forbid_core_dumps", "forbid_memory_access":
            code = f"{forbid}(); print(resource.getrlimit(resource.RLIMIT_CORE))"
            self.assertEqual(self.run_code(code), "(0, 0)\n")

    def test_not_dumpable(self) -> None:
        """The process is not dumpable: no core dump handler and no other process of the user can read its memory."""
        code = "forbid_memory_access(); print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
        self.assertEqual(self.run_code(code), "0\n")

    if not sys.platform.startswith("linux"):
        test_not_dumpable.skip = "looks into the kernel of Linux"  # type: ignore[attr-defined]
