"""Public keys on several nodes: added on one, they sign in on another, and their end reaches the sessions there."""

from twisted.internet.defer import ensureDeferred

from irchat.server.listeners.ssh.ssh_factory import SSHDoor
from tests.helpers.nodes_in_memory import Cluster
from tests.helpers.server import PASSWORD, ServerTestCase
from tests.helpers.ssh_doors import Door, DoorSession, line_of, new_key


class NodesTests(ServerTestCase):
    """Three nodes with a door each."""

    def setUp(self) -> None:
        """Start the nodes, with alice on the first."""
        self.cluster = Cluster(3)
        self.addCleanup(self.cluster.close)
        self.doors = [Door(node) for node in self.cluster.nodes]
        self.alice = self.cluster.nodes[0].json()
        self.ask("register", name="alice", password=PASSWORD)
        self.key, self.other_key = new_key("laptop"), new_key("desk")
        for key in self.key, self.other_key:
            self.ask("add_key", key=line_of(key))
        self.assertIsInstance(self.doors[0].door, SSHDoor)

    def ask(self, kind: str, **fields: object) -> list[str]:
        """Ask as alice on the first node, and return the types of what she gets."""
        self.alice.ask(kind, **fields)
        self.cluster.advance(1)
        return [line["type"] for line in self.alice.got()]

    def vouched(self, door: Door, fingerprint: str) -> DoorSession:
        """Return a session on another node, signed in by a key."""
        door.relayed()
        session = door.session(1 + len(list(door.door)) - 1)
        session.ask("vouch", user="alice", fingerprint=fingerprint)
        self.cluster.advance(1)
        return session

    def test_keys(self) -> None:
        """Both keys sign in on the other nodes. Removing one ends its sessions there, and no others."""
        ended = self.vouched(self.doors[1], self.key.fingerprint)
        stays = self.vouched(self.doors[2], self.other_key.fingerprint)
        for session in ended, stays:
            self.assertEqual(len(session.told("welcome")), 1)
        self.assertIn("keys", self.ask("remove_key", number=1))
        self.assertEqual(ended.told("bye")[0]["reason"], "the key that signed you in was removed")
        self.assertFalse(ended.is_open)
        self.assertTrue(stays.is_open)
        late = self.vouched(self.doors[2], self.key.fingerprint)
        self.assertEqual(late.told("error")[0]["code"], "bad-credentials")

    def test_reset(self) -> None:
        """A new password from the administrator on one node ends the keys and the sessions on all."""
        session = self.vouched(self.doors[1], self.key.fingerprint)
        token = session.told("welcome")[0]["token"]
        done = ensureDeferred(self.cluster.nodes[2].accounts.reset_password("alice", "another password"))
        self.cluster.advance(1)
        self.successResultOf(done)
        self.assertFalse(session.is_open)
        again = self.doors[1].session(1)
        again.ask("resume", token=token)
        self.cluster.advance(1)
        self.assertEqual(again.told("error")[0]["code"], "bad-credentials")
