"""Delivery of asides: to the sessions that want them, as long as they keep up."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.bus import MemberIds, Publication
from irchat.protocol import wire
from irchat.protocol.events import Event
from irchat.protocol.rules import WAITING_BYTES
from irchat.server.delivery.delivery import Delivery
from tests.helpers.deliveries import FakeSession, message
from tests.helpers.outboxes import OutboxTestCase, stored


class AsidesTests(SynchronousTestCase):
    """Publications for the sessions that want asides."""

    def setUp(self) -> None:
        """Create two sessions of alice and one of bob that want asides, and one of carol that does not."""
        self.delivery = Delivery(Clock())
        self.sessions = [FakeSession(1), FakeSession(1), FakeSession(2), FakeSession(3)]
        for session in self.sessions:
            session.wants_asides = session.user_id < 3
            self.delivery.add(session)

    def got(self) -> list[int]:
        """Return the numbers of events that each session got since the last call."""
        counts = [len(session.outbox.offered) for session in self.sessions]
        for session in self.sessions:
            session.outbox.offered.clear()
        return counts

    def test_audiences(self) -> None:
        """They go to those of their audience, but not to hidden users and their own session."""
        for audience, hidden, origin, expected in (
            (None, (), None, [1, 1, 1, 0]),
            (None, (2,), 0, [0, 1, 0, 0]),
            ((1,), (), None, [1, 1, 0, 0]),
            ((2, 3), (), None, [0, 0, 1, 0]),
            (MemberIds((1, 2, 3, 4)), (), 1, [1, 0, 1, 0]),
            ((3, 99), (), None, [0, 0, 0, 0]),
        ):
            own = None if origin is None else self.sessions[origin].id
            self.delivery.publish_asides([Publication(message(1), audience, hidden=hidden, origin=own)])
            self.assertEqual(self.got(), expected, audience)
        self.assertEqual([session.reached for session in self.sessions], [1, 2, 0, 0], "charged to their origins")

    def test_encoded_once(self) -> None:
        """Sessions that share an encoding share the bytes. An encoding that differs is left to each session."""
        encoded: list[Event] = []

        def encode(publication: Publication) -> bytes | None:
            encoded.append(publication.event)
            return wire.encode(publication.event) if len(encoded) == 1 else None

        for session in self.sessions:
            session.outbox.encode = encode
        self.delivery.publish_asides([Publication(message(1), None)])
        self.assertIs(self.sessions[0].outbox.offered[0], self.sessions[2].outbox.offered[0])
        self.delivery.publish_asides([Publication(message(2), None)])
        self.assertEqual((len(encoded), self.got()), (2, [2, 2, 2, 0]))

    def test_removed(self) -> None:
        """After its end a session gets none, and its other sessions do."""
        for session in self.sessions[0], self.sessions[2]:
            self.delivery.remove(session)
        self.delivery.publish_asides([Publication(message(1), None)])
        self.assertEqual(self.got(), [0, 1, 0, 0])
        for session in self.sessions[1], self.sessions[3]:
            self.delivery.remove(session)
        self.assertEqual(self.delivery._listening, {})


class OutboxTests(OutboxTestCase):
    """Asides in the outbox of one session."""

    def test_dropped(self) -> None:
        """An aside is queued while there is room. Otherwise it is dropped, and the session does not fall behind."""
        self.outbox.offer_aside(stored(1), b"aside")
        self.outbox.flush()
        self.assertEqual(self.writer.got(), b"aside")
        self.stall()
        room = WAITING_BYTES - self.outbox._size
        self.outbox.offer_aside(stored(1), b"x" * room)
        self.outbox.offer_aside(stored(2), b"y")
        self.assertFalse(self.outbox.behind)
        self.writer.drain()
        self.assertEqual(self.writer.got(), b"x" * room)

    def test_behind(self) -> None:
        """A session that is behind misses asides for good."""
        self.fall_behind()
        self.outbox.offer_aside(stored(1), b"aside")
        self.outbox.offer_aside(stored(1), None)
        self.writer.keeps_up = True
        self.writer.drain()
        self.reader.give(5, last=5) if self.reader.asked else None
        self.assertNotIn(b"aside", self.writer.got())

    def test_own_encoding(self) -> None:
        """Without shared bytes the session encodes it itself."""
        self.outbox.offer_aside(stored(1), None)
        self.outbox.flush()
        self.assertEqual(self.writer.got(), b"<1>")
