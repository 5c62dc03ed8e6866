"""The messages of another node."""

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.cluster.bus_messages import Body, Envelope, Registered, State, Timed
from irchat.cluster.heard_stream import HeardStream
from irchat.interfaces.nodes import TimedCopy


class HeardStreamTests(SynchronousTestCase):
    """`HeardStream`."""

    def setUp(self) -> None:
        """Make a stream, and note what it hands on and asks."""
        self.clock = Clock()
        self.waiting: list[tuple[int, Deferred[object]]] = []
        self.found: list[Body] = []
        self.asked: list[int] = []
        self.stream = HeardStream(7, self.clock.seconds, self.reached, self.found.append, self.asked.append)

    def reached(self, position: int) -> Deferred[object]:
        """Return a Deferred that the test fires."""
        self.waiting.append((position, Deferred()))
        return self.waiting[-1][1]

    def hear(self, n: int, position: int = 0, body: Body | None = None) -> None:
        """Receive a message."""
        self.stream.receive(Envelope("a", 7, n, position, 0.0, body or Registered(str(n))))

    def begin(self, n: int = 0) -> None:
        """Receive the first state."""
        self.hear(0, 0, State(n, 1))
        self.found.clear()
        self.asked.clear()

    def texts(self) -> str:
        """Return the messages that were handed on since the last call, in short."""
        found = " ".join(body.address if isinstance(body, Registered) else type(body).__name__ for body in self.found)
        self.found.clear()
        return found

    def test_begin(self) -> None:
        """The first thing handed on is the state. Messages that it includes are dropped."""
        self.hear(4)
        self.hear(5)
        self.assertEqual((self.asked, self.found), ([0], []))
        self.hear(0, 0, State(4, 1))
        self.assertEqual(self.texts(), "State 5")

    def test_order(self) -> None:
        """After a gap, messages wait until it is filled. None is handed on twice."""
        self.begin()
        for n in 1, 2, 2, 1, 5, 4:
            self.hear(n)
        self.assertEqual((self.texts(), self.asked), ("1 2", [3]))
        for n in 3, 4, 5, 6:
            self.hear(n)
        self.assertEqual(self.texts(), "3 4 5 6")

    def test_ask(self) -> None:
        """A beat with a higher number shows a loss at the end. The request is repeated, but not at once."""
        self.begin()
        self.stream.note_last(0)
        self.clock.advance(1)
        self.stream.note_last(2)
        self.stream.note_last(2)
        self.clock.advance(0.5)
        self.stream.note_last(2)
        self.assertEqual(self.asked, [1, 1])

    def test_state(self) -> None:
        """A state for another node changes nothing while the node can repeat what is missing here."""
        self.begin()
        self.hear(3)
        self.hear(0, 0, State(3, 1))
        self.assertEqual(self.texts(), "")
        self.hear(0, 0, State(3, 2))
        self.hear(4)
        self.assertEqual(self.texts(), "State 4")

    def test_position(self) -> None:
        """Messages wait in order until this node has applied their positions."""
        self.begin()
        self.hear(1, 8)
        self.hear(2, 3)
        self.hear(3, 9)
        self.assertEqual((self.texts(), [position for position, _ in self.waiting]), ("", [8]))
        self.waiting[0][1].callback(None)
        self.assertEqual((self.texts(), [position for position, _ in self.waiting]), ("1 2", [8, 9]))

    def test_cannot_reach(self) -> None:
        """If the log is away, the position is tried again when the node is heard."""
        self.begin()
        self.hear(1, 8)
        self.waiting[0][1].errback(RuntimeError())
        self.hear(2, 8)
        self.assertEqual((self.texts(), len(self.waiting)), ("", 1))
        self.stream.note_last(2)
        self.waiting[1][1].callback(None)
        self.assertEqual(self.texts(), "1 2")

    def test_bounds(self) -> None:
        """The number of held messages is bounded. Others are requested again."""
        self.begin()
        for n in range(2, 3_000):
            self.hear(n)
        self.assertEqual(len(self.stream._held), 1_000)
        self.asked.clear()
        self.clock.advance(1)
        self.hear(1)
        self.assertEqual((len(self.found), self.asked), (1_001, [1_002]))

    def test_waiting_bounds(self) -> None:
        """The messages that wait for the log are bounded too."""
        self.begin()
        for n in range(1, 12_000):
            self.hear(n, 5)
        self.assertLessEqual(len(self.stream._waiting) + len(self.stream._held), 11_000)
        self.waiting[0][1].callback(None)
        self.assertEqual(len(self.found), 11_000)

    def test_error(self) -> None:
        """A message that cannot be applied does not stop those after it."""
        found: list[Body] = []

        def hand_on(body: Body) -> None:
            found.append(body)
            raise RuntimeError

        stream = HeardStream(7, self.clock.seconds, self.reached, hand_on, self.asked.append)
        stream.receive(Envelope("a", 7, 0, 0, 0.0, State(0, 1)))
        stream.receive(Envelope("a", 7, 1, 0, 0.0, Registered("x")))
        self.assertEqual((len(found), len(self.flushLoggedErrors(RuntimeError))), (2, 2))

    def test_text(self) -> None:
        """A timed message that waits loses time, and its text at its end."""
        self.begin()
        self.hear(1, 8, Timed(TimedCopy("x", 1, 1, "boom", 1, 2, 1_000)))
        self.hear(3, 8, Timed(TimedCopy("y", 1, 1, "boom", 1, 2, 1_000)))
        self.clock.advance(1)
        self.stream.age()
        kept = [*self.stream._waiting, *self.stream._held.values()]
        self.assertEqual([type(arrived.body).__name__ for arrived in kept], ["Ended", "Ended"])

    def test_closed(self) -> None:
        """A closed stream hands on nothing more, also when the log catches up."""
        self.begin()
        self.hear(1, 8)
        self.stream.close()
        self.waiting[0][1].callback(None)
        self.assertEqual((self.found, self.asked), ([], []))
