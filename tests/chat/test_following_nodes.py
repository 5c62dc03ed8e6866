"""Nodes that follow one log: what every session sees, and what is answered from memory."""

import random

import pytest
from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.store import PageQuery
from tests.helpers.nodes_in_memory import Cluster, Listener
from tests.helpers.server import PASSWORD, JSONClient, is_rising, texts
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
        for seed in range(12):
            self.play(seed)

    @pytest.mark.slow
    def test_more(self) -> None:
        """The same, for more seeds."""
        for seed in range(12, 60):
            self.play(seed)

    def play(self, seed: int) -> None:
        """Play a random story, and check what everyone has seen."""
        draw = random.Random(seed)
        cluster = self.cluster(3, seed)
        for name in _NAMES:
            Listener(cluster, cluster.nodes[0], name).client.ask("register", name=name, password=PASSWORD)
            cluster.advance(1)
        listeners: list[Listener] = []
        for number in range(60):
            node = draw.choice(cluster.nodes)
            match draw.randrange(10):
                case 0 | 1:
                    name = draw.choice(_NAMES)
                    listener = Listener(cluster, node, name)
                    listener.client.ask("login", name=name, password=PASSWORD)
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


class MemoryTests(NodesTestCase):
    """Answers from the memory of a node that has not heard yet what another one committed."""

    def setUp(self) -> None:
        """Let alice change things on one node while the other one hears nothing."""
        self.nodes = self.cluster().nodes
        self.alice, self.bob = self.nodes[0].json("alice"), self.nodes[1].json("bob")
        self.log = self.nodes[1].log
        self.hear, self.log.on_news = self.log.on_news, lambda: None

    def heard(self) -> None:
        """Let the other node hear again."""
        self.log.on_news = self.hear
        self.hear()

    def test_answers_wait(self) -> None:
        """Users, members and blocks are listed when everything committed before the request is applied."""
        session = self.nodes[1].json("alice")
        self.nodes[0].json("carol")
        self.alice.ask("create_group", name="team", members=["bob"])
        self.alice.ask("block", name="carol", blocked=True)
        self.alice.got()
        session.got()
        for client, kind, fields in (
            (self.bob, "users", {}),
            (self.bob, "members", {"group": "team"}),
            (session, "blocks", {}),
        ):
            client.ask(kind, ref=kind, **fields)
        self.assertEqual([line for client in (self.bob, session) for line in client.got() if "ref" in line], [])
        self.heard()
        self.nodes[1].turn()
        replies = {line["ref"]: line for client in (self.bob, session) for line in client.got() if "ref" in line}
        self.assertIn("carol", replies["users"]["online"] + replies["users"]["offline"])
        self.assertEqual(replies["members"]["members"], ["alice", "bob"])
        self.assertEqual(replies["blocks"]["names"], ["carol"])

    def test_sign_in_waits(self) -> None:
        """An account of another node can sign in at once, with every change of what it may see."""
        self.nodes[0].json("carol")
        client = JSONClient(self.nodes[1])
        client.ask("login", name="carol", password=PASSWORD)
        self.assertEqual(client.got(), [])
        self.heard()
        self.nodes[1].turn()
        self.assertEqual(client.one("welcome")["name"], "carol")

    def test_ban_during_the_hash(self) -> None:
        """A ban on another node while a password is verified here refuses the sign-in, also one without a token."""
        self.nodes[1].hashing.holds = True
        person = self.nodes[1].text()
        person.type("alice", PASSWORD)
        person.shown()
        self.nodes[0].chat.moderation.ban("alice", None, "", None)
        self.nodes[1].hashing.release()
        self.nodes[1].turn()
        self.assertNotIn(1, self.nodes[1].chat.presence.sessions)
        self.heard()
        self.nodes[1].turn()
        self.assertIn("You are banned", person.shown())

    def test_kick_and_password(self) -> None:
        """A kick, and a new password, end the sessions on all nodes with their reason."""
        self.heard()
        sessions = [self.alice, self.nodes[1].json("alice")]
        self.nodes[1].chat.moderation.kick("alice", None)
        reason = "the administrator ended your sessions"
        self.assertEqual([[line["reason"] for line in session.told("bye")] for session in sessions], [[reason]] * 2)
        session, other = self.nodes[0].json("alice"), self.nodes[1].json("alice")
        session.ask("password", old=PASSWORD, new="another horse")
        self.assertEqual(
            [line["reason"] for line in other.told("bye")], ["your password was changed in another session"]
        )
        self.assertEqual([line["type"] for line in session.got()], ["ok"])

    def test_network_ban(self) -> None:
        """A ban of a network ends its connections on all nodes."""
        self.heard()
        called: list[int] = []
        for number, node in enumerate(self.nodes):
            node.chat.state.on_network_banned = lambda number=number: called.append(number)
        self.nodes[0].chat.moderation.ban("192.0.2.1", None, "", None)
        self.assertEqual(sorted(called), [0, 1])

    def test_load_again(self) -> None:
        """A node that cannot follow ends its sessions, loads everything, and goes on from there."""
        self.alice.ask("create_group", name="team", members=["bob"])
        self.nodes[0].json("carol")
        self.log.on_reset()
        self.assertEqual(
            [line["reason"] for line in self.bob.told("bye")], ["the server loads its data again: reconnect"]
        )
        self.assertEqual(list(self.nodes[1].chat.presence.sessions), [])
        self.heard()
        bob = self.nodes[1].json("bob")
        self.alice.ask("send", chat="*team", text="here")
        self.assertEqual(texts(bob.got()), ["here"])
        bob.ask("members", group="team")
        self.assertEqual(bob.one("group")["members"], ["alice", "bob"])
