"""Asides between nodes: the messages, and what the users on each node see of them."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from irchat.chat.state.personas import Personas
from irchat.cluster.aside_relay import AsideRelay
from irchat.cluster.bus_messages import Envelope, Posed, Reasoned, Signaled, State, decode, encode
from irchat.interfaces.asides import Persona
from irchat.interfaces.stored import GLOBAL
from irchat.protocol import events
from tests.helpers.simulated_bus import advance
from tests.helpers.timed_nodes import TimedCluster, TimedNode

_AWAY = Persona("lunch", "Alice", "al", True, 5, 6)
_TYPING = {"+typing": "active"}


class AsideRelayTests(SynchronousTestCase):
    """A relay between recorded parts and a recorded bus."""

    def test_both_ways(self) -> None:
        """Asides of the core are published, and those of other nodes reach the core."""
        said: list[Any] = []
        handlers: dict[type, Callable[[str, Any], None]] = {}
        calls: list[Any] = []
        bus: Any = SimpleNamespace(publish=said.append, handle=handlers.__setitem__)
        relay = AsideRelay(bus)
        part: Any = SimpleNamespace(
            receive=lambda *about: calls.append(about),
            note=lambda *about: calls.append(about),
            note_all=lambda *about: calls.append(about),
            here=lambda: {1: _AWAY},
        )
        relay.connect(part, part, part)
        relay.signal(1, GLOBAL, _TYPING)
        relay.give_reason(5, 2, 1, "spam")
        relay.pose(1, _AWAY)
        bodies = [Signaled(1, GLOBAL, _TYPING), Reasoned(5, 2, 1, "spam"), Posed(1, _AWAY)]
        self.assertEqual(said, bodies)
        for body in [*bodies, State(4, 1, personas=((2, _AWAY),))]:
            self.assertEqual(decode(encode(Envelope("a", 1, 1, 1, 0.0, body))).body, body)
            handlers[type(body)]("b", body)
        self.assertEqual(calls, [(1, GLOBAL, _TYPING), (5, 2, 1, "spam"), ("b", 1, _AWAY), ("b", {2: _AWAY})])
        bus.on_gone("b")
        self.assertEqual((calls[-1], bus.personas()), (("b", {}), {1: _AWAY}))


class NodesTests(SynchronousTestCase):
    """Asides on three nodes. Alice has a session on the first, bob on the second, carol on the third."""

    def setUp(self) -> None:
        """Start them."""
        self.cluster = TimedCluster(1)
        self.addCleanup(self.cluster.close)
        self.nodes = self.cluster.nodes
        self.cluster.database.delay = lambda: 0.2
        self.sessions = [
            self.cluster.enter(node, name) for node, name in zip(self.nodes, ("alice", "bob", "carol"), strict=True)
        ]
        self.pass_time()

    def pass_time(self, seconds: float = 4.0) -> None:
        """Let messages and commits arrive."""
        advance(self.cluster.clock, seconds)

    def signals(self, node: TimedNode, name: str) -> list[str]:
        """Return the chats of the signals that reach a user on a node."""
        user = node[name].id
        return [
            aside.event.chat
            for aside in node.asides
            if aside.audience is None or user in aside.audience
            if user not in aside.hidden and isinstance(aside.event, events.Signal)
        ]

    def removed(self, node: TimedNode) -> list[str | None]:
        """Return the reasons of the removals published on a node."""
        return [one.event.reason for one in node.published if isinstance(one.event, events.Removed)]

    def test_signals(self) -> None:
        """A signal reaches those online in its chat on all nodes, blocks hold, and nothing is kept to be repeated."""
        first, second, third = self.nodes
        second.chat.blocks.block(second["carol"], "alice", True, None)
        self.pass_time()
        kept = len(first.bus._sent._kept)
        for chat in "GLOBAL", "*team", "@bob":
            first.chat.signals.send(first["alice"], chat, _TYPING, self.sessions[0].number)
        self.pass_time()
        self.assertEqual(self.signals(second, "bob"), ["GLOBAL", "*team", "@alice"])
        self.assertEqual(self.signals(third, "carol"), [])
        self.assertEqual(len(first.bus._sent._kept), kept)

    def test_notices(self) -> None:
        """A notice is stored, and is one on all nodes."""
        sending = self.nodes[0].send("alice", "GLOBAL", "beep", is_notice=True)
        self.pass_time()
        self.successResultOf(sending)
        for node in self.nodes:
            said = [type(one.event) for one in node.published if isinstance(one.event, events.Message)]
            self.assertEqual(said, [events.Notice])

    def test_reasons(self) -> None:
        """The reason of a removal is in the event on all nodes, and in no entry of the log."""
        first = self.nodes[0]
        removing = first.chat.groups.remove(first["alice"], "team", "bob", None, "spam")
        self.pass_time()
        self.successResultOf(removing)
        self.assertEqual([self.removed(node) for node in self.nodes], [["spam"]] * 3)
        self.assertNotIn("spam", repr(self.cluster.database.__dict__))
        self.assertEqual([node.chat.reasons._given for node in self.nodes], [{}] * 3)
        leaving = self.nodes[2].chat.groups.remove(self.nodes[2]["carol"], "team", "carol", None, "bye")
        self.pass_time()
        self.successResultOf(leaving)
        self.assertEqual([self.removed(node) for node in self.nodes], [["spam", "bye"]] * 3)

    def test_refused_removal(self) -> None:
        """The reason of a removal that is refused reaches no node."""
        second = self.nodes[1]
        removing = second.chat.groups.remove(second["bob"], "team", "alice", None, "spam")
        self.pass_time()
        self.failureResultOf(removing)
        self.assertEqual([node.chat.reasons._given for node in self.nodes], [{}] * 3)

    def test_personas(self) -> None:
        """All nodes agree on who is away, also a node that starts later, and after a node is gone."""
        first, second, third = self.nodes
        alice = first["alice"].id

        def away() -> list[str | None]:
            self.pass_time()
            return [node.chat.personas.of(alice).away for node in self.cluster.nodes]

        first.chat.personas.set(alice, self.sessions[0].number, away="lunch", realname="Alice")
        self.assertEqual(away(), ["lunch"] * 3)
        other = self.cluster.enter(second, "alice")
        self.assertEqual(away(), [None] * 3)
        second.chat.personas.set(alice, other.number, away="shop")
        self.assertEqual(away(), ["shop"] * 3)
        self.cluster.start("n9")
        self.pass_time(3)
        self.assertEqual(away(), ["shop"] * 4)
        self.assertEqual({node.chat.personas.of(alice).realname for node in self.cluster.nodes}, {"Alice"})
        self.cluster.kill(second)
        self.pass_time(7)
        self.assertEqual(away(), ["lunch"] * 3)
        third.transport.set_up(False)
        first.chat.personas.set(alice, self.sessions[0].number, away=None)
        self.pass_time(9)
        third.transport.set_up(True)
        self.pass_time(2)
        self.assertEqual(away(), [None] * 3)

    def test_messages_lost(self) -> None:
        """With a bus that loses, repeats and delays, the nodes still agree in the end."""
        network = self.cluster.network
        network.loss, network.doubles, network.delay = 0.3, 0.2, 0.3
        users: dict[int, Personas] = {}
        for number in range(40):
            session = self.sessions[number % 3]
            user = session.node[session.name].id
            users[user] = session.node.chat.personas
            users[user].set(user, session.number, away=None if number % 5 == 4 else f"text {number}")
            self.pass_time(0.1)
        network.loss = network.doubles = 0.0
        self.pass_time(8)
        for user, own in users.items():
            self.assertEqual({node.chat.personas.of(user) for node in self.nodes}, {own.of(user)})
