"""A standby of PostgreSQL that takes over."""

from pathlib import Path

import pytest

from tests.helpers.cluster.case import ClusterTestCase
from tests.helpers.nodes import Cluster
from tests.helpers.processes import JSONClient, wait_for
from tests.helpers.services import PostgresStandby


class _Pair(Cluster):
    """A cluster whose PostgreSQL has a standby."""

    def make_database(self) -> str:
        """Create the database, and the standby."""
        url = super().make_database()
        self.standby = PostgresStandby(self.postgres)
        self.standby.start()
        ports = f"{self.postgres.port},127.0.0.1:{self.standby.port}"
        return f"{url.replace(str(self.postgres.port), ports)}?target_session_attrs=read-write"

    @property
    def name(self) -> str:
        """The name of the database."""
        return self.database.rpartition("/")[2].partition("?")[0]

    def sql(self, statement: str) -> str:
        """Run a statement in the database of the nodes."""
        return self.postgres.run(statement, self.name).strip()

    def wait_for_commits(self) -> None:
        """Let all commits wait for the standby from now on."""
        self.postgres.run("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.postgres.run("SELECT pg_reload_conf()")
        wait_for(lambda: self.sql("SELECT sync_state FROM pg_stat_replication") == "sync", "the standby", str)

    def fail_over(self) -> None:
        """Kill the primary, and promote the standby."""
        self.postgres.remove()
        self.postgres = self.standby
        self.postgres.promote()

    def close(self) -> None:
        """End everything."""
        super().close()
        if hasattr(self, "standby"):
            self.standby.remove()


@pytest.mark.slow
class FailoverTests(ClusterTestCase):
    """Two nodes on two servers of PostgreSQL."""

    nodes = 2
    cluster: _Pair

    def make_cluster(self, home: Path) -> Cluster:
        """Return a cluster with a standby."""
        return _Pair(home, self.nodes, *self.options)

    def test_synchronous(self) -> None:
        """If commits wait for the standby, it takes over under load, and nothing acknowledged is lost or doubled."""
        self.cluster.wait_for_commits()
        proof = self.proof()
        self.cluster.fail_over()
        proof.company.run(2)
        proof.check()
        for node in self.cluster.nodes:
            self.assertNotIn("went back", node.log.read_text())

    def test_asynchronous(self) -> None:
        """If the standby lacks commits, both nodes notice, warned before, and clients load everything again."""
        ann, bob = (self.client(node, name) for node, name in zip(self.cluster.nodes, ("ann", "bob"), strict=True))
        old = self.asked(ann, type="send", chat="GLOBAL", text="kept")["seq"]
        standby = self.cluster.standby
        wait_for(lambda: "kept" in standby.run("SELECT text FROM messages", self.cluster.name), "the standby", str)
        standby.stop()
        self.asked(ann, type="send", chat="GLOBAL", text="lost")
        self.assertEqual([bob.event("message")["text"] for _ in range(2)], ["kept", "lost"])
        self.cluster.postgres.remove()
        standby.start()
        self.cluster.fail_over()
        epochs = []
        for client, node in (ann, self.cluster.nodes[0]), (bob, self.cluster.nodes[1]):
            self.assertIn("load", client.event("bye")["reason"])
            self.assertIn("can be lost", node.log.read_text())
            back = JSONClient(node, tls=False)  # type: ignore[arg-type]
            self.addCleanup(back.close)
            epochs.append(back.ask(type="login", name="cid")["epoch"])
        self.assertEqual(len(set(epochs)), 1)
        ann = self.client(self.cluster.nodes[0], "ann")
        self.assertEqual(self.asked(ann, type="send", chat="GLOBAL", text="new")["seq"], old + 1)
        page = self.asked(self.client(self.cluster.nodes[1], "bob"), type="history", chat="GLOBAL")["messages"]
        self.assertEqual([message["text"] for message in page], ["kept", "new"])
