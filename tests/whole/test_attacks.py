"""Short attacks on a real server. Long ones are in ``python -m tests.soak``.

Each test fails if the server logs a traceback, takes too much memory, or neglects other users.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.helpers.loads import abuse, hostile_floods, stalled_readers, web_sieges


@pytest.mark.slow
class AttackTests(SynchronousTestCase):
    """Attacks, each on a server of its own."""

    def setUp(self) -> None:
        """Make a folder with a short path."""
        self.home = Path(tempfile.mkdtemp(prefix="irchat-"))
        self.addCleanup(shutil.rmtree, self.home)

    def test_slow_readers(self) -> None:
        """Fifty readers that stop while megabytes arrive get each message once and in order after they continue."""
        abuse.stall(self.home, 50, messages=350)

    def test_slow_readers_of_five_hundred(self) -> None:
        """The same with ten senders and 500 readers, of whom fifty stop, and memory grows only for these."""
        stalled_readers.stall(self.home, "busy")

    def test_slow_readers_in_groups(self) -> None:
        """The same with 100 groups of 50, where five readers stop in each of ten groups."""
        stalled_readers.stall(self.home, "group")

    def test_hostile_lines(self) -> None:
        """Thousands of hostile lines cause no internal error."""
        hostile_floods.hostile(self.home, 10_000, int.from_bytes(os.urandom(4)))

    def test_slowloris(self) -> None:
        """Connections that send a byte at intervals, in a line or a handshake, cost little and keep nobody out."""
        abuse.slowloris(self.home, 200, 0.5)

    def test_byte_by_byte(self) -> None:
        """A long line that arrives byte by byte is answered at its end."""
        abuse.byte_by_byte(self.home, 1)

    def test_connect_storm(self) -> None:
        """Many connects in quick succession keep nobody out."""
        abuse.storm(self.home, 1_000)

    def test_replies_never_read(self) -> None:
        """The server stops reading from clients that never read their replies, and their memory is bounded."""
        abuse.never_read(self.home, 10, 1)

    def test_web(self) -> None:
        """Fragments without an end, pings, silence and half handshakes at the web door leave memory flat."""
        web_sieges.besiege(self.home)
