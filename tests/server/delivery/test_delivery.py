"""Delivery: the recipients of an event, and one encoding for all of them."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.bus import MemberIds, Publication, StoredPlace, TimedPlace, sign_in_id
from irchat.interfaces.stored import GLOBAL
from irchat.protocol import wire
from irchat.protocol.events import Bye, Event
from irchat.server.delivery import delivery
from irchat.server.delivery.delivery import Delivery
from tests.helpers.deliveries import FakeSession, message


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

    def test_nothing_is_kept(self) -> None:
        """Nothing is kept of users whose sessions have ended."""
        for session in self.sessions:
            self.delivery.remove(session)
        self.assertEqual((len(self.delivery), self.delivery._of_user, self.delivery._outboxes), (0, {}, {}))

    def test_later_session(self) -> None:
        """A new session gets the group messages of its user. An ended session gets no more."""
        group = MemberIds((1, 2))
        self.delivery.publish([Publication(message(1), group)])
        late = FakeSession(2)
        self.sessions.append(late)
        self.delivery.add(late)
        self.delivery.publish([Publication(message(2), group)])
        self.delivery.remove(self.alice)
        self.delivery.publish([Publication(message(3), group)])
        self.assertEqual(self._seqs(), [[1, 2], [1, 2, 3], [1, 2, 3], [], [2, 3]])

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
