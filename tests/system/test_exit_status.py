"""The exit status of a process."""

import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

_PROGRAM = "from irchat.system.exit_status import end_with_failure; end_with_failure(); print('over', end='')"


class ExitStatusTests(SynchronousTestCase):
    """A process that would end with 0."""

    def test_failure(self) -> None:
        """It runs to its end, its output is complete, and its status is 1."""
        done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (1, "over", ""))
