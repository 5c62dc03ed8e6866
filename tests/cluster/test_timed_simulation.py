"""Timed messages on several nodes, with a bus that loses, delays and repeats, and nodes that die and start."""

import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.helpers.simulated_bus import advance
from tests.helpers.timed_nodes import TimedCluster


class SimulationTests(SynchronousTestCase):
    """Random things at random times."""

    def run_seed(self, seed: int, *, calm: bool) -> None:
        """Run one simulation, and check it when it is quiet, then when all messages have ended."""
        cluster = TimedCluster(seed)
        try:
            for _ in range(3):
                cluster.disturb(25, calm=calm)
                cluster.quiet()
                self.assertEqual(list(cluster.faults()), [], f"seed {seed}")
            advance(cluster.clock, 125)
            self.assertEqual(list(cluster.faults()), [], f"seed {seed}")
            self.assertEqual([node.texts_kept() for node in cluster.nodes], [[] for _ in cluster.nodes], f"seed {seed}")
        finally:
            cluster.close()

    def test_calm(self) -> None:
        """While the bus loses nothing, all nodes agree, and every session has each message once."""
        for seed in range(5):
            self.run_seed(seed, calm=True)

    def test_faults(self) -> None:
        """The same, when the bus loses, delays and repeats messages, and is away."""
        for seed in range(4):
            self.run_seed(seed, calm=False)

    @pytest.mark.slow
    def test_many(self) -> None:
        """The same, for more seeds."""
        for seed in range(1_000, 1_050):
            self.run_seed(seed, calm=seed % 4 == 0)
