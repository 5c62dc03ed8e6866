"""Nodes that lose PostgreSQL or Redis alone, or answers of PostgreSQL, while users talk."""

from pathlib import Path

import pytest

from tests.helpers.cluster.case import ClusterTestCase
from tests.helpers.cluster.history import Answered
from tests.helpers.cluster.proxied import ProxiedCluster, cut_off
from tests.helpers.nodes import Cluster, Node


@pytest.mark.slow
class CutOffTests(ClusterTestCase):
    """Three nodes, each behind proxies of its own."""

    cluster: ProxiedCluster

    def make_cluster(self, home: Path) -> Cluster:
        """Return a cluster with proxies."""
        return ProxiedCluster(home, self.nodes, *self.options)

    def test_answers_swallowed(self) -> None:
        """When the answer to a commit is swallowed, the node looks it up: nothing is lost, doubled or out of order."""
        proof = self.proof()
        for node in self.cluster.nodes[:2]:
            proxy = self.cluster.to_postgres[node.name]

            def looked_up(node: Node = node) -> bool:
                return "its outcome is looked up" in node.log.read_text("utf-8", "replace")

            while not looked_up():
                proxy.cut_after = b""  # the next request on each connection, whatever it is
                proof.company.run(0.2)
        proof.company.run(1)
        proof.check()

    def test_alone(self) -> None:
        """A node without PostgreSQL, and one without Redis, close their ports. Their users go on elsewhere."""
        _, without_redis, without_postgres = self.cluster.nodes
        proof = self.proof()
        proxies = self.cluster.to_redis[without_redis.name], self.cluster.to_postgres[without_postgres.name]
        begun = proof.company.now()
        for proxy in proxies:
            cut_off(proxy)
        for node in without_redis, without_postgres:
            proof.company.until(lambda node=node: "the port is closed" in node.log.read_text(), f"{node.name} to close")
        answers = [one for one in proof.company.history if isinstance(one, Answered) and one.at > begun + 1]
        self.assertTrue(answers, "the users of the first node did not go on")
        for proxy in proxies:
            cut_off(proxy, is_cut=False)
        for node in without_redis, without_postgres:
            proof.company.until(lambda node=node: "port is open again" in node.log.read_text(), f"{node.name} to open")
        # Without Redis, the ends of others' messages came with the state of the others.
        proof.late_seconds += 15
        proof.check()
