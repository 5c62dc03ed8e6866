"""What a node tells the others about timed messages, and what it does when they tell it."""

from collections.abc import Collection, Sequence
from typing import Any

from twisted.internet.defer import Deferred

from irchat.chat.timed import copies
from irchat.interfaces.nodes import ANSWER_SECONDS, LiveTimed, TimedCopy
from irchat.interfaces.stored import GLOBAL, ChatKey
from irchat.protocol import events
from irchat.protocol.errors import unavailable
from tests.helpers.chat import WorldTestCase


class _Others:
    """The other nodes, which record their calls. The test answers `send`."""

    def __init__(self) -> None:
        self.is_connected = True
        self.sent: list[TimedCopy] = []
        self.sending: list[Deferred[frozenset[int]]] = []
        self.calls: list[tuple[Any, ...]] = []

    def send(self, copy: TimedCopy) -> Deferred[frozenset[int]]:
        self.sent.append(copy)
        self.sending.append(Deferred())
        return self.sending[-1]

    def answered(self, timed_id: str, reached: int) -> None:
        self.calls.append(("answered", timed_id, reached))

    def ended(self, ids: Collection[str]) -> None:
        self.calls.append(("ended", *ids))

    def took_back(self, ended: Sequence[tuple[str, int]]) -> None:
        self.calls.append(("took back", *ended))

    def read(self, user: int, chat: ChatKey, ids: Collection[str], seq: int | None = None) -> None:
        self.calls.append(("read", user, chat, sorted(ids), seq))


class OneNodeTestCase(WorldTestCase):
    """A node with alice and bob online. Carol is offline. The test plays the other nodes."""

    away = ("carol",)

    def setUp(self) -> None:
        """Connect it."""
        super().setUp()
        self.others = _Others()
        self.copies: Any = self.world.chat.share_timed(self.others)
        self.timed = self.world.chat.messages.timed

    def copy(self, timed_id: str = "x", **changes: Any) -> TimedCopy:
        """Return a copy of a message of alice in GLOBAL."""
        fields: dict[str, Any] = {"id": timed_id, "chat": GLOBAL, "sender": 1, "text": "psst"}
        fields |= {"at": 1_000, "expires_at": 9_000, "left_ms": 8_000}
        return TimedCopy(**(fields | changes))

    def learn(self, *copies_there: TimedCopy, **fields: Any) -> None:
        """Learn the live messages of another node."""
        self.copies.learn(LiveTimed(copies_there, **fields))

    def live(self, chat: ChatKey = GLOBAL, reader: str = "bob", *, unread: bool = False) -> list[str]:
        """Return the ids of the messages that a reader sees, oldest first."""
        return [one.id for one in self.timed.newest_first(chat, self.world[reader], unread=unread)][::-1]

    def kinds(self, name: str) -> list[str]:
        """Return the kinds of events published to a user."""
        return [type(event).__name__ for event in self.world.told(name)]


class OwnMessagesTests(OneNodeTestCase):
    """Messages sent here."""

    def test_sent_after_the_turn(self) -> None:
        """A copy goes out in the next turn of the reactor, with all that the others need, and the answer waits."""
        self.done(self.world.chat.groups.create(self.world["alice"], "team", ["carol"], None))
        (group,) = self.world.directory.groups
        answered = self.world.send("alice", "*team", "psst @carol", expires_in=30, nonce="n")
        self.assertEqual(self.others.sent, [])
        self.world.pass_time(0)
        (copy,) = self.others.sent
        self.assertEqual((copy.chat, copy.sender, copy.text, copy.nonce), (group, 1, "psst @carol", "n"))
        self.assertEqual((copy.left_ms, copy.expires_at - copy.at, copy.to), (30_000, 30_000, (3,)))
        self.assertEqual((copy.audience, copy.followed_by, copy.reached, copy.of), ((1, 3), 0, 0, 1))
        self.assertNoResult(answered)
        self.others.sending[0].callback(frozenset({3}))
        self.assertEqual(self.done(answered).reached, 1)
        self.assertEqual(self.others.calls, [("answered", copy.id, 1)])

    def test_audience_of_the_moment(self) -> None:
        """The members of a group are those at the time of sending. Outside of groups there are none to list."""
        self.done(self.world.chat.groups.create(self.world["alice"], "team", [], None))
        self.world.send("alice", "*team", expires_in=30)
        self.world.send("alice", "GLOBAL", expires_in=30)
        self.done(self.world.chat.groups.add(self.world["alice"], "team", "bob", None))
        self.world.pass_time(0)
        self.assertEqual([copy.audience for copy in self.others.sent], [(1,), None])

    def test_reached_once(self) -> None:
        """A user that it reached here and elsewhere counts once."""
        answered = self.world.send("alice", "GLOBAL", expires_in=30)
        self.world.pass_time(0)
        self.others.sending[0].callback(frozenset({2, 3}))
        self.assertEqual((self.done(answered).reached, self.others.calls), (2, []))

    def test_failed(self) -> None:
        """If the others cannot be told, the answer counts the users that it reached here."""
        answered = self.world.send("alice", "GLOBAL", expires_in=30)
        self.world.pass_time(0)
        self.others.sending[0].errback(unavailable())
        self.assertEqual(self.done(answered).reached, 1)

    def test_ended_before_it_goes_out(self) -> None:
        """A message that has ended before its turn, or was taken back, is not sent, and its sender is answered."""
        answered = [self.world.send("alice", "GLOBAL", expires_in=1)]
        self.world.clock.rightNow += 1
        self.world.clock.advance(0)
        answered.append(self.world.send("alice", "GLOBAL", expires_in=9))
        self.done(self.world.amend_last("alice", "GLOBAL"))
        self.world.pass_time(0)
        self.assertEqual([self.done(one).reached for one in answered], [1, 1])
        self.assertEqual(self.others.sent, [])

    def test_ended_while_it_waited(self) -> None:
        """A message that ended while it waited for the store is answered at once, and the others do not hear of it."""
        self.world.store.holding = True
        self.world.send("bob", "GLOBAL")
        answered = self.world.send("alice", "GLOBAL", expires_in=1)
        self.world.pass_time(1)
        self.world.store.let_through()
        self.assertEqual(self.done(answered).reached, 0)
        self.world.pass_time(0)
        self.assertEqual(self.others.sent, [])

    def test_taken_back(self) -> None:
        """The others ignore copies of a message that was taken back for as long as it would have lived, and longer."""
        self.world.send("alice", "GLOBAL", expires_in=30)
        self.world.pass_time(0)
        (copy,) = self.others.sent
        self.done(self.world.amend_last("alice", "GLOBAL"))
        self.assertEqual(self.others.calls, [("took back", (copy.id, 35_000))])
        self.assertEqual(list(self.copies.ended()), [(copy.id, 35_000)])
        for _ in range(34):
            self.world.pass_time(1)
        self.assertEqual(self.copies.receive(copy), frozenset())
        self.world.pass_time(2)
        self.assertEqual((list(self.copies.ended()), self.others.calls[1:], self.live()), ([], [], []))

    def test_ended(self) -> None:
        """An end on time is passed on once, and copies that are late by seconds are ignored."""
        self.world.send("alice", "GLOBAL", expires_in=2)
        self.world.pass_time(0)
        (copy,) = self.others.sent
        self.world.pass_time(2)
        self.assertEqual(self.others.calls, [("ended", copy.id)])
        self.world.pass_time(4)
        self.assertEqual((self.copies.receive(copy), self.live()), (frozenset(), []))
        self.world.pass_time(2)
        self.assertEqual((self.copies.receive(copy), self.live()), (frozenset({2}), [copy.id]))

    def test_read(self) -> None:
        """A read is passed on once, with the ids and, if only timed messages were unread, the marker."""
        self.learn(self.copy("a"), self.copy("b"))
        bob = self.world["bob"]
        first = next(iter(self.timed.missed(bob, 0)))
        for _ in range(2):
            self.world.chat.reading.timed_shown(bob, GLOBAL, first.order)
        for _ in range(2):
            self.done(self.world.chat.reading.mark(bob, "GLOBAL", 0, None))
        self.assertEqual(self.others.calls, [("read", 2, GLOBAL, ["a"], None), ("read", 2, GLOBAL, ["b"], 0)])

    def test_removed_sender(self) -> None:
        """The end of all messages of a removed user is passed on. Those of others stay."""
        self.learn(self.copy("a"), self.copy("b", sender=2), self.copy("c", chat=(1, 2)))
        self.world.chat.messages.end_all_of(self.world["alice"])
        self.assertEqual(self.others.calls[:2], [("took back", ("a", 13_000)), ("took back", ("c", 13_000))])
        self.assertEqual((self.live(reader="carol"), self.live((1, 2))), (["b"], []))
        self.copies.receive(self.copy("late"))
        self.assertEqual(self.others.calls[-1], ("took back", ("late", 13_000)))
        self.assertEqual(self.live(reader="carol"), ["b"])


class ReceivingTests(OneNodeTestCase):
    """Messages of other nodes."""

    def test_receive(self) -> None:
        """A new copy is published once. A known one changes nothing, and reports its receivers again."""
        for _ in range(2):
            self.assertEqual(self.copies.receive(self.copy(to=(2, 99))), {2})
        self.assertEqual((self.kinds("bob"), self.kinds("alice"), self.live()), (["Message"], ["Message"], ["x"]))
        (message,) = self.world.told("bob")
        assert isinstance(message, events.Message)
        self.assertEqual(
            (message.to, message.left_ms, message.expires_at), (["bob"], 8_000, "1970-01-01T00:00:09.000Z")
        )
        self.assertEqual(next(self.timed.newest_first(GLOBAL, self.world["bob"])).had_by(), {1, 2})

    def test_answers(self) -> None:
        """A repeated nonce waits for the answer of the first node, and a late one does not change it."""
        self.copies.receive(self.copy(nonce="n", of=2, reached=1))
        again = self.world.send("alice", "GLOBAL", "psst", expires_in=8, nonce="n")
        self.assertNoResult(again)
        self.copies.note_answered("unknown", 9)
        self.copies.note_answered("x", 2)
        self.copies.note_answered("x", 7)
        answer = self.done(again)
        self.assertEqual((answer.id, answer.reached, answer.of), ("x", 2, 2))
        self.world.pass_time(ANSWER_SECONDS)
        self.assertEqual(self.done(self.world.send("alice", "GLOBAL", expires_in=8, nonce="n")).reached, 2)
        self.assertEqual(self.copies._open, {})

    def test_without_an_answer(self) -> None:
        """If the first node does not report its answer in time, its count so far is the answer."""
        self.copies.receive(self.copy(nonce="n", of=2, reached=1))
        again = self.world.send("alice", "GLOBAL", "psst", expires_in=8, nonce="n")
        self.world.pass_time(ANSWER_SECONDS)
        self.assertEqual(self.done(again).reached, 1)

    def test_no_nonce(self) -> None:
        """A copy without a nonce leaves nothing to remember."""
        self.copies.receive(self.copy())
        self.assertEqual((self.copies._open, self.world.chat.messages.timed_nonces.by_id()), ({}, {}))

    def test_sent_twice(self) -> None:
        """Of two messages with one nonce, the one with the lower id stays, whichever arrives first."""
        self.copies.receive(self.copy("b", nonce="n"))
        self.assertEqual(self.copies.receive(self.copy("c", nonce="n")), frozenset())
        self.assertEqual((self.live(), self.others.calls), (["b"], [("took back", ("c", 13_000))]))
        self.assertEqual(self.copies.receive(self.copy("a", nonce="n")), {2})
        self.assertEqual((self.live(), self.others.calls[1:]), (["a"], [("took back", ("b", 13_000))]))
        self.assertEqual(self.kinds("bob"), ["Message", "Erased", "Message"])
        self.assertEqual(list(self.copies.ended()), [("c", 13_000), ("b", 13_000)])
        self.copies.receive(self.copy("0", nonce="n", sender=2))
        self.assertEqual(self.live(), ["a", "0"])

    def test_sent_again_after_the_end(self) -> None:
        """If the first of two messages with one nonce has ended, the other does not appear, whatever its id."""
        self.copies.receive(self.copy("b", nonce="n", left_ms=1_000))
        self.world.pass_time(1)
        self.assertEqual(self.copies.receive(self.copy("a", nonce="n")), frozenset())
        self.assertEqual((self.live(), self.others.calls), ([], [("ended", "b"), ("took back", ("a", 13_000))]))

    def test_forget(self) -> None:
        """Messages that ended early elsewhere are erased here, for all that may have had them, and texts dropped."""
        self.learn(self.copy("a"), self.copy("b"))
        del self.world.published[:]
        self.copies.forget([("a", 4_000), ("unknown", 4_000)])
        self.assertEqual((self.kinds("alice"), self.kinds("bob"), self.live()), (["Erased"], ["Erased"], ["b"]))
        self.assertEqual(self.others.calls, [("ended", "a", "unknown")])
        for timed_id in "a", "unknown":
            self.copies.receive(self.copy(timed_id))
        self.assertEqual(self.live(), ["b"])
        self.world.pass_time(4.5)
        self.copies.receive(self.copy("unknown"))
        self.assertEqual(self.live(), ["b", "unknown"])
        self.copies.forget([])
        self.assertEqual(len(self.world.published), 2)

    def test_forgotten_for_the_longer_time(self) -> None:
        """If two nodes report an end, copies are ignored for the longer of both times."""
        for left in 500, 900, 400:
            self.copies.forget([("x", left)])
        self.assertEqual(list(self.copies.ended()), [("x", 900)])

    def test_bounded(self) -> None:
        """Few ended messages and early reads are remembered, the latest ones."""
        self.patch(copies, "_GONE_MOST", 2)
        self.patch(copies, "_UNKNOWN_MOST", 2)
        self.copies.forget([(timed_id, 5_000) for timed_id in "abc"])
        for timed_id in "xyz":
            self.copies.note_read([2], GLOBAL, [timed_id])
        self.assertEqual([timed_id for timed_id, _ in self.copies.ended()], ["b", "c"])
        self.assertEqual(list(self.copies._read_early), ["y", "z"])

    def test_early_reads_of_ended_messages(self) -> None:
        """What was read before it arrived is forgotten when it arrives or ends, and not kept for an ended message."""
        for timed_id in "abc":
            self.copies.note_read([2], GLOBAL, [timed_id])
        self.copies.receive(self.copy("a"))
        self.copies.forget([("b", 5_000)])
        self.copies.note_read([2, 3], GLOBAL, ["b", "c"])
        self.assertEqual(self.copies._read_early, {"c": {2, 3}})
        self.copies.receive(self.copy("c"))
        self.assertEqual((self.live(unread=True), self.live(reader="carol", unread=True)), ([], ["a"]))

    def test_read_some(self) -> None:
        """Only the messages that were read elsewhere count as read, not those between them."""
        self.learn(*(self.copy(timed_id) for timed_id in "abcdef"))
        self.copies.note_read([2], GLOBAL, ["b", "d"])
        self.assertEqual(self.live(unread=True), ["a", "c", "e", "f"])
        self.copies.note_read([2, 3], GLOBAL, ["f", "unknown", "e"])
        self.assertEqual(self.live(unread=True), ["a", "c"])
        self.assertEqual(self.live(reader="carol", unread=True), ["a", "b", "c", "d"])
        self.copies.note_read([2], 99, ["a"])
        self.assertEqual(self.live(unread=True), ["a", "c"])

    def test_slices(self) -> None:
        """Many reads are noted in several turns, in one pass at a time. Later ones are noted at once again."""
        self.learn(self.copy("a"), self.copy("b"))
        self.patch(copies, "_SLICE_SECONDS", -1)
        self.copies.note_read([2, 3], GLOBAL, ["a"])
        self.copies.note_read([2], GLOBAL, ["b"])
        self.assertEqual((self.live(unread=True), len(self.copies._reads)), (["b"], 2))
        for _ in range(2):
            self.world.clock.advance(0)
        self.assertEqual((self.live(unread=True), self.live(reader="carol", unread=True)), ([], ["b"]))
        self.copies.note_read([3], GLOBAL, ["b"])
        self.assertEqual(self.live(reader="carol", unread=True), [])

    def test_marker(self) -> None:
        """The marker of a read elsewhere goes to the sessions of that user here, named as it calls the chat."""
        self.copies.note_read([2, 3], (1, 2), [], 7)
        self.copies.note_read([2], 99, [], 7)
        (publication,) = self.world.published
        self.assertEqual((publication.event, publication.audience), (events.Read(chat="@alice", seq=7), (2,)))
