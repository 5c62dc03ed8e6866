"""Nodes that must not start, and say why in one line."""

import signal

import pytest

from irchat.protocol.ssh_door import HOST_KEY_FILE
from tests.helpers.cluster.case import ClusterTestCase
from tests.helpers.nodes import Node


@pytest.mark.slow
class StartTests(ClusterTestCase):
    """A second node beside one that runs."""

    nodes = 1

    def reason(self, node: Node) -> str:
        """Return the only line that a node prints that does not start, but for the log of twistd."""
        self.addCleanup(node.kill)
        node.begin()
        self.assertEqual(node.wait_for_end(), 1, node.log.read_text())
        lines = [line for line in node.log.read_text().splitlines() if "[twisted." not in line]
        self.assertEqual(len(lines), 1, lines)
        return lines[0]

    def assert_talks(self) -> None:
        """Check that the first node goes on."""
        (node,) = self.cluster.nodes
        self.assertEqual(self.asked(self.client(node, "ann"), type="send", chat="GLOBAL", text="hi")["type"], "sent")

    def test_same_name(self) -> None:
        """A second node of the same name does not start."""
        reason = self.reason(self.cluster.new_node("node1", folder="other"))
        self.assertIn("node1", reason)
        self.assertIn("--node", reason)
        self.assert_talks()

    def test_without_bus(self) -> None:
        """A node without a bus does not start beside another."""
        self.assertIn("--bus", self.reason(self.cluster.new_node("node2", bus=False)))
        self.assert_talks()

    def test_ends(self) -> None:
        """A node that must stop ends with status 1, so that it is started again. SIGTERM is no failure."""
        (node,) = self.cluster.nodes
        self.cluster.sql("DELETE FROM nodes")
        self.assertEqual(node.wait_for_end(), 1)
        self.assertIn("start it again", node.log.read_text())
        node.start()
        node.ask_to_stop()
        self.assertEqual(node.wait_for_end(), -signal.SIGTERM, node.log.read_text())
        self.assertEqual(node.tracebacks(), [])

    def test_no_postgres(self) -> None:
        """A node whose PostgreSQL does not answer says so."""
        self.cluster.kill_postgres()
        self.assertIn("PostgreSQL", self.reason(self.cluster.new_node("node2")))

    def test_no_key(self) -> None:
        """A node without the key of the bus says how to make one."""
        self.cluster.key.unlink()
        self.assertIn("bus-key", self.reason(self.cluster.new_node("node2")))

    def test_open_key(self) -> None:
        """A node does not use a key that others can read."""
        self.cluster.key.chmod(0o644)
        self.assertIn("chmod 600", self.reason(self.cluster.new_node("node2")))


@pytest.mark.slow
class CertificateTests(ClusterTestCase):
    """Nodes with TLS."""

    nodes = 1
    options = ("--no-passwords",)
    reason = StartTests.reason

    def test_other_certificate(self) -> None:
        """A node with a certificate of its own does not start, and says which file to copy. With a copy it starts."""
        (first,) = self.cluster.nodes
        second = self.cluster.new_node("node2")
        reason = self.reason(second)
        self.assertIn("tls-cert.pem", reason)
        self.assertIn("copy", reason)
        for name in "tls-cert.pem", "tls-key.pem":
            (second.home / "data" / name).write_bytes((first.home / "data" / name).read_bytes())
        second.start()

    def test_other_host_key(self) -> None:
        """A node with an SSH host key of its own does not start, and says which file to copy."""
        first = self.cluster.nodes[0]
        second = self.cluster.new_node("node2")
        for name in "tls-cert.pem", "tls-key.pem":
            (second.home / "data" / name).write_bytes((first.home / "data" / name).read_bytes())
        (second.home / "data" / HOST_KEY_FILE).unlink()
        self.assertIn(HOST_KEY_FILE, self.reason(second))
