"""SSH clients on several nodes: keys and sessions are those of the cluster."""

import subprocess

import pytest

from tests.helpers.cluster.case import ClusterTestCase
from tests.helpers.nodes import Node
from tests.helpers.processes import PATIENCE, environment, wait_for
from tests.helpers.services import program
from tests.helpers.ssh_clients import make_key, ssh_command


@pytest.mark.slow
class SSHNodesTests(ClusterTestCase):
    """Alice, with a key, on three nodes."""

    def run_ssh(self, node: Node, line: str) -> "subprocess.CompletedProcess[str]":
        """Run a line on a node by the system's ssh."""
        command = ssh_command(self.cluster.home, node.port, "alice", key="alice")
        return subprocess.run(
            [*command, line], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=PATIENCE,
            env=environment(self.cluster.home), check=False,
        )  # fmt: skip

    def test_keys_and_sessions(self) -> None:
        """Sessions end on other nodes. A key of one node signs in on another; its end ends a session on a third."""
        program("ssh")
        first, second, third = self.cluster.nodes
        alice = self.client(first, "alice")
        laptop = self.client(second, "alice")
        wait_for(lambda: len(self.asked(alice, type="sessions")["sessions"]) == 2, "both sessions in the list")
        self.asked(alice, type="end_sessions", others=True)
        laptop.event("bye")
        self.asked(alice, type="add_key", key=make_key(self.cluster.home, "alice"))
        done = wait_for(lambda: (ran := self.run_ssh(second, "ls")).returncode == 0 and ran, "a sign-in by key")
        self.assertIn("your chats", done.stdout)
        lines = subprocess.Popen(
            ssh_command(self.cluster.home, third.port, "alice", "-T", key="alice"),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(self.cluster.home),
        )  # fmt: skip
        self.addCleanup(lambda: lines.poll() is None and lines.kill())
        assert lines.stdin is not None and lines.stdout is not None
        lines.stdin.write(b"~\n")
        lines.stdin.flush()
        self.assertIn(b"you block nobody", lines.stdout.readline())
        self.assertEqual(len(self.asked(alice, type="sessions")["sessions"]), 1)
        self.assertIn("online, too: 2 sessions", self.run_ssh(second, "!sessions").stdout)
        self.assertEqual(self.asked(alice, type="remove_key", number=1)["keys"], [])
        lines.wait(PATIENCE)  # with its input open, whose end would end it as well
        _, errors = lines.communicate()
        self.assertEqual((lines.returncode, b"the key that signed you in was removed" in errors), (1, True), errors)
        refused = self.run_ssh(second, "ls")
        self.assertEqual((refused.returncode, "A command needs a key" in refused.stderr), (1, True))
        self.assertEqual(alice.ask(type="ping")["type"], "pong")
