"""Several nodes over a network that loses and delays, by many seeds."""

from unittest import mock

import pytest
from twisted.trial.unittest import SynchronousTestCase

from irchat.cluster import sent_stream
from tests.helpers.simulated_bus import SimulatedCluster


class SimulationTests(SynchronousTestCase):
    """Random faults, then quiet."""

    def test_seeds(self) -> None:
        """After the faults, all nodes agree on presence and counts, and each message came once and in order."""
        self.run_seeds(range(30))

    def test_little_kept(self) -> None:
        """The same holds when a node can repeat only its last few messages, and sends its state instead."""
        with mock.patch.object(sent_stream, "_KEPT", 5):
            self.run_seeds(range(15))

    @pytest.mark.slow
    def test_more_seeds(self) -> None:
        """The same holds for more seeds."""
        self.run_seeds(range(30, 600))

    def run_seeds(self, seeds: range) -> None:
        for seed in seeds:
            cluster = SimulatedCluster(seed, 2 + seed % 3)
            cluster.disturb(80)
            cluster.quiet()
            self.assertEqual((seed, list(cluster.faults())), (seed, []))
