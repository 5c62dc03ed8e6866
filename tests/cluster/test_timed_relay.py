"""The messages about timed messages."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.cluster.bus_messages import Answered, Ended, Live, Reached, ReadTimed, Timed
from irchat.cluster.timed_relay import TimedRelay
from irchat.interfaces.nodes import LiveTimed, TimedCopy

_COPY = TimedCopy("x", 1, 1, "psst", 1_000, 9_000, 8_000)


class RelayTests(SynchronousTestCase):
    """A relay whose bus records what is published, and hears the nodes a and b."""

    def setUp(self) -> None:
        """Connect it."""
        self.clock = Clock()
        self.said: list[Any] = []
        self.handlers: dict[type, Callable[[str, Any], None]] = {}
        self.dropped: list[str] = []
        self.bus: Any = SimpleNamespace(
            publish=self.said.append,
            heard=lambda: ["a", "b"],
            is_connected=True,
            drop_texts=self.dropped.extend,
            handle=self.handlers.__setitem__,
            after_state=None,
        )
        self.calls: list[Any] = []
        self.this: Any = SimpleNamespace(
            receive=lambda copy: frozenset((2,)),
            note_answered=lambda *about: self.calls.append(about),
            note_read=lambda *about: self.calls.append(about),
            forget=self.calls.append,
            learn=self.calls.append,
            ended=lambda: [("y", 5)],
            live=lambda: iter([LiveTimed((_COPY,)), LiveTimed(())]),
        )
        self.relay = TimedRelay(self.bus, self.clock)
        self.relay.connect(self.this)

    def hear(self, node: str, body: Any) -> None:
        """Receive a message."""
        self.handlers[type(body)](node, body)

    def test_send(self) -> None:
        """The result is complete when all nodes have answered, each once."""
        sending = self.relay.send(_COPY)
        self.assertEqual(self.said, [Timed(_COPY)])
        for node, users in (("a", (1, 2)), ("c", (9,)), ("a", (3,))):
            self.hear(node, Reached("x", users))
        self.hear("b", Reached("other", (7,)))
        self.assertNoResult(sending)
        self.hear("b", Reached("x", (2, 4)))
        self.assertEqual((self.successResultOf(sending), self.clock.getDelayedCalls()), ({1, 2, 3, 4, 9}, []))
        self.hear("b", Reached("x", (5,)))

    def test_send_late(self) -> None:
        """After half a second the result is what is known, and without other nodes it comes at once."""
        sending = self.relay.send(_COPY)
        self.hear("a", Reached("x", (1,)))
        self.clock.advance(0.5)
        self.assertEqual(self.successResultOf(sending), {1})
        self.bus.heard = list
        self.assertEqual(self.successResultOf(self.relay.send(_COPY)), frozenset())

    def test_reads_together(self) -> None:
        """Users that read the same in a moment share a message; many ids are split, the marker goes with the last."""
        for user in 1, 2:
            self.relay.read(user, 1, ["x"])
        self.relay.read(3, 1, [str(number) for number in range(1_500)], 7)
        self.assertEqual(self.said, [])
        self.clock.advance(0.05)
        both, first, last = self.said
        self.assertEqual(both, ReadTimed((1, 2), 1, ("x",)))
        self.assertEqual([(len(part.ids), part.seq) for part in (first, last)], [(1_000, None), (500, 7)])

    def test_told(self) -> None:
        """Ends and answers are published; texts that ended are dropped."""
        self.relay.took_back([(str(number), 5) for number in range(1_001)])
        self.relay.answered("x", 3)
        self.relay.ended(["z"])
        self.assertEqual([len(body.timed) for body in self.said[:2]], [1_000, 1])
        self.assertEqual((self.said[2], self.dropped, self.relay.is_connected), (Answered("x", 3), ["z"], True))

    def test_heard(self) -> None:
        """Messages of other nodes reach this node, and a new one is answered."""
        self.hear("a", Timed(_COPY))
        self.assertEqual(self.said, [Reached("x", (2,))])
        live = LiveTimed((_COPY,))
        for body in Answered("x", 3), ReadTimed((1,), 1, ("x",)), Ended((("x", 5),)), Live(live):
            self.hear("a", body)
        self.assertEqual(self.calls, [("x", 3), ((1,), 1, ("x",), None), (("x", 5),), live])

    def test_state(self) -> None:
        """After a state come the ends, then the live messages, a part in a turn. A second one begins again."""
        self.bus.after_state()
        self.assertEqual(self.said, [Ended((("y", 5),)), Live(LiveTimed((_COPY,)))])
        self.bus.after_state()
        self.clock.pump([0] * 5)
        self.assertEqual([type(body).__name__ for body in self.said], ["Ended", "Live", "Ended", "Live", "Live"])
        self.assertEqual(self.clock.getDelayedCalls(), [])
