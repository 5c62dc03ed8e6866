"""The server dies, or the machine: all that was acknowledged or shown is there afterwards, once and in order."""

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
    """A failure names the seed with which ``python -m tests.soak`` finds it again."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"seed {_SEED}")
        raise


@pytest.mark.slow
class CrashTests(SynchronousTestCase):
    """Real servers that are killed, and what they leave."""

    def setUp(self) -> None:
        """Make a folder with a short path."""
        self.home = Path(tempfile.mkdtemp(prefix="irchat-"))
        self.addCleanup(shutil.rmtree, self.home)

    def test_killed_again_and_again(self) -> None:
        """Fifty times killed under load, on one data folder: messages, groups, blocks, markers, accounts and tokens
        that were acknowledged or shown are there, once and in order, and a repeated nonce does not double."""
        with seeded():
            kills.crash(self.home, 50, _SEED)

    def test_killed_with_five_hundred_readers(self) -> None:
        """Killed while ten talk to 500, 64 messages in flight: what was acknowledged, or shown to any of them, is there
        under its seq, and each was shown all, once and in order."""
        self._kill_loaded("busy", 3)

    def test_killed_with_two_hundred_pairs(self) -> None:
        """The same while 200 pairs talk, with 512 messages in flight."""
        self._kill_loaded("private", 3)

    def test_killed_with_a_hundred_groups(self) -> None:
        """The same while 100 groups of 50 talk, with 256 messages in flight."""
        self._kill_loaded("group", 2)

    def _kill_loaded(self, load: str, kills: int) -> None:
        with seeded():
            kills_under_load.crash(self.home, load, kills, _SEED)

    def test_power_cut(self) -> None:
        """Of any moment under load, what was synced, with any part of what was not, is a sound database with all that
        was acknowledged by then."""
        if power_cut.COMPILER is None:
            raise SkipTest("there is no C compiler for the shim")
        with seeded():
            power_cut.cut_power(self.home, 3, 40, _SEED)
