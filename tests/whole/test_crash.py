"""Kills and power cuts: everything acknowledged or shown before is stored, once and in order."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import SkipTest

import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.helpers.loads import kills, kills_under_load, power_cut

_SEED = int.from_bytes(os.urandom(4))


@contextmanager
def seeded() -> Iterator[None]:
    """Add the seed to a failure, so that ``python -m tests.soak`` can repeat it."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"seed {_SEED}")
        raise


@pytest.mark.slow
class CrashTests(SynchronousTestCase):
    """Real servers that are killed."""

    def setUp(self) -> None:
        """Make a folder with a short path."""
        self.home = Path(tempfile.mkdtemp(prefix="irchat-"))
        self.addCleanup(shutil.rmtree, self.home)

    def test_killed_again_and_again(self) -> None:
        """After each of 50 kills under load, everything acknowledged or shown is stored once, and nonces still work."""
        with seeded():
            kills.crash(self.home, 50, _SEED)

    def test_killed_with_five_hundred_readers(self) -> None:
        """After kills while ten users talk to 500, everything acknowledged or shown is stored once and in order."""
        self._kill_loaded("busy", 3)

    def test_killed_with_two_hundred_pairs(self) -> None:
        """The same with 200 pairs and 512 messages in flight."""
        self._kill_loaded("private", 3)

    def test_killed_with_a_hundred_groups(self) -> None:
        """The same with 100 groups of 50 and 256 messages in flight."""
        self._kill_loaded("group", 2)

    def _kill_loaded(self, load: str, kills: int) -> None:
        with seeded():
            kills_under_load.crash(self.home, load, kills, _SEED)

    def test_power_cut(self) -> None:
        """After a power cut at any moment, the database is sound and has everything acknowledged by then."""
        if power_cut.COMPILER is None:
            raise SkipTest("there is no C compiler for the shim")
        with seeded():
            power_cut.cut_power(self.home, 3, 40, _SEED)
