"""Users of SSH on several nodes."""

import subprocess

import pytest

from tests.helpers.cluster.case import ClusterTestCase
from tests.helpers.processes import PATIENCE, environment
from tests.helpers.services import program
from tests.helpers.ssh_clients import SSHCase


@pytest.mark.slow
class KeysTests(ClusterTestCase):
    """Ann has a key. She and bob are on the first of two nodes, and her ssh connects to the second."""

    nodes = 2
    key, command = SSHCase.key, SSHCase.command

    def test_key(self) -> None:
        """A key that was added on one node signs in on another. Its end ends the sessions there."""
        program("ssh")
        first, second = self.cluster.nodes
        self.home, self.server = self.cluster.home, second
        ann, bob = self.client(first, "ann"), self.client(first, "bob")
        self.asked(ann, type="add_key", key=self.key("ann"))
        ssh = subprocess.Popen(
            self.command("ann", "-T", key="ann"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(self.home),
        )
        self.addCleanup(ssh.kill)
        assert ssh.stdin is not None and ssh.stdout is not None
        ssh.stdin.write(b"@bob hi\n")
        ssh.stdin.flush()
        self.assertEqual(bob.event("message")["text"], "hi")
        self.asked(bob, type="send", chat="@ann", text="hi, ann")
        while b"hi, ann" not in (line := ssh.stdout.readline()):
            self.assertTrue(line, "ssh ended")
        self.asked(ann, type="remove_key", number=1)
        ssh.wait(PATIENCE)
        ssh.stdin.close()
        ssh.stdout.close()
        self.assertEqual(self.asked(ann, type="send", chat="GLOBAL", text="still here")["type"], "sent")
        again = subprocess.run(
            self.command("ann", "-T", key="ann"),
            input=b"@bob no\n",
            env=environment(self.home),
            timeout=PATIENCE,
            check=False,
        )
        self.assertNotEqual(again.returncode, 0)
