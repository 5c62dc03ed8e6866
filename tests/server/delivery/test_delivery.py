"""Delivery: recipients, one encoding per event, one write per turn, in slices."""

from collections.abc import Collection, Iterable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.bus import MemberIds, Publication, StoredPlace, TimedPlace, sign_in_id
from irchat.interfaces.stored import GLOBAL
from irchat.protocol import wire
from irchat.protocol.events import Bye, Event, Message
from irchat.protocol.rules import WAITING_BYTES
from irchat.server.delivery import delivery
from irchat.server.delivery.delivery import Delivery
from tests.helpers.deliveries import FakeOutbox, FakeSession, message


def counted(sessions: Iterable[FakeSession]) -> list[Event]:
    """Let the sessions share an encoding. Return the list to which it adds the events that it encodes."""
    encoded: list[Event] = []

    def encode(publication: Publication) -> bytes:
        encoded.append(publication.event)
        return wire.encode(publication.event)

    for session in sessions:
        session.outbox.encode = encode
    return encoded


class AudienceTests(SynchronousTestCase):
    """The recipients of a publication."""

    def setUp(self) -> None:
        """Create two sessions of one user, one of another, and one of a third that encodes each event itself."""
        self.delivery = Delivery(Clock())
        self.alice, self.alice_too, self.bob = FakeSession(1), FakeSession(1), FakeSession(2)
        self.carol = FakeSession(3, encodes=False)
        self.sessions = [self.alice, self.alice_too, self.bob, self.carol]
        for session in self.sessions:
            self.delivery.add(session)

    def _seqs(self) -> list[list[int]]:
        """Return the seqs that each session got since the last call."""
        seqs = [[wire.decode_event(line).seq for line in session.got.splitlines()] for session in self.sessions]
        for session in self.sessions:
            session.outbox.offered.clear()
        return seqs

    def test_everyone(self) -> None:
        """An audience of None is everyone."""
        self.delivery.publish([Publication(message(1), None)])
        self.assertEqual(self._seqs(), [[1], [1], [1], [1]])

    def test_some(self) -> None:
        """An audience of users is all of their sessions and nobody else. Users without a session are skipped."""
        self.delivery.publish([Publication(message(1), (1, 3, 99))])
        self.assertEqual(self._seqs(), [[1], [1], [], [1]])
        self.delivery.publish([Publication(message(2), {2: "bob"})])
        self.assertEqual(self._seqs(), [[], [], [2], []])

    def test_hidden_and_origin(self) -> None:
        """Hidden users do not get the event, and its own session only notes it. Both get the rest of the run."""
        mine = Publication(message(2), None, origin=self.alice.id, place=StoredPlace(GLOBAL, 2))
        self.delivery.publish(
            [Publication(message(1), None), mine, Publication(message(3), None, hidden=frozenset({2, 3}))]
        )
        self.assertEqual(self._seqs(), [[1, 3], [1, 2, 3], [1, 2], [1, 2]])
        self.assertEqual([session.outbox.own for session in self.sessions], [[mine], [], [], []])

    def test_end_of_a_sign_in(self) -> None:
        """A goodbye to one sign-in ends only the sessions with its token."""
        self.alice.token, self.carol.token = b"one", b"one"
        self.alice_too.token = b"two"
        self.delivery.publish([Publication(Bye("gone"), (1,), sign_in=sign_in_id(b"one"))])
        self.assertEqual([session.ended for session in self.sessions], [["gone"], [], [], []])
        self.delivery.publish([Publication(Bye("all"), (1,), origin=self.alice.id)])
        self.assertEqual([session.ended for session in self.sessions], [["gone"], ["all"], [], []])

    def test_encoded_once_for_a_user(self) -> None:
        """An event for all sessions of one user is encoded once, even if one of them originated it."""
        others = [FakeSession(1) for _ in range(5)]
        encoded = counted([*others, self.alice, self.alice_too])
        for session in others:
            self.delivery.add(session)
        self.delivery.publish([Publication(message(1), (1,), origin=self.alice.id)])
        self.assertEqual(len(encoded), 1)
        told = [len(session.outbox.offered) for session in [*others, self.alice_too, self.alice]]
        self.assertEqual(told, [1] * 6 + [0])

    def test_encoded_once(self) -> None:
        """A run is encoded once, and all recipients of the whole run share the same bytes."""
        encoded = counted([self.alice, self.alice_too, self.bob])
        audience = [1, 2]
        self.delivery.publish([Publication(message(seq), audience) for seq in (1, 2)])
        self.assertEqual(encoded, [message(1), message(2)])
        shared = [session.outbox.offered for session in (self.alice, self.alice_too, self.bob)]
        self.assertEqual(list(map(len, shared)), [1, 1, 1])
        self.assertEqual(len({id(offered[0]) for offered in shared}), 1)

    def test_encoded_once_for_many_senders(self) -> None:
        """The senders of a run get it without their own messages, of the encodings that all share: not one each."""
        encoded = counted([self.alice, self.alice_too, self.bob])
        senders = [self.alice, self.bob, self.alice, self.carol, None]
        audience = [1, 2, 3]
        run = [
            Publication(message(seq), audience, origin=sender and sender.id, place=StoredPlace(GLOBAL, seq))
            for seq, sender in enumerate(senders, 1)
        ]
        self.delivery.publish(run)
        self.assertEqual(encoded, [message(seq) for seq in range(1, 6)])
        self.assertEqual(self._seqs(), [[2, 4, 5], [1, 2, 3, 4, 5], [1, 3, 4, 5], [1, 2, 3, 5]])
        own = [[one.event.seq for one in session.outbox.own] for session in self.sessions]
        self.assertEqual(own, [[1, 3], [], [2], [4]])

    def test_many_senders_that_differ(self) -> None:
        """A sender from whom one of the messages is hidden, or whose encoding differs by session, gets them singly."""
        shared = self.bob.outbox.encode
        self.bob.outbox.encode = lambda one: None if one.event.seq == 3 else shared(one)  # type: ignore[union-attr, misc]
        audience = [1, 2]
        self.delivery.publish([
            Publication(message(1), audience, origin=self.alice.id),
            Publication(message(2), audience, origin=self.bob.id, hidden=frozenset({1})),
            Publication(message(3), audience),
        ])  # fmt: skip
        self.assertEqual(self._seqs(), [[3], [1, 3], [1, 3], []])

    def test_ends_for_many_senders(self) -> None:
        """A sender's outbox knows the end of the timed messages of others, and not of its own."""
        self.delivery.publish([
            Publication(message(1), None, origin=self.alice.id),
            Publication(replace(message(2), left_ms=5_000), None, origin=self.bob.id, place=TimedPlace(GLOBAL, 1)),
        ])  # fmt: skip
        self.assertEqual([session.outbox.timed for session in (self.alice, self.bob)], [[5.0], []])

    def test_encoded_by_each_session(self) -> None:
        """An event for which the shared encoding is None is left to each session, alone and in a run."""
        for session in self.alice, self.alice_too, self.bob:
            session.outbox.encode = lambda publication: None if publication.event.seq == 2 else b"shared\n"
        self.delivery.publish([Publication(message(seq), (1, 2)) for seq in (1, 2)])
        self.assertEqual([session.outbox.runs for session in self.sessions], [2, 2, 2, 0])
        self.delivery.publish([Publication(message(2), (1,))])
        self.assertEqual(self.alice.got, b"shared\n" + wire.encode(message(2)) * 2)
        self.delivery.publish([Publication(message(1), (1,))])
        self.assertEqual(self.alice.outbox.offered[3:], [b"shared\n"])

    def test_audiences_in_one_batch(self) -> None:
        """Each audience of a batch gets its own events, in the order of publishing."""
        group = {1: "alice", 2: "bob"}
        self.delivery.publish(
            [Publication(message(1), None), Publication(message(2), group), Publication(message(3), group)]
        )
        self.assertEqual(self._seqs(), [[1, 2, 3], [1, 2, 3], [1, 2, 3], [1]])

    def test_tell(self) -> None:
        """An event can be sent to chosen sessions, whoever they belong to."""
        self.delivery.send([self.alice, self.carol], message(1))
        self.assertEqual(self._seqs(), [[1], [], [], [1]])

    def test_removed(self) -> None:
        """A removed session gets nothing more, the user's other one does."""
        self.delivery.remove(self.alice)
        self.delivery.remove(self.bob)
        self.delivery.publish([Publication(message(1), None), Publication(message(2), (1, 2))])
        self.assertEqual(self._seqs(), [[], [1, 2], [], [1]])

    def test_group_whose_members_come_and_go(self) -> None:
        """A message to a group reaches its members' current sessions."""
        group = MemberIds({1, 2})

        def say(seq: int) -> list[list[int]]:
            self.delivery.publish([Publication(message(seq), group)])
            return self._seqs()

        self.assertEqual(say(1), [[1], [1], [1], []])
        self.delivery.remove(self.bob)
        self.assertEqual(say(2), [[2], [2], [], []])
        self.delivery.add(self.bob)
        self.delivery.remove(self.alice)
        self.assertEqual(say(3), [[], [3], [3], []])

    def test_many_groups(self) -> None:
        """However many groups are active, each message reaches its own, and few recipient lists are cached."""
        self.patch(delivery, "_GROUPS_KEPT", 2)
        for members in ({1}, {1, 2}, {2, 3}, {1, 3}, {1, 2, 3}) * 2:
            self.delivery.publish([Publication(message(1), MemberIds(members))])
            got = [session.user_id for session, seqs in zip(self.sessions, self._seqs(), strict=True) if seqs]
            self.assertEqual(got, [session.user_id for session in self.sessions if session.user_id in members])
            self.assertLessEqual(len(self.delivery._of_group), 2)
        self.delivery._of_group.clear()
        self.delivery.publish([Publication(message(1), frozenset({1, 2}))])
        self.assertEqual(self.delivery._of_group, {})

    @given(
        st.lists(
            st.tuples(
                st.none() | st.sampled_from([(1, 2), (2, 3), MemberIds({1, 2, 3})]),
                st.sets(st.integers(1, 3)),
                st.none() | st.integers(0, 3),
            ),
            min_size=1,
            max_size=8,
        )
    )
    def test_shared_is_single(self, runs: list[tuple]) -> None:
        """However a batch is cut into runs, each session gets the same bytes as from single events."""
        self.setUp()
        publications = [
            Publication(
                message(seq),
                audience,
                hidden=frozenset(hidden),
                origin=None if origin is None else self.sessions[origin].id,
            )
            for seq, (audience, hidden, origin) in enumerate(runs)
        ]
        self.delivery.publish(publications)
        for session in self.sessions:
            expected = [
                wire.encode(publication.event)
                for publication in publications
                if (publication.audience is None or session.user_id in publication.audience)
                and session.user_id not in publication.hidden
                and publication.origin != session.id
            ]
            self.assertEqual(sorted(session.got.splitlines(keepends=True)), sorted(expected))
            for audience in {publication.audience for publication in publications}:
                same = [wire.encode(p.event) for p in publications if p.audience == audience]
                got = [line for line in session.got.splitlines(keepends=True) if line in same]
                self.assertEqual(got, [line for line in same if line in expected])


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
        """What a socket does not accept is left to the outbox, and so is everything if the connection is lost."""
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
