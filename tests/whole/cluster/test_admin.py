"""``irchat-admin`` on the folder of one node, about users of another."""

import contextlib
import io

import pytest

from irchat.admin.main import main
from tests.helpers.cluster.case import ClusterTestCase
from tests.helpers.processes import JSONClient, wait_for


@pytest.mark.slow
class AdminTests(ClusterTestCase):
    """Ann on the first of two nodes, bob on the second."""

    nodes = 2

    def admin(self, *arguments: str, status: int = 0) -> str:
        """Run a command on the folder of the first node. Return its output."""
        output = io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            found = main(["--data", str(self.cluster.nodes[0].home / "data"), *arguments])
        self.assertEqual(found, status, output.getvalue())
        return output.getvalue()

    def test_all(self) -> None:
        """Users, figures and nodes are those of all nodes. Kicks and bans reach users of the other node."""
        first, second = self.cluster.nodes
        ann, bob = self.client(first, "ann"), self.client(second, "bob")
        self.assertEqual(ann.event("presence")["online"], ["bob"])
        stats = dict(line.split(maxsplit=1) for line in self.admin("stats").splitlines() if "private" not in line)
        self.assertEqual([stats[name] for name in ("users", "online", "sessions")], ["2", "2", "2"])
        sessions = {line.split()[0]: line.split()[1] for line in self.admin("users").splitlines()[1:]}
        self.assertEqual(sessions, {"ann": "1", "bob": "1"})
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
