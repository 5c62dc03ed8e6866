"""Nodes that follow one log: the order of turns, faults at each step, and what every session and every memory sees."""

import random

from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.store import PageQuery
from tests.helpers.nodes_in_memory import Cluster, Listener
from tests.helpers.server import is_rising
from tests.helpers.shared_log import random_delay

_NAMES = ("alice", "bob", "carol")


class NodesTestCase(SynchronousTestCase):
    """A test of some nodes."""

    def cluster(self, count: int = 2, seed: int | None = None) -> Cluster:
        """Create nodes."""
        cluster = Cluster(count, *([] if seed is None else [random_delay(seed)]))
        self.addCleanup(cluster.close)
        return cluster


class SessionsTests(NodesTestCase):
    """Random messages, sign-ins and faults on three nodes: what the sessions receive."""

    def test_each_message_once(self) -> None:
        """Every session gets every message after its welcome once, in order. Each acknowledged one is stored once."""
        for seed in range(40):
            self.play(seed)

    def play(self, seed: int) -> None:
        """Play a random story, and check what everyone has seen."""
        draw = random.Random(seed)
        cluster = self.cluster(3, seed)
        for name in _NAMES:
            Listener(cluster, cluster.nodes[0], name).client.ask("register", name=name, password="correct horse")
            cluster.advance(1)
        listeners: list[Listener] = []
        for number in range(60):
            node = draw.choice(cluster.nodes)
            match draw.randrange(10):
                case 0 | 1:
                    name = draw.choice(_NAMES)
                    listener = Listener(cluster, node, name)
                    listener.client.ask("login", name=name, password="correct horse")
                    listeners.append(listener)
                case 2:
                    node.log.refusing.append(draw.choice(["begin", "commit", "read"]))
                case 3:
                    cluster.database.end_turn()
                case 4:
                    cluster.advance(draw.uniform(0, 0.2))
                case _ if listeners:
                    listener = draw.choice(listeners)
                    chat = draw.choice(["GLOBAL", "@alice", "@bob", "@carol"])
                    listener.client.ask("send", chat=chat, text=f"word {number}")
        cluster.settle()
        for listener in listeners:
            self.check(cluster, listener, seed)

    def check(self, cluster: Cluster, listener: Listener, seed: int) -> None:
        """Check that a session has all messages since its welcome."""
        if listener.begins is None:  # its sign-in was refused
            return
        node = listener.node
        user = node.chat.directory.user(listener.name)
        for chat in ("GLOBAL", *(f"@{name}" for name in _NAMES if name != listener.name)):
            key = node.chat.directory.chat(user, chat).key
            stored = self.successResultOf(cluster.store.page(PageQuery(user.id, key, 500)))
            heard, sent = listener.seqs(chat), listener.sent(chat)
            self.assertTrue(is_rising(heard), (seed, heard))
            since = listener.begins.get(key, 0)
            self.assertEqual(sorted(heard + sent), list(range(since + 1, stored.last_seq + 1)), (seed, chat))
