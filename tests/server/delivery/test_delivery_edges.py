"""Limits of delivery: the number of recipients, the time slice, and the end of timed messages."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.bus import Publication, StoredPlace, TimedPlace
from irchat.interfaces.stored import GLOBAL
from irchat.protocol import wire
from irchat.protocol.events import Erased, Message
from irchat.protocol.rules import WAITING_BYTES
from irchat.server.delivery.delivery import Delivery
from tests.helpers.deliveries import FakeOutbox, FakeSession


def message(seq: int) -> Message:
    """Return a stored message."""
    return Message(chat="GLOBAL", sender="alice", at="", text="hi", seq=seq)


def timed(order: int, left_ms: int) -> Publication:
    """Return the publication of a timed message."""
    event = Message(chat="GLOBAL", sender="alice", at="", text="psst", id=str(order), left_ms=left_ms)
    return Publication(event, None, place=TimedPlace(GLOBAL, order))


class EdgeTests(SynchronousTestCase):
    """Immediate writes to sessions of different users."""

    def setUp(self) -> None:
        """Create a delivery with sixteen sessions, the minimum for immediate writes."""
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
        """Return the number of runs written at once and queued, for each session."""
        return [(len(outbox.written), len(outbox.offered)) for outbox in self.outboxes]

    def test_many(self) -> None:
        """An event for sixteen is written at once, one for fifteen is queued."""
        self.delivery.publish([Publication(message(1), None)])
        self.assertEqual(self.counts(), [(1, 0)] * 16)
        self.clock.advance(0)
        self.delivery.remove(self.sessions[15])
        self.delivery.publish([Publication(message(2), None)])
        self.assertEqual(self.counts()[:15], [(1, 1)] * 15)

    def test_many_and_few(self) -> None:
        """If one run of a batch has sixteen recipients and another fifteen, only the first is written at once."""
        self.add(15)
        publications = [Publication(message(1), tuple(range(16))), Publication(message(2), tuple(range(16, 31)))]
        self.delivery.publish(publications)
        self.assertEqual(self.counts(), [(1, 0)] * 16 + [(0, 1)] * 15)

    def test_instead(self) -> None:
        """A hidden user with an event of its own receives that one, in its place among the others, and nobody else."""
        self.add(2)
        own = Publication(message(2), None, hidden={3, 4}, instead={3: message(9), 99: message(8)})
        self.delivery.publish([Publication(message(1), None), own, Publication(message(3), None)])
        seqs = [[wire.decode_event(line).seq for line in self.sessions[user].got.splitlines()] for user in (3, 4)]
        self.assertEqual(seqs, [[1, 9, 3], [1, 3]])
        (written,) = self.outboxes[5].written
        self.assertEqual([wire.decode_event(line).seq for line in written.splitlines()], [1, 2, 3])

    def test_instead_for_many(self) -> None:
        """Each hidden user with an event of its own receives that one, whatever session the message comes from."""
        for sender in range(16):
            for outbox in self.outboxes:
                outbox.offered.clear()
            instead = {user: message(9) for user in range(16) if user != sender}
            origin = self.sessions[sender].id
            own = Publication(message(1), None, hidden=set(instead), instead=instead, origin=origin)
            self.delivery.publish([own])
            seqs = [[wire.decode_event(line).seq for line in session.got.splitlines()] for session in self.sessions]
            self.assertEqual(seqs, [[] if user == sender else [9] for user in range(16)])

    def test_delivered(self) -> None:
        """The events handed to sessions are counted: to all, to a user, and to part of the sessions."""
        before = self.delivery.delivered
        self.delivery.publish([Publication(message(1), None), Publication(message(2), None)])
        self.delivery.publish([Publication(message(3), (3,))])
        self.delivery.publish([Publication(message(3), (3, 4, 5))])
        self.assertEqual(self.delivery.delivered - before, 36)

    def test_longest_run(self) -> None:
        """A run as long as the limit of waiting bytes is written at once, one byte more is not."""
        for length, count in ((WAITING_BYTES, (1, 0)), (WAITING_BYTES + 1, (1, 1))):
            for outbox in self.outboxes:
                outbox.encode = lambda _, length=length: b"x" * length  # type: ignore[misc]
            self.delivery.publish([Publication(message(1), None)])
            self.assertEqual(self.counts(), [count] * 16)
            self.clock.advance(0)

    def test_first_flush(self) -> None:
        """The first flush has a full slice of 20 ms, checked after each 32 writes."""
        outboxes = [FakeOutbox(self.clock, 0.0003) for _ in range(200)]
        for outbox in outboxes:
            self.delivery.wake(outbox)
        self.clock.calls.pop(0).func()
        self.assertEqual(sum(len(outbox.flushed) for outbox in outboxes), 96)

    def test_flush_after_writes(self) -> None:
        """The flush of a turn has what immediate writes have left of its time slice."""
        self.clock.advance(100)
        self.outboxes[0]._seconds = 0.01
        self.delivery.publish([Publication(message(1), None)])
        outboxes = [FakeOutbox(self.clock, 0.0003) for _ in range(200)]
        for outbox in outboxes:
            self.delivery.wake(outbox)
        next(call for call in self.clock.calls if call.func == self.delivery._flush).func()
        self.assertEqual(sum(len(outbox.flushed) for outbox in outboxes), 64)

    def test_hidden_from_one(self) -> None:
        """A user from whom a publication is hidden receives it in no session."""
        self.delivery.add(FakeSession(3, outbox=FakeOutbox(self.clock)))
        self.delivery.publish([Publication(message(1), (3,), hidden={3}), Publication(message(2), (3,), hidden={4})])
        got = [wire.decode_event(line).seq for line in self.sessions[3].got.splitlines()]
        self.assertEqual(got, [2])

    def test_first_end(self) -> None:
        """Each session of a run learns the first end of its timed messages, and nothing for a run without."""
        self.clock.advance(100)
        self.delivery.publish([timed(1, 5_000), timed(2, 3_000), timed(3, 4_000), Publication(message(1), None)])
        self.assertEqual([outbox.timed for outbox in self.outboxes], [[103.0]] * 16)
        self.delivery.publish([Publication(message(2), None)])
        self.assertEqual([outbox.timed for outbox in self.outboxes], [[103.0]] * 16)

    def test_end_for_one(self) -> None:
        """The same holds for a user's only session and for a partial recipient, but not for the originating session."""
        self.clock.advance(100)
        event = timed(1, 2_500).event
        self.delivery.publish([Publication(event, (3,), place=TimedPlace(GLOBAL, 1))])
        self.assertEqual([outbox.timed for outbox in self.outboxes[2:5]], [[], [102.5], []])
        mine = Publication(event, None, origin=self.sessions[5], place=TimedPlace(GLOBAL, 2))
        self.delivery.publish([mine, timed(3, 1_000)])
        self.assertEqual([outbox.timed for outbox in self.outboxes[5:7]], [[101.0], [101.0]])
        self.delivery.publish([Publication(message(1), (3,), place=StoredPlace(GLOBAL, 1))])
        self.assertEqual(self.outboxes[3].timed, [102.5, 101.0])

    def test_erased_has_no_end(self) -> None:
        """Only messages contain timed text: notices of their end may wait."""
        erased = Publication(Erased("GLOBAL", "1"), None, place=TimedPlace(GLOBAL, 1))
        self.delivery.publish([erased])
        self.assertEqual([outbox.timed for outbox in self.outboxes], [[]] * 16)
