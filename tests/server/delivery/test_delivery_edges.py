"""Delivery at its limits: how many are many, how long a slice is, and until when a timed message may wait."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.store import GLOBAL, Publication
from irchat.protocol.events import Erased, Message
from irchat.protocol.rules import WAITING_BYTES
from irchat.server.delivery.delivery import Delivery
from tests.server.delivery.test_delivery import FakeOutbox, FakeSession


def message(seq: int) -> Message:
    """Return a stored message."""
    return Message(chat="GLOBAL", sender="alice", at="", text="hi", seq=seq)


def timed(order: int, left_ms: int) -> Publication:
    """Return the publication of a timed message."""
    event = Message(chat="GLOBAL", sender="alice", at="", text="psst", id=str(order), left_ms=left_ms)
    return Publication(event, None, timed=(GLOBAL, order))


class EdgeTests(SynchronousTestCase):
    """Sessions of a user each, to all of which can be written at once."""

    def setUp(self) -> None:
        """Make a delivery with sixteen sessions, the least that count as many."""
        self.clock = Clock()
        self.delivery = Delivery(self.clock)
        self.outboxes: list[FakeOutbox] = []
        self.sessions: list[FakeSession] = []
        self.add(16)

    def add(self, count: int) -> None:
        """Add sessions."""
        for _ in range(count):
            outbox = FakeOutbox(self.clock)
            outbox.try_now = outbox.write_at_once
            self.outboxes.append(outbox)
            self.sessions.append(FakeSession(len(self.sessions), outbox=outbox))
            self.delivery.add(self.sessions[-1])

    def counts(self) -> list[tuple[int, int]]:
        """Return how many runs were written at once and how many were queued, for each session."""
        return [(len(outbox.written), len(outbox.offered)) for outbox in self.outboxes]

    def test_many(self) -> None:
        """What goes to sixteen is written at once, and what goes to fifteen is queued."""
        self.delivery.publish([Publication(message(1), None)])
        self.assertEqual(self.counts(), [(1, 0)] * 16)
        self.clock.advance(0)
        self.delivery.remove(self.sessions[15])
        self.delivery.publish([Publication(message(2), None)])
        self.assertEqual(self.counts()[:15], [(1, 1)] * 15)

    def test_many_and_few(self) -> None:
        """Where one run of a batch goes to sixteen and another to fifteen, only the first is written at once."""
        self.add(15)
        publications = [Publication(message(1), tuple(range(16))), Publication(message(2), tuple(range(16, 31)))]
        self.delivery.publish(publications)
        self.assertEqual(self.counts(), [(1, 0)] * 16 + [(0, 1)] * 15)

    def test_longest_run(self) -> None:
        """A run as long as what may wait for a session is written at once, and one that is a byte longer is not."""
        for length, count in ((WAITING_BYTES, (1, 0)), (WAITING_BYTES + 1, (1, 1))):
            for outbox in self.outboxes:
                outbox.encode = lambda _, length=length: b"x" * length  # type: ignore[misc]
            self.delivery.publish([Publication(message(1), None)])
            self.assertEqual(self.counts(), [count] * 16)
            self.clock.advance(0)

    def test_first_flush(self) -> None:
        """The first flush has a whole slice of time: 20 ms, looked at after each 32 writes."""
        outboxes = [FakeOutbox(self.clock, 0.0003) for _ in range(200)]
        for outbox in outboxes:
            self.delivery.wake(outbox)
        self.clock.calls.pop(0).func()
        self.assertEqual(sum(len(outbox.flushed) for outbox in outboxes), 96)

    def test_first_end(self) -> None:
        """Each session of a run learns when the first of its timed messages ends, and of a run without, nothing."""
        self.clock.advance(100)
        self.delivery.publish([timed(1, 5_000), timed(2, 3_000), timed(3, 4_000), Publication(message(1), None)])
        self.assertEqual([outbox.timed for outbox in self.outboxes], [[103.0]] * 16)
        self.delivery.publish([Publication(message(2), None)])
        self.assertEqual([outbox.timed for outbox in self.outboxes], [[103.0]] * 16)

    def test_end_for_one(self) -> None:
        """So does the only session of a user, and one that gets a part of a run, but not the session that sent it."""
        self.clock.advance(100)
        event = timed(1, 2_500).event
        self.delivery.publish([Publication(event, (3,), timed=(GLOBAL, 1))])
        self.assertEqual([outbox.timed for outbox in self.outboxes[2:5]], [[], [102.5], []])
        mine = Publication(event, None, origin=self.sessions[5], timed=(GLOBAL, 2))
        self.delivery.publish([mine, timed(3, 1_000)])
        self.assertEqual([outbox.timed for outbox in self.outboxes[5:7]], [[101.0], [101.0]])
        self.delivery.publish([Publication(message(1), (3,), position=(GLOBAL, 1))])
        self.assertEqual(self.outboxes[3].timed, [102.5, 101.0])

    def test_erased_has_no_end(self) -> None:
        """Only a message holds text that ends: what says that one has ended may wait."""
        erased = Publication(Erased("GLOBAL", "1"), None, timed=(GLOBAL, 1))
        self.delivery.publish([erased])
        self.assertEqual([outbox.timed for outbox in self.outboxes], [[]] * 16)
