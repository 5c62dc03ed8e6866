"""Sieges of a real server, short; the long ones are in ``python -m tests.soak``. Each fails where the server logs a
traceback, takes more memory than it should, or lets others down."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.helpers.loads import abuse, stalled_readers


@pytest.mark.slow
class SiegeTests(SynchronousTestCase):
    """One server each."""

    def setUp(self) -> None:
        """Make a folder with a short path."""
        self.home = Path(tempfile.mkdtemp(prefix="irchat-"))
        self.addCleanup(shutil.rmtree, self.home)

    def test_slow_readers(self) -> None:
        """Fifty readers that stop reading while megabytes come get each message once and in order when they read on."""
        abuse.stall(self.home, 50, messages=350)

    def test_slow_readers_of_five_hundred(self) -> None:
        """While ten talk to 500, 64 messages in flight, fifty of these stop reading for a while: each of all gets each
        message once and in order, and the server's memory grows by what may wait for the fifty at most."""
        stalled_readers.stall(self.home, "busy")

    def test_slow_readers_in_groups(self) -> None:
        """The same of five in each of ten groups, while 100 groups of 50 talk, with 256 messages in flight."""
        stalled_readers.stall(self.home, "group")

    def test_hostile_lines(self) -> None:
        """Thousands of lines that no honest client sends lead to no error of the server's own."""
        abuse.hostile(self.home, 10_000, int.from_bytes(os.urandom(4)))

    def test_slowloris(self) -> None:
        """Connections that send a byte now and then, in a line or in a handshake, cost little and keep nobody out."""
        abuse.slowloris(self.home, 200, 0.5)

    def test_byte_by_byte(self) -> None:
        """A long line that comes byte by byte is answered at its end."""
        abuse.byte_by_byte(self.home, 1)

    def test_connect_storm(self) -> None:
        """Many connects, one after another as fast as they go."""
        abuse.storm(self.home, 1_000)

    def test_replies_never_read(self) -> None:
        """Clients that ask and do not read are not read from any more, and cost a bounded amount of memory."""
        abuse.never_read(self.home, 10, 1)
