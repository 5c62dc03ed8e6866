"""The base of tests on a cluster of real processes."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.helpers.cluster.proof import Proof
from tests.helpers.nodes import Cluster, Node
from tests.helpers.processes import JSONClient

RATE = 150.0
"""Messages a second of all talkers: enough that each fault meets commits under way."""


class ClusterTestCase(SynchronousTestCase):
    """Starts a cluster in a folder of its own. Services that are not installed skip the test."""

    nodes = 3
    options: tuple[str, ...] = ("--no-tls", "--no-passwords")

    def setUp(self) -> None:
        """Start PostgreSQL, Redis, the nodes and the balancer."""
        # Short, because the path of a UNIX socket is limited to about a hundred characters.
        home = Path(tempfile.mkdtemp(prefix="irchat-"))
        self.addCleanup(shutil.rmtree, home)
        self.cluster = self.make_cluster(home)
        self.addCleanup(self.cluster.close)
        self.cluster.start()

    def make_cluster(self, home: Path) -> Cluster:
        """Return the cluster, which is not started yet."""
        return Cluster(home, self.nodes, *self.options)

    def proof(self) -> Proof:
        """Return a company whose talkers have begun to talk."""
        seed = int.from_bytes(os.urandom(4))
        proof = Proof(self.cluster, seed)
        self.addCleanup(proof.close)
        proof.company.talk(RATE, 0.05)
        proof.company.run(1.5)
        return proof

    def client(self, node: Node, name: str) -> JSONClient:
        """Return a client that is signed in at a node."""
        client = JSONClient(node, tls=False)
        self.addCleanup(client.close)
        self.assertEqual(client.ask(type="login", name=name)["type"], "welcome")
        return client

    def asked(self, client: JSONClient, **request: Any) -> dict[str, Any]:
        """Return the reply to a request, which must not be an error."""
        reply = client.ask(**request)
        self.assertNotEqual(reply["type"], "error", reply)
        return reply
