"""The messages that this node sends."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.cluster.bus_messages import Again, Beat, Ended, Envelope, Registered, State, Timed
from irchat.cluster.sent_stream import SentStream
from irchat.interfaces.nodes import TimedCopy


class SentStreamTests(SynchronousTestCase):
    """`SentStream`."""

    def setUp(self) -> None:
        """Make a stream whose messages are recorded."""
        self.clock = Clock()
        self.sent: list[Envelope] = []
        self.position = 5
        self.rests = 0
        self.stream = SentStream(
            "a", 7, self.clock.seconds, lambda: self.position, self.sent.append, State, self.note_rest
        )

    def note_rest(self) -> None:
        """Note that what follows a state is sent."""
        self.rests += 1

    def take(self) -> list[tuple[int, int, object]]:
        """Return the number, position and body of what was sent since the last call."""
        sent = [(envelope.n, envelope.position, envelope.body) for envelope in self.sent]
        self.sent.clear()
        return sent

    def test_numbers(self) -> None:
        """Messages are numbered from 1, beats are not, and all carry the position."""
        self.stream.send(Registered("x"))
        self.position = 6
        self.stream.send(Beat(1))
        self.stream.send(Registered("y"))
        self.assertEqual(self.take(), [(1, 5, Registered("x")), (0, 6, Beat(1)), (2, 6, Registered("y"))])

    def test_again(self) -> None:
        """Messages are repeated with their positions, once for several nodes that ask at the same time."""
        for text in "x", "y", "z":
            self.stream.send(Registered(text))
        self.take()
        self.position = 9
        self.stream.answer(Again("a", 7, 2))
        self.stream.answer(Again("a", 7, 2))
        self.assertEqual(self.take(), [(2, 5, Registered("y")), (3, 5, Registered("z"))])
        self.stream.answer(Again("a", 7, 1))
        self.assertEqual([n for n, _, _ in self.take()], [1, 2, 3])
        self.clock.advance(0.3)
        self.stream.answer(Again("a", 7, 3))
        self.assertEqual([n for n, _, _ in self.take()], [3])

    def test_state(self) -> None:
        """The state is sent for what was never kept: another run, the beginning, messages over 10,000 ago."""
        for number in range(10_003):
            self.stream.send(Registered(str(number)))
        self.take()
        for again in Again("a", 6, 10_000), Again("a", 7, 0), Again("a", 7, 3), Again("a", 7, 10_004):
            self.stream.answer(again)
            self.stream.answer(again)
            self.assertEqual(self.take(), [(0, 5, State(10_003, 4))])
            self.clock.advance(0.3)
        self.assertEqual(self.rests, 4)
        self.stream.answer(Again("a", 7, 4))
        self.assertEqual([n for n, _, _ in self.take()], list(range(4, 1_004)))

    def test_texts(self) -> None:
        """A repeated timed message has less time left. After its end, or its early end, its text is not kept."""
        for name in "x", "y":
            self.stream.send(Timed(TimedCopy(name, 1, 1, "boom", 1, 2, 1_000)))
        self.stream.drop_texts(["y"])
        self.take()
        self.clock.advance(0.5)
        self.stream.answer(Again("a", 7, 1))
        (_, _, first), (_, _, second) = self.take()
        assert isinstance(first, Timed)
        self.assertEqual((first.copy.left_ms, first.copy.text), (500, "boom"))
        self.assertIsInstance(second, Ended)
        self.clock.advance(0.5)
        self.stream.drop_ended()
        self.assertNotIn("boom", "".join(str(getattr(kept.body, "copy", "")) for kept in self.stream._kept))
        self.stream.answer(Again("a", 7, 1))
        self.assertEqual([type(body) for _, _, body in self.take()], [Ended, Ended])
