"""The messages between nodes."""

from functools import reduce
from operator import or_
from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from irchat.cluster.bus_messages import BusMessage, Envelope, ReadTimed, State, Timed
from irchat.interfaces.nodes import TimedCopy

_COPY = TimedCopy("x", (1, 2), 1, "boom", 1, 2, 500, (2,), "n")


class MessageTests(SynchronousTestCase):
    """The messages."""

    def test_round_trip(self) -> None:
        """A message is decoded as it was encoded, with its chat keys."""
        bodies: Any = reduce(or_, BusMessage.__subclasses__())
        for body in Timed(_COPY), State(3, (1,), ((_COPY, (2,)),)), ReadTimed(1, 7, ("x",)):
            data = msgspec.msgpack.encode(Envelope(1, "a", 5, 2, 9, body))
            *head, found = msgspec.msgpack.decode(data, type=tuple[int, str, int, int, int, bodies])
            self.assertEqual((head, found), ([1, "a", 5, 2, 9], body))
