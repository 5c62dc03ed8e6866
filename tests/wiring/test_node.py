"""A node, with a real PostgreSQL."""

import os
import socket
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.task import Clock
from twisted.trial.unittest import SkipTest, TestCase

from irchat.settings import WrongSetting, make_config
from irchat.store.threads import NoThreads
from tests.helpers.services import free_port, shared_postgres

try:
    from irchat.wiring import node as node_module
    from irchat.wiring.node import Node, check, node_name
except ModuleNotFoundError as missing:
    raise SkipTest(f"{missing.name} is not installed") from None


class NodeTests(TestCase):
    """`Node`."""

    def setUp(self) -> None:
        """Create a database."""
        self.postgres = shared_postgres()
        self.url = self.postgres.new_database()
        self.addCleanup(self.postgres.drop_database, self.url)
        self.key = Path(self.mktemp()).absolute()
        self.key.write_bytes(os.urandom(32))
        self.key.chmod(0o600)

    def _node(self, name: str = "one", **given: Any) -> Node:
        config = make_config({"store": self.url, "node": name, **given})
        node = Node(config, reactor, NoThreads())  # type: ignore[arg-type]  # their types differ, their calls do not
        self.addCleanup(node.store.close)
        return node

    def test_join(self) -> None:
        """A node enters its name. A second one without a bus, or of that name, is refused in one line."""
        self._node().join(["AB:CD"], lambda: 3)
        bus = {"bus": f"redis://127.0.0.1:{free_port()}", "bus-key": str(self.key)}
        self.assertIn("--bus", self._refused(self._node("two")))
        self.patch(node_module, "NodeIdentity", lambda name, prints, has_bus: _identity(name, prints, True))
        self.assertIn("--bus", self._refused(self._node("two", **bus)))
        self.assertEqual(self.postgres.run("SELECT name FROM nodes", self.url.rpartition("/")[2]), "one\n")

    def _refused(self, node: Node) -> str:
        text = str(self.assertRaises(WrongSetting, node.join, ["AB:CD"], lambda: 0))
        self.assertNotIn("\n", text)
        return text

    def test_away(self) -> None:
        """A database that cannot be reached is one line with the next step."""
        self.url = f"postgresql://irchat@127.0.0.1:{free_port()}/chat"
        text = str(self.assertRaises(WrongSetting, self._node))
        self.assertIn("PostgreSQL cannot be used", text)
        self.assertIn("Connection refused", text)
        self.assertNotIn("\n", text)

    def test_stopped(self) -> None:
        """A node that must not go on logs the reason and ends its process."""
        clock: Any = Clock()
        clock.stop = lambda: stopped.append(True)
        stopped: list[bool] = []
        node = self._node()
        node._reactor = clock
        node._end("upgrade this node")
        clock.advance(0)
        self.assertEqual(stopped, [True])


class CheckTests(TestCase):
    """The checks before the start, which connect to nothing."""

    def test_name(self) -> None:
        """The name is that of the host by default. A host name that cannot be one is refused."""
        config = make_config({"store": "postgresql://db/chat"})
        self.patch(socket, "gethostname", lambda: "chat1.example")
        self.assertEqual(node_name(config), "chat1.example")
        self.assertIs(type(node_name(make_config({"store": "postgresql://db/chat", "node": "two"}))), str)
        self.patch(socket, "gethostname", lambda: "")
        self.assertIn("--node", str(self.assertRaises(WrongSetting, node_name, config)))

    def test_files(self) -> None:
        """The URLs and the key are checked."""
        given = {"store": "postgresql://db/chat", "bus": "redis://bus", "bus-key": "/nothing"}
        self.assertIn("bus-key FILE", str(self.assertRaises(WrongSetting, check, make_config(given))))
        key = Path(self.mktemp()).absolute()
        key.write_bytes(os.urandom(32))
        for mode in 0o644, 0o600:
            key.chmod(mode)
            config = make_config({**given, "bus-key": str(key)})
            if mode == 0o600:
                check(config)
            else:
                self.assertIn("chmod 600", str(self.assertRaises(WrongSetting, check, config)))
        wrong = make_config({"store": "postgresql://db/chat?nonsense=1"})
        self.assertIn("URL of the store", str(self.assertRaises(WrongSetting, check, wrong)))


def _identity(*given: Any) -> Any:
    from irchat.store.postgres.log.node_rows import NodeIdentity  # noqa: PLC0415

    return NodeIdentity(*given)
