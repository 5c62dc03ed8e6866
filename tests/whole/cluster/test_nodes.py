"""Nodes that are killed, stopped and restarted while users talk."""

import pytest

from tests.helpers.cluster import checker, faults
from tests.helpers.cluster.case import ClusterTestCase
from tests.helpers.cluster.history import Answered


@pytest.mark.slow
class NodeTests(ClusterTestCase):
    """Three nodes behind a balancer."""

    def test_talk(self) -> None:
        """Users of three nodes talk: everyone gets everything once, in order, and all nodes agree at the end."""
        proof = self.proof()
        proof.company.run(2)
        proof.check()

    def test_killed(self) -> None:
        """The users of a killed node are back within 5 s, and nothing is lost, doubled or out of order."""
        proof = self.proof()
        for node in self.cluster.nodes[:2]:
            node.kill()
            proof.company.run(2)
            faults.start_node(proof, node)
            proof.company.run(1)
        proof.check()
        self.assertLess(checker.longest_absence(proof.company.history), 5)

    def test_stopped(self) -> None:
        """While a node hangs for 3 s, the others go on. When it wakes, nothing is sent twice."""
        proof = self.proof()
        node = self.cluster.nodes[1]
        proof.late_seconds = 4.5
        begun = proof.company.now()
        node.pause()
        proof.company.run(3)
        node.resume()
        ended = proof.company.now()
        proof.company.run(1)
        answers = [one.at for one in proof.company.history if isinstance(one, Answered)]
        self.assertTrue([at for at in answers if begun + 1.5 < at < ended], "the other nodes did not go on")
        proof.check()

    def test_rolling_restart(self) -> None:
        """Restarting one node after the other, as for an upgrade, loses nothing."""
        proof = self.proof()
        for node in self.cluster.nodes:
            faults.stop_node(proof, node)
            faults.start_node(proof, node)
            proof.company.run(0.5)
        proof.check()
        self.assertLess(checker.longest_absence(proof.company.history), 5)
