"""Several servers in one process as nodes of one chat, over a shared log, under one clock."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock

from irchat.interfaces.stored import ChatKey
from irchat.store.sqlite.engine import SQLiteStore
from irchat.store.threads import NoThreads
from tests.helpers.chat import World
from tests.helpers.server import WALL_MS, FakeReactor, JSONClient, Server
from tests.helpers.shared_log import NodeStore, SharedDatabase


class Node(Server):
    """One server."""

    def __init__(self, database: SharedDatabase, clock: FakeReactor) -> None:
        super().__init__(clock=clock, store=NodeStore(database))
        self.log = self.store.log


class Cluster:
    """Nodes that share a log. ``delay``: see `SharedDatabase`."""

    def __init__(self, count: int, delay: Callable[[], float] = lambda: 0.0) -> None:
        self.clock = FakeReactor()
        self._folder = tempfile.TemporaryDirectory()
        path = Path(self._folder.name) / "irchat.sqlite"
        self.store = SQLiteStore(path, NoThreads(), self.wall_ms)
        self.store._connection.execute("PRAGMA synchronous = OFF")
        self.database = SharedDatabase(self.store, self.clock)
        self.nodes = [Node(self.database, self.clock) for _ in range(count)]
        self.database.delay = delay

    def close(self) -> None:
        """Close the database and delete it."""
        for node in self.nodes:
            node.close()
        self.store.close()
        self._folder.cleanup()

    def wall_ms(self) -> int:
        """Return the wall clock time."""
        return WALL_MS + int(self.clock.seconds() * 1000)

    def advance(self, seconds: float, step: float = 0.01) -> None:
        """Advance time in small steps."""
        for _ in range(round(seconds / step)):
            self.clock.advance(step)
            for node in self.nodes:
                for client in node.clients:
                    client.socket.turn()
        self.clock.advance(0)

    def settle(self) -> None:
        """Let every node see the end of the log, even if a notification was lost."""
        for _ in range(3):
            for node in self.nodes:
                node.log.on_news()
            self.advance(0.5)


class Listener:
    """A session, with the seqs that it has received in each chat, and its place when it signed in."""

    def __init__(self, cluster: Cluster, node: Node, name: str) -> None:
        self.name = name
        self.node = node
        self.client = JSONClient(node)
        self.begins: dict[ChatKey, int] | None = None
        self.lines: list[dict[str, Any]] = []
        session = self.client.connection.session
        saw = session.saw

        def note(ends: dict[ChatKey, int]) -> None:
            self.begins = dict(ends)
            saw(ends)

        session.saw = note
        self.cluster = cluster

    def hear(self) -> list[dict[str, Any]]:
        """Return all lines so far."""
        self.lines += self.client.got()
        return self.lines

    def seqs(self, chat: str) -> list[int]:
        """Return the seqs of the messages of a chat that it received, in order."""
        return [line["seq"] for line in self.hear() if line["type"] == "message" and line["chat"] == chat]

    def sent(self, chat: str) -> list[int]:
        """Return the seqs of the messages of a chat that it sent."""
        return [line["seq"] for line in self.hear() if line["type"] == "sent" and line["chat"] == chat]


class NodeWorld(World):
    """The core of one node of a shared database, for tests without sessions."""

    def __init__(self, database: SharedDatabase, clock: Clock) -> None:
        self.database = database
        self.clock = clock
        self.published = []
        self.asides = []
        self.presence = []
        self._open()

    def _new_store(self) -> NodeStore:
        return NodeStore(self.database)

    def wall_ms(self) -> int:
        """Return the wall clock time, which advances with the clock."""
        return WALL_MS + int(self.clock.seconds() * 1000)
