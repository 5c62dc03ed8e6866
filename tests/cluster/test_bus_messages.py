"""The messages between nodes."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.cluster.bus_messages import (
    Ended,
    Envelope,
    ReadTimed,
    State,
    Timed,
    UnknownMessage,
    aged,
    decode,
    encode,
)
from irchat.interfaces.nodes import TimedCopy

_COPY = TimedCopy("x", (1, 2), 1, "boom", 1, 2, 500, (2,), "n")


class MessageTests(SynchronousTestCase):
    """The messages."""

    def test_round_trip(self) -> None:
        """A message is decoded as it was encoded, with its chat keys."""
        for body in Timed(_COPY), State(3, 1, ((1, 2),), (("::1", 1),), ((_COPY, (2,)),)), ReadTimed(1, 7, ("x",)):
            envelope = Envelope("a", 5, 2, 9, body)
            self.assertEqual(decode(encode(envelope)), envelope)

    def test_unknown(self) -> None:
        """Another version and damaged data are refused, and the error shows nothing of the content."""
        data = encode(Envelope("a", 5, 2, 9, Timed(_COPY)))
        for bad in b"", b"\x02" + data[1:], data[:-1], data[:1] + b"\xc1", data.replace(b"boom", b"\xff\xfe\xff\xfe"):
            error = self.assertRaises(UnknownMessage, decode, bad)
            self.assertEqual((str(error), error.__cause__), ("", None))

    def test_aged(self) -> None:
        """A message that waits loses time, and its text when it has ended."""
        self.assertEqual(aged(Timed(_COPY), 0.4), Timed(TimedCopy("x", (1, 2), 1, "boom", 1, 2, 100, (2,), "n")))
        self.assertEqual(aged(Timed(_COPY), 0.5), Ended((1, 2), ("x",)))
        state = State(3, 1, ((1, 2),), (), ((_COPY, (2,)), (TimedCopy("y", 1, 1, "hey", 1, 2, 900), ())))
        later = aged(state, 0.5)
        assert isinstance(later, State)
        self.assertEqual([(copy.id, copy.left_ms) for copy, _ in later.timed], [("y", 400)])
