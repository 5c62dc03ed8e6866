"""When delivery writes: a fan-out at once, everything else once at the end of the turn, in slices."""

from collections.abc import Collection
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.bus import Publication, StoredPlace
from irchat.interfaces.stored import GLOBAL
from irchat.protocol import wire
from irchat.protocol.events import Message
from irchat.protocol.rules import WAITING_BYTES
from irchat.server.delivery.delivery import Delivery
from tests.helpers.deliveries import FakeOutbox, FakeSession, message


class FlushTests(SynchronousTestCase):
    """Writing at the end of the turn."""

    def setUp(self) -> None:
        """Create a clock."""
        self.clock = Clock()
        self.delivery = Delivery(self.clock)

    def _wake(self, count: int, seconds: float) -> list[FakeOutbox]:
        outboxes = [FakeOutbox(self.clock, seconds) for _ in range(count)]
        for outbox in outboxes:
            self.delivery.wake(outbox)
        return outboxes

    def test_end_of_the_turn(self) -> None:
        """Nothing is written in the turn that queues it, and one delayed call writes for all."""
        outboxes = self._wake(100, 0.0)
        self.assertEqual(len(self.clock.calls), 1)
        self.assertEqual([outbox.flushed for outbox in outboxes], [[]] * 100)
        self.clock.advance(0)
        self.assertEqual([len(outbox.flushed) for outbox in outboxes], [1] * 100)
        self.assertEqual(self.clock.calls, [])

    def test_slices(self) -> None:
        """10,000 writes are cut into slices of about 20 ms, with reactor turns between them. None is left out."""
        outboxes = self._wake(10_000, 0.001)
        slices = []
        while self.clock.calls:
            before = self.clock.seconds()
            self.clock.calls.pop(0).func()
            slices.append(self.clock.seconds() - before)
        self.assertLess(max(slices), 0.05)
        self.assertEqual([len(outbox.flushed) for outbox in outboxes], [1] * 10_000)

    def test_gives_way(self) -> None:
        """While something must not wait, a turn of the reactor has the fewest writes. None is left out."""
        outboxes = self._wake(100, 0.0)
        self.delivery.gives_way = lambda: True
        written = []
        while self.clock.calls:
            self.clock.calls.pop(0).func()
            written.append(sum(len(outbox.flushed) for outbox in outboxes))
        self.assertEqual(written, [32, 64, 96, 100])

    def test_woken_while_flushing(self) -> None:
        """Events queued between slices go out with them."""
        self._wake(100, 0.01)
        self.clock.calls.pop(0).func()
        (late,) = self._wake(1, 0.0)
        self.assertEqual(len(self.clock.calls), 1)
        self.clock.advance(0)
        self.assertEqual(len(late.flushed), 1)
        self._wake(1, 0.0)
        self.assertEqual(len(self.clock.calls), 1)

    def test_calls_in_turn(self) -> None:
        """Calls without cost all run in the next turn, in order, by one delayed call."""
        made: list[int] = []
        for number in range(100):
            self.delivery.in_turn(lambda number=number: made.append(number))
        self.assertEqual((made, len(self.clock.calls)), ([], 1))
        self.clock.calls.pop(0).func()
        self.assertEqual((made, self.clock.calls), (list(range(100)), []))

    def test_one_that_fails(self) -> None:
        """A connection whose write fails is aborted and logged. All others are written, now and later."""
        broken, other = self._wake(2, 0.0)
        broken.error = ZeroDivisionError()
        self.clock.advance(0)
        self.assertEqual((broken.aborted, len(other.flushed)), (True, 1))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        (later,) = self._wake(1, 0.0)
        self.clock.advance(0)
        self.assertEqual(len(later.flushed), 1)


class AtOnceTests(SynchronousTestCase):
    """An event for many is written immediately if nothing waits, with the same bytes as otherwise."""

    def setUp(self) -> None:
        """Create fifty sessions of different users, all writable at once."""
        self.clock = Clock()
        self.delivery = Delivery(self.clock)
        self.sessions = [FakeSession(number, outbox=FakeOutbox(self.clock)) for number in range(50)]
        self.outboxes = [session.outbox for session in self.sessions]
        for session in self.sessions:
            session.outbox.try_now = session.outbox.write_at_once
            self.delivery.add(session)

    def _publish(self, *seqs: int, **how: Any) -> bytes:
        """Publish messages to everyone. Return their bytes."""
        self.delivery.publish([Publication(message(seq), how.get("audience"), **how) for seq in seqs])
        return b"".join(wire.encode(message(seq)) for seq in seqs)

    def test_many(self) -> None:
        """A run is one write, the same bytes object for all, and nothing is queued."""
        data = self._publish(1, 2, 3)
        self.assertEqual({tuple(outbox.written) for outbox in self.outboxes}, {(data,)})
        self.assertEqual(len({id(outbox.written[0]) for outbox in self.outboxes}), 1)
        self.assertEqual([outbox.offered for outbox in self.outboxes], [[]] * 50)

    def test_once_a_turn(self) -> None:
        """Later events of the same turn are queued and joined. In the next turn writes are immediate again."""
        self._publish(1)
        second = self._publish(2)
        self.assertEqual([(len(o.written), o.offered) for o in self.outboxes], [(1, [second])] * 50)
        self.clock.advance(0)
        third = self._publish(3)
        self.assertEqual({outbox.written[-1] for outbox in self.outboxes}, {third})

    def test_few(self) -> None:
        """An event for few is queued, to be joined with their other events."""
        data = wire.encode(message(1))
        self.delivery.publish([Publication(message(1), (1, 2, 3))])
        self.assertEqual([o.offered for o in self.outboxes[1:4]], [[data]] * 3)
        self.assertEqual([o.written for o in self.outboxes], [[]] * 50)

    def test_two_audiences(self) -> None:
        """Disjoint audiences are written at once. If somebody is in both, everything is queued."""
        low, high = tuple(range(25)), tuple(range(25, 50))
        self.delivery.publish([Publication(message(1), low), Publication(message(2), high)])
        self.assertEqual([len(outbox.written) for outbox in self.outboxes], [1] * 50)
        self.clock.advance(0)
        self.delivery.publish([Publication(message(3), low), Publication(message(4), tuple(range(20, 50)))])
        self.assertEqual([len(outbox.written) for outbox in self.outboxes], [1] * 50)
        self.assertEqual([len(outbox.offered) for outbox in self.outboxes], [1] * 20 + [2] * 5 + [1] * 25)

    def test_others(self) -> None:
        """An event is queued if something waits, the protocol encodes each event itself, or a part is hidden."""
        waits, text, origin, hidden, each = self.outboxes[:5]
        waits.try_now = None
        origin.behind = True
        text.encode = None
        each.encode = lambda _: None
        data = wire.encode(message(1))
        self.delivery.publish(
            [
                Publication(
                    message(1), None, hidden=frozenset({3}), origin=self.sessions[2].id, place=StoredPlace(GLOBAL, 1)
                )
            ]
        )
        self.assertEqual([outbox.written for outbox in self.outboxes[:5]], [[]] * 5)
        self.assertEqual([waits.offered, text.offered, each.offered], [[data]] * 3)
        self.assertEqual([origin.offered, hidden.offered], [[], []])
        self.assertEqual(len(origin.own), 1)
        self.assertEqual([session.reached for session in self.sessions[:3]], [0, 0, 50])
        self.assertEqual({tuple(outbox.written) for outbox in self.outboxes[5:]}, {(data,)})

    def test_partly_written(self) -> None:
        """Bytes that a socket does not accept are left to the outbox, and so is everything after a lost connection."""
        partly, lost = self.outboxes[:2]
        partly.room = 5
        lost.error = OSError()
        data = self._publish(1)
        self.assertEqual((partly.rest, lost.rest), ([(data, 5)], [(data, 0)]))
        self.assertEqual([outbox.rest for outbox in self.outboxes[2:]], [[]] * 48)

    def test_too_much(self) -> None:
        """A run above the limit of waiting bytes is offered, so that the sessions fall behind."""
        long = Message(chat="GLOBAL", sender="alice", at="", text="x" * 4_000, seq=1)
        self.delivery.publish([Publication(long, None)] * (WAITING_BYTES // 4_000 + 1))
        self.assertEqual([(o.written, len(o.offered)) for o in self.outboxes], [([], 1)] * 50)

    def test_time_is_up(self) -> None:
        """Immediate writes end with their time slice, and the rest is queued."""
        for outbox in self.outboxes:
            outbox._seconds = 0.001
        self._publish(1)
        self.assertEqual([len(o.written) + len(o.offered) for o in self.outboxes], [1] * 50)
        self.assertEqual(sum(len(outbox.written) for outbox in self.outboxes), 32)

    def test_gives_way(self) -> None:
        """While something must not wait, nothing is written at once, and everything is queued."""
        self.delivery.gives_way = lambda: True
        data = self._publish(1)
        self.assertEqual([(o.written, o.offered) for o in self.outboxes], [([], [data])] * 50)

    def test_one_slice_a_turn(self) -> None:
        """A following flush has only the rest of the slice, because it may be in the same turn."""
        for outbox in self.outboxes:
            outbox._seconds = 0.0003
        self._publish(1)
        for outbox in self.outboxes * 4:
            self.delivery.wake(outbox)
        flushed = [0]
        while self.clock.calls:
            self.clock.calls.pop(0).func()
            flushed.append(sum(len(outbox.flushed) for outbox in self.outboxes))
        self.assertEqual(flushed, [0, 0, 32, 128, 200])

    def test_slice_includes_offers(self) -> None:
        """The slice of a turn also includes the time of offering to the sessions that cannot be written at once."""

        class SlowOutbox(FakeOutbox):
            def offer(self, data: bytes, run: Collection[Publication]) -> None:
                self._clock.rightNow += 0.001

        slow = [SlowOutbox(self.clock) for _ in range(50)]
        for number, outbox in enumerate(slow):
            self.delivery.add(FakeSession(1_000 + number, outbox=outbox))
        self._publish(1)
        for outbox in slow:
            self.delivery.wake(outbox)
        flushed = []
        while self.clock.calls:
            self.clock.calls.pop(0).func()
            flushed.append(sum(len(outbox.flushed) for outbox in slow))
        self.assertEqual(flushed, [0, 32, 50])

    def test_one_that_fails(self) -> None:
        """A connection whose write fails is aborted and logged, and the others are written."""
        self.outboxes[0].error = ZeroDivisionError()
        self._publish(1)
        self.assertTrue(self.outboxes[0].aborted)
        self.assertEqual([len(outbox.written) for outbox in self.outboxes[1:]], [1] * 49)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
