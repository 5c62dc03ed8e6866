"""The messages between nodes."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.cluster.bus_messages import (
    Ended,
    Envelope,
    Live,
    Reached,
    ReadTimed,
    State,
    Timed,
    UnknownMessage,
    aged,
    copies,
    decode,
    encode,
    without_texts,
)
from irchat.interfaces.nodes import LiveTimed, TimedCopy

_COPY = TimedCopy("x", (1, 2), 1, "boom", 1, 2, 500, (2,), "n")


class MessageTests(SynchronousTestCase):
    """The messages."""

    def test_round_trip(self) -> None:
        """A message is decoded as it was encoded, with its chat keys."""
        for body in (
            Timed(_COPY),
            State(3, 1, ((1, 2),), (("::1", 1),)),
            Live(LiveTimed((_COPY,), (1, 2), ((1, 0, 0, ()),))),
            ReadTimed((1,), 7, ("x",)),
        ):
            envelope = Envelope("a", 5, 2, 9, 1.5, body)
            self.assertEqual(decode(encode(envelope)), envelope)

    def test_unknown(self) -> None:
        """Another version and damaged data are refused, and the error shows nothing of the content."""
        data = encode(Envelope("a", 5, 2, 9, 1.5, Timed(_COPY)))
        for bad in b"", b"\x01" + data[1:], data[:-1], data[:1] + b"\xc1", data.replace(b"boom", b"\xff\xfe\xff\xfe"):
            error = self.assertRaises(UnknownMessage, decode, bad)
            self.assertEqual((str(error), error.__cause__), ("", None))

    def test_aged(self) -> None:
        """A message that waits loses time, and its text when it has ended."""
        self.assertEqual(aged(Timed(_COPY), 0.4), Timed(TimedCopy("x", (1, 2), 1, "boom", 1, 2, 100, (2,), "n")))
        self.assertEqual(aged(Timed(_COPY), 0.5), Ended((("x", 0),)))
        live = Live(LiveTimed((_COPY, TimedCopy("y", (1, 2), 1, "hey", 1, 2, 900))))
        later = aged(live, 0.5)
        assert isinstance(later, Live)
        self.assertEqual([(copy.text, copy.left_ms) for copy in later.timed.copies], [("", 0), ("hey", 400)])
        self.assertEqual(without_texts(later, {"y"}), aged(later, 0.4))
        self.assertEqual(without_texts(Timed(_COPY), {"x"}), Ended((("x", 0),)))
        self.assertEqual(without_texts(Timed(_COPY), {"y"}), Timed(_COPY))
        self.assertEqual([len(copies(body)) for body in (Timed(_COPY), live, Reached("x", ()))], [1, 2, 0])

    def test_no_text_in_repr(self) -> None:
        """The text of a timed message is in no repr of a message."""
        for body in Timed(_COPY), Live(LiveTimed((_COPY,))):
            self.assertNotIn("boom", repr(Envelope("a", 5, 2, 9, 1.5, body)))
