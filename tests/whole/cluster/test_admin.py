"""``irchat-admin`` on the folder of one node, about users of another, and the metrics of each node."""

import contextlib
import io
from pathlib import Path

import pytest

from irchat.admin.main import main
from tests.helpers.cluster.case import ClusterTestCase
from tests.helpers.cluster.measured import MeasuredCluster
from tests.helpers.nodes import Cluster
from tests.helpers.processes import JSONClient, wait_for


@pytest.mark.slow
class AdminTests(ClusterTestCase):
    """Ann on the first of two nodes, bob on the second."""

    nodes = 2
    cluster: MeasuredCluster

    def make_cluster(self, home: Path) -> Cluster:
        """Return a cluster with metrics."""
        return MeasuredCluster(home, self.nodes, *self.options)

    def stats(self) -> dict[str, str]:
        """Return the statistics by label."""
        lines = self.admin("stats").splitlines()
        return {label.strip(): value for line in lines for label, value in [(line[:14], line[14:])]}

    def admin(self, *arguments: str, status: int = 0) -> str:
        """Run a command on the folder of the first node. Return its output."""
        output = io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            found = main(["--data", str(self.cluster.nodes[0].home / "data"), *arguments])
        self.assertEqual(found, status, output.getvalue())
        return output.getvalue()

    def test_all(self) -> None:
        """Users, figures and nodes are those of all nodes. Kicks and bans reach users of the other node.

        The metrics of each node are its own, and the statistics are their sum. A node that died is named.
        """
        first, second = self.cluster.nodes
        ann, bob = self.client(first, "ann"), self.client(second, "bob")
        self.assertEqual(ann.event("presence")["online"], ["bob"])
        self.check_figures(ann, bob)
        sessions = {line.split()[0]: line.split()[1] for line in self.admin("users").splitlines()[1:]}
        self.assertEqual(sessions, {"ann": "online", "bob": "online"})
        wait_for(lambda: [line.split()[4] for line in self.admin("nodes").splitlines()] == ["SESSIONS", "1", "1"],
                 "the reports of both nodes", lambda: self.admin("nodes"))  # fmt: skip
        self.admin("kick", "bob")
        bob.event("bye")
        bob = self.client(second, "bob")
        self.admin("ban", "bob", "--reason", "spam")
        bob.event("bye")
        banned = JSONClient(second, tls=False)  # type: ignore[arg-type]
        self.addCleanup(banned.close)
        self.assertEqual(banned.ask(type="login", name="bob")["code"], "banned")
        self.assertIn("@bob", self.admin("bans"))
        self.admin("unban", "bob")
        self.client(second, "bob")
        self.assertIn("pg_basebackup", self.admin("backup", str(self.cluster.home / "copy"), status=1))
        second.kill()
        stats = wait_for(lambda: (found := self.stats())["node node2"].startswith("silent for") and found, "silence")
        self.assertEqual(stats["node node1"], "1 session")
        wait_for(lambda: self.stats()["sessions"] == "1" and self.cluster.figures(first)["bus_nodes"] == 0, "the sum")

    def check_figures(self, ann: JSONClient, bob: JSONClient) -> None:
        """Check the statistics and the metrics after some messages of both."""
        first, second = self.cluster.nodes
        self.asked(ann, type="send", chat="GLOBAL", text="stored")
        self.asked(ann, type="send", chat="GLOBAL", text="timed", expires_in=600)
        self.asked(bob, type="send", chat="@ann", text="stored")
        self.asked(bob, type="send", chat="@ann", text="stored")
        nodes = [f"node {node.name}" for node in self.cluster.nodes]
        stats = wait_for(
            lambda: [(found := self.stats())[node] for node in nodes] == ["1 session", "1 session"] and found,
            "the reports of both nodes",
        )
        self.assertEqual([stats[name] for name in ("users", "online")], ["2", "2"])
        one, two = self.cluster.figures(first), self.cluster.figures(second)
        self.assertEqual((one["sessions"], two["sessions"], stats["sessions"]), (1, 1, "2"))
        self.assertEqual((one["messages_total"], two["messages_total"], stats["messages"]), (1, 2, "3"))
        for name, wanted in ("timed_messages", 1), ("bus_connected", 1), ("bus_nodes", 1), ("store_away", 0):
            self.assertEqual((name, one[name], two[name]), (name, wanted, wanted))
        for name in (
            "deliveries_total", "sign_ins_total", "commit_changes_count", "commit_seconds_sum", "turns_total",
            "turn_wait_seconds_total", "turn_hold_seconds_total",
        ):  # fmt: skip
            self.assertGreater(one[name], 0, name)
            self.assertGreater(two[name], 0, name)
        for name in "queue_changes", "slow_readers", "log_lag", "bus_gaps_total":
            self.assertGreaterEqual(one[name], 0, name)
