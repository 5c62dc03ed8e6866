"""The table of the nodes."""

from msgspec.structs import astuple, replace

from irchat.interfaces.entry_codec import VERSION
from irchat.interfaces.nodes import NodeRow
from irchat.store.postgres.connecting import Connection, StoreUnusable
from irchat.store.postgres.log.node_rows import NodeIdentity, Report, all_nodes, join, renew
from tests.helpers.postgres_nodes import NodesCase


class NodeRowsTests(NodesCase):
    """Nodes that enter and leave."""

    def enter(self, name: str, *fingerprints: str, bus: bool = True, patience: float = 0) -> tuple[int, Connection]:
        """Enter a node. Return its number and its connection."""
        connection = self.connect()
        return join(connection, NodeIdentity(name, fingerprints, bus), patience), connection

    def refused(self, text: str, name: str, *fingerprints: str, bus: bool = True) -> None:
        """Check that a node may not start, and leaves no trace."""
        before = self.sql("SELECT * FROM nodes ORDER BY node")
        error = self.assertRaises(StoreUnusable, self.enter, name, *fingerprints, bus=bus)
        self.assertIn(text, str(error))
        self.assertNotIn("\n", str(error))
        self.assertEqual(self.sql("SELECT * FROM nodes ORDER BY node"), before)

    def test_numbers(self) -> None:
        """Each name has a number, and keeps it."""
        first, connection = self.enter("a")
        second, _ = self.enter("b")
        self.assertNotEqual(first, second)
        connection.close()
        self.assertEqual(self.enter("a", patience=5)[0], first)

    def test_same_name(self) -> None:
        """A second node of one name does not start while the first one runs."""
        self.enter("a")
        self.refused("--node", "a")

    def test_one_without_bus(self) -> None:
        """A node without a bus runs alone."""
        _, alone = self.enter("a", bus=False)
        self.refused("--bus", "b", bus=False)
        self.refused("--bus", "b")
        alone.close()
        self.enter("b", patience=5)
        self.refused("--bus", "a", bus=False)
        self.enter("c")

    def test_fingerprints(self) -> None:
        """A node with another certificate than one that runs does not start; one that has gone does not matter."""
        self.enter("a", "sha", "ssh")
        self.refused("node a; copy tls-cert.pem, tls-key.pem and ssh_host_ed25519_key", "b", "sha", "other")
        self.refused("node a", "b", "other")
        self.enter("b", "ssh", "sha")
        self.enter("without", "sha")
        self.sql("UPDATE nodes SET seen = seen - interval '1 minute'")
        self.enter("c", "new")

    def test_renewed(self) -> None:
        """A node reports its state, and learns the head of the log and whether the bus works for another."""
        first, connection = self.enter("a")
        second, other = self.enter("b")
        look = renew(connection, first, Report(1, 2, True))
        self.assertTrue(self.a.log.is_at(look.head))
        self.assertEqual((look.others_hear_bus, look.epoch), (False, self.a.epoch))
        self.assertTrue(renew(other, second, Report(3, 4, False)).others_hear_bus)
        self.assertFalse(renew(connection, first, Report(1, 2, True)).others_hear_bus)
        self.sql("UPDATE nodes SET bus_seen = bus_seen - interval '6 s'")
        self.assertFalse(renew(other, second, Report(3, 4, False)).others_hear_bus)
        a, b = all_nodes(connection)
        self.assertEqual(astuple(a)[:5], ("a", VERSION, 1, look.head.position - 1, 2))
        self.assertEqual(replace(b, silent=0), NodeRow("b", VERSION, 3, look.head.position - 3, 4, 0, None))
        self.assertTrue(0 <= b.silent < 30 and a.bus_silent is not None and 6 <= a.bus_silent < 36)

    def test_versions(self) -> None:
        """A node learns which entries all nodes know that run now."""
        number, connection = self.enter("a")
        self.enter("b")
        self.sql("UPDATE nodes SET version = 1 WHERE name = 'b'")
        self.assertEqual(renew(connection, number, Report(0, 0, True)).known_version, 1)
        self.sql("UPDATE nodes SET seen = seen - interval '1 minute'")
        self.assertEqual(renew(connection, number, Report(0, 0, True)).known_version, VERSION)

    def test_gone_for_long(self) -> None:
        """The row of a node that was not heard for a week is deleted when another one starts, but not its own."""
        first, connection = self.enter("a")
        self.enter("b")
        self.sql("UPDATE nodes SET seen = seen - interval '6 days' WHERE name = 'b'")
        self.sql("UPDATE nodes SET seen = seen - interval '8 days' WHERE name = 'a'")
        connection.close()
        again, connection = self.enter("a", patience=5)
        self.assertEqual((again, [row.name for row in all_nodes(connection)]), (first, ["a", "b"]))
        self.sql("UPDATE nodes SET seen = seen - interval '8 days' WHERE name = 'b'")
        self.enter("c")
        self.assertEqual([row.name for row in all_nodes(connection)], ["a", "c"])

    def test_gone(self) -> None:
        """A node whose row was deleted cannot go on."""
        number, connection = self.enter("a")
        self.sql("DELETE FROM nodes")
        self.assertRaises(StoreUnusable, renew, connection, number, Report(0, 0, False))
