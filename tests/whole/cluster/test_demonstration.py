"""``python -m docs.cluster``: two people in two terminals, whose nodes are killed."""

import contextlib
import io
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import SkipTest

import pytest
from twisted.trial.unittest import SynchronousTestCase

from docs import cluster
from tests.helpers.processes import environment
from tests.helpers.services import postgres_programs, program

_ROOT = Path(cluster.__file__).parents[1]


class FailureTests(SynchronousTestCase):
    """What it says when it cannot run."""

    def run_it(self, *results: object) -> tuple[int, str]:
        """Run it with a demonstration that raises ``results`` when it is made and when it runs. Return what it says."""

        class Demonstration:
            def __init__(self, home: Path) -> None:
                self.do()

            def do(self) -> None:
                if error := next(each):
                    raise error

            run = close = do

        each = iter(results)
        self.patch(cluster, "Demonstration", Demonstration)
        before = signal.getsignal(signal.SIGTERM)
        self.addCleanup(signal.signal, signal.SIGTERM, before)
        with contextlib.redirect_stdout(io.StringIO()) as said:
            status = cluster.main()
        return status, said.getvalue()

    def test_missing(self) -> None:
        """What is not installed is named with the command that installs it, before and after the first processes."""
        said = "redis-server is not installed: apt install postgresql redis-server haproxy\n"
        missing = SkipTest("redis-server is not installed")
        self.assertEqual(self.run_it(missing), (1, said))
        self.assertEqual(self.run_it(None, missing, None), (1, said))

    def test_failed(self) -> None:
        """A process that does not start is said in one line, and so is Ctrl-C."""
        self.assertEqual(self.run_it(None, AssertionError("no answer"), None), (1, "This failed: no answer\n"))
        self.assertEqual(self.run_it(None, KeyboardInterrupt, None), (130, "Stopped.\n"))

    def test_no_packages(self) -> None:
        """A missing package is named with the command that installs the packages."""
        run = "import sys; sys.modules['pyte'] = None; import docs.cluster"
        done = subprocess.run([sys.executable, "-c", run], cwd=_ROOT, capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (1, "pyte is not installed: pip install '.[cluster,test]'\n"))


@pytest.mark.slow
class DemonstrationTests(SynchronousTestCase):
    """The demonstration, on real processes."""

    def test_runs(self) -> None:
        """Two terminals go on after their nodes are killed, a timed message goes, and nothing is left behind."""
        postgres_programs()
        for name in "redis-server", "haproxy":
            program(name)
        with tempfile.TemporaryDirectory(prefix="irchat-") as folder:
            temporary = Path(folder) / "tmp"
            temporary.mkdir()
            variables = {**environment(Path(folder)), "TMPDIR": str(temporary)}
            done = subprocess.run(
                [sys.executable, "-m", "docs.cluster"],
                cwd=_ROOT, env=variables, capture_output=True, text=True, timeout=600, check=False,
            )  # fmt: skip
            self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
            self.assertEqual(list(temporary.iterdir()), [])
        for name in "Alice", "Bob":
            self.assertEqual(done.stdout.count(f"the node of {name}"), 1)
        self.assertEqual(done.stdout.count("after the kill, both have written and read."), 2)
        self.assertIn("It is gone from Bob's screen.", done.stdout)
