"""The bus of a node."""

from typing import Any

from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from irchat.cluster.bus_messages import Beat, Envelope, encode
from irchat.cluster.sealing import Seal
from irchat.interfaces.bus import sign_in_id
from irchat.protocol.errors import Refusal
from tests.helpers.simulated_bus import SimulatedCluster, advance

_SEAL = Seal(bytes(32), b"test")


class NodeBusTests(SynchronousTestCase):
    """`NodeBus`, between two nodes over a simulated network."""

    def setUp(self) -> None:
        """Start two nodes."""
        self.cluster = SimulatedCluster(1, 2)
        self.clock = self.cluster.clock
        self.first, self.second = self.cluster.nodes
        advance(self.clock, 1.5)
        self.logged: list[Any] = []
        globalLogPublisher.addObserver(self.logged.append)
        self.addCleanup(globalLogPublisher.removeObserver, self.logged.append)

    def texts(self) -> list[str]:
        """Return what was logged."""
        return [str(formatEvent(event)) for event in self.logged]

    def deliver(self, data: bytes) -> None:
        """Let the first node receive something three times."""
        for _ in range(3):
            self.first.transport.received(data)

    def test_presence(self) -> None:
        """A user is online everywhere from the first session to the last, wherever they are."""
        self.cluster.enter(self.first, 1)
        self.cluster.enter(self.second, 1)
        self.cluster.enter(self.second, 1)
        advance(self.clock, 0.2)
        self.assertEqual((self.first.presence.count(1), self.second.presence.count(1)), (3, 3))
        self.cluster.leave(self.first, 1)
        advance(self.clock, 0.2)
        self.assertEqual((self.first.changes, self.first.presence.count(1)), ([(1, True)], 2))
        self.cluster.leave(self.second, 1)
        self.cluster.leave(self.second, 1)
        advance(self.clock, 0.2)
        self.assertEqual(self.first.changes, [(1, True), (1, False)])
        self.assertEqual(self.second.changes, [(1, True), (1, False)])

    def test_sign_ins(self) -> None:
        """A node knows the sign-ins that are online on another, from the state and from each change."""
        self.second.presence.enter(1, 7, b"one")
        advance(self.clock, 0.2)
        self.assertEqual(self.first.presence.sign_ins(1), (sign_in_id(b"one"),))
        self.first.bus.start_again()
        self.assertEqual(self.first.presence.sign_ins(1), ())
        advance(self.clock, 2.0)
        self.assertEqual(self.first.presence.sign_ins(1), (sign_in_id(b"one"),))
        self.second.presence.leave(1, 7)
        advance(self.clock, 0.2)
        self.assertEqual(self.first.presence.sign_ins(1), ())

    def test_death(self) -> None:
        """The users of a dead node go five seconds after its last beat. It is not waited for from then on."""
        self.cluster.enter(self.second, 1)
        advance(self.clock, 0.5)
        self.second.end()
        advance(self.clock, 2.0)
        self.assertEqual((self.first.bus.heard(), list(self.first.presence.online)), ([], [1]))
        advance(self.clock, 2.4)
        self.assertEqual(list(self.first.presence.online), [1])
        advance(self.clock, 1.6)
        self.assertEqual(list(self.first.presence.online), [])
        self.assertEqual(self.first.bus.sessions_of("10.0.0.1"), 0)

    def test_away(self) -> None:
        """While the bus is away, presence stays as it was, and nothing is heard. Afterwards it is right again."""
        self.cluster.enter(self.second, 1)
        self.cluster.enter(self.second, 3)
        advance(self.clock, 0.5)
        for node in self.first, self.second:
            node.transport.set_up(False)
        self.cluster.leave(self.second, 1)
        self.cluster.enter(self.second, 2)
        advance(self.clock, 30.0)
        self.assertEqual((self.first.bus.is_connected, list(self.first.presence.online)), (False, [1, 3]))
        for node in self.first, self.second:
            node.transport.set_up(True)
        advance(self.clock, 1.5)
        self.assertEqual((self.first.bus.is_connected, list(self.first.presence.online)), (True, [3, 2]))
        self.assertNotIn((3, False), self.first.changes)

    def test_back_before_the_others(self) -> None:
        """After an outage, the bus does not work for a node until the others are back, or were silent for long."""
        for is_back in True, False:
            for node in self.first, self.second:
                node.transport.set_up(False)
            advance(self.clock, 10.0)
            self.first.transport.set_up(True)
            advance(self.clock, 4.5)
            self.assertFalse(self.first.bus.is_connected)
            if is_back:
                self.second.transport.set_up(True)
            advance(self.clock, 1.0)
            self.assertTrue(self.first.bus.is_connected)

    def test_hang(self) -> None:
        """A connection that carries nothing counts as away after two seconds, and is given up after four."""
        self.cluster.enter(self.second, 1)
        advance(self.clock, 0.5)
        self.first.transport.is_hung = True
        advance(self.clock, 2.5)
        self.assertEqual((self.first.bus.is_connected, self.first.transport.resets), (False, 0))
        advance(self.clock, 2.5)
        self.assertEqual((self.first.transport.resets, list(self.first.presence.online)), (1, [1]))
        advance(self.clock, 1.0)
        self.assertTrue(self.first.bus.is_connected)

    def test_stopped(self) -> None:
        """A process that was stopped for a long time does not take the others for dead."""
        self.cluster.enter(self.second, 1)
        advance(self.clock, 0.5)
        self.first.bus._beats.stop()
        self.first.transport.is_hung = True
        advance(self.clock, 10.0)
        self.first.transport.is_hung = False
        self.first.bus._beats.start(0.5)
        advance(self.clock, 1.0)
        self.assertEqual(self.first.changes, [(1, True)])

    def test_restart(self) -> None:
        """A new run of a node ends what its last one said, at once, and starts with its state."""
        self.cluster.enter(self.second, 1)
        advance(self.clock, 0.5)
        self.cluster.restart(self.second)
        advance(self.clock, 0.1)
        self.assertEqual(list(self.first.presence.online), [])
        self.cluster.enter(self.cluster.nodes[-1], 2)
        advance(self.clock, 1.0)
        self.assertEqual(list(self.first.presence.online), [2])

    def test_old_run(self) -> None:
        """Messages of an earlier run are ignored."""
        self.cluster.enter(self.second, 1)
        advance(self.clock, 0.5)
        self.deliver(_SEAL.seal(encode(Envelope("n1", self.second.run - 1, 0, 0, 0.0, Beat(9)))))
        self.assertEqual((self.first.bus.gaps, list(self.first.presence.online)), (0, [1]))

    def test_start_again(self) -> None:
        """A node whose memory is loaded again asks the others for their state."""
        self.cluster.enter(self.second, 1)
        advance(self.clock, 0.5)
        self.first.bus.start_again()
        self.assertEqual(list(self.first.presence.online), [])
        advance(self.clock, 1.0)
        self.assertEqual(list(self.first.presence.online), [1])

    def test_limits(self) -> None:
        """Sessions, failed sign-ins and registrations count on all nodes."""
        self.cluster.enter(self.second, 1)
        advance(self.clock, 1.0)
        self.assertEqual(self.first.bus.sessions_of("10.0.0.1"), 1)
        for _ in range(10):
            with self.assertRaises(Refusal), self.second.admission.trying("10.0.0.9", "bob"):
                raise Refusal("bad-credentials", "no")  # type: ignore[arg-type]
        advance(self.clock, 0.2)
        with self.assertRaises(Refusal), self.first.admission.trying("10.0.0.8", "bob"):
            self.fail("it is paused")
        self.cluster.leave(self.second, 1)
        advance(self.clock, 1.0)
        self.assertEqual(self.first.bus.sessions_of("10.0.0.1"), 0)
        self.assertEqual(self.first.bus._addresses, {"n1": {}})
        sent = self.second.bus._sent.last
        advance(self.clock, 2.0)
        self.assertEqual(self.second.bus._sent.last, sent)

    def test_news(self) -> None:
        """News wake the other node, not the one that says them."""
        self.first.bus.say_news()
        advance(self.clock, 0.1)
        self.assertEqual((self.first.news, self.second.news), (0, 1))

    def test_wrong_key(self) -> None:
        """Messages that were sealed with another key are ignored, and logged once."""
        self.deliver(Seal(bytes(31) + b"1", b"test").seal(b"x"))
        self.assertEqual([text for text in self.texts() if "another key" in text], self.texts())
        self.assertEqual(len(self.logged), 1)

    def test_other_version(self) -> None:
        """Messages of another version are ignored, and logged once."""
        self.deliver(_SEAL.seal(b"\x07"))
        self.assertEqual(len([text for text in self.texts() if "another version" in text]), 1)

    def test_same_name(self) -> None:
        """Another process of the same name is logged once."""
        self.deliver(_SEAL.seal(encode(Envelope("n0", 99, 0, 0, 0.0, Beat(9)))))
        self.assertEqual(len([text for text in self.texts() if "called n0, too" in text]), 1)
