"""Timed messages by sender, chat and order; what counts as read; and the calls to other nodes."""

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.chat.state.directory import Directory
from irchat.chat.state.entities import User
from irchat.chat.timed import timed_messages
from irchat.chat.timed.timed_messages import TimedMessage, TimedMessages
from irchat.interfaces.stored import GLOBAL, Snapshot, StoredGroup, StoredUser
from irchat.interfaces.writes import BlockSet, Entry


class LookupTests(SynchronousTestCase):
    """`TimedMessages` in chats of three users, with a group of two."""

    def setUp(self) -> None:
        """Record what counts as read."""
        users = [StoredUser(number, name, name) for number, name in enumerate(("alice", "bob", "carol"), 1)]
        self.directory = Directory(Snapshot(users, [StoredGroup(7, "team", "team", 1, [1, 2])], []))
        self.alice, self.bob, self.carol = self.directory.users.values()
        self.clock = Clock()
        self.ended: list[int] = []
        self.timed = TimedMessages(self.clock, lambda ended: self.ended.extend(one.order for one in ended))
        self.read: list[tuple[Any, ...]] = []
        self.timed.on_read = lambda user, key, messages, seq: self.read.append(
            (user.id, key, [one.order for one in messages], seq)
        )

    def add(self, seconds: float = 9, chat: str = "GLOBAL", sender: User | None = None, **how: Any) -> TimedMessage:
        """Send a timed message from alice."""
        sender = sender or self.alice
        end = self.clock.seconds() + seconds
        return self.timed.add(self.directory.chat(sender, chat), sender, "psst", 1_000, 9, end, **how)

    def unread(self, reader: User, key: Any = GLOBAL) -> list[int]:
        """Return the orders of the unread messages."""
        return [one.order for one in self.timed.newest_first(key, reader, unread=True)]

    def test_one(self) -> None:
        """A single message ends on time, as does one that is added later but ends earlier."""
        self.add(5)
        self.clock.advance(5)
        self.add(9)
        self.add(2)
        self.clock.advance(2)
        self.assertEqual(self.ended, [1, 3])

    def test_ids(self) -> None:
        """A copy keeps its id, and its display times are those of the first node."""
        timed = self.add(timed_id="x", to=(self.bob,))
        self.assertEqual((timed.id, timed.at, timed.expires_at, timed.to), ("x", 1_000, 10_000, (self.bob,)))
        self.assertNotIn(self.add().id, ("x", ""))

    def test_receivers(self) -> None:
        """Consecutive messages that the same users received share one object for them."""
        first, second, third = (self.add() for _ in range(3))
        for timed, ids in (first, (1, 2)), (second, (2, 1)), (third, (3,)):
            self.timed.give(timed, ids)
        self.assertIs(first.had, second.had)
        self.assertEqual([one.had_by() for one in (first, second, third)], [{1, 2}, {1, 2}, {3}])

    def test_nothing(self) -> None:
        """A chat without messages has none, none unread, and none to end."""
        self.assertEqual((self.unread(self.bob), list(self.timed.newest_of(self.bob, GLOBAL))), ([], []))
        self.assertFalse(self.timed.note_all_read(self.bob, GLOBAL))
        self.timed.note_read(self.bob, GLOBAL, 0, 9)
        self.timed.end_of(self.alice)
        self.timed.end_chat(7)
        self.assertEqual((self.timed.in_chat(7), self.timed.in_chats(), self.ended, self.read), (None, [], [], []))

    def test_newest_of(self) -> None:
        """The messages of a sender are those that live, newest first, to the moment before their end."""
        for seconds in 2, 5, 5:
            self.add(seconds)
        self.add(5, sender=self.bob)
        self.clock.rightNow = 2.0
        self.assertEqual([one.order for one in self.timed.newest_of(self.alice, GLOBAL)], [3, 2])

    def test_followed(self) -> None:
        """Each is followed by the first stored message of its sender in its chat."""
        first, other = self.add(), self.add(chat="@bob")
        self.timed.note_stored(self.alice, GLOBAL, 4)
        second, of_bob = self.add(), self.add(sender=self.bob)
        self.timed.note_stored(self.alice, GLOBAL, 6)
        self.timed.note_stored(self.alice, GLOBAL, 7)
        self.assertEqual([one.followed_by for one in (first, second, other, of_bob)], [4, 6, 0, 0])

    def test_note_read(self) -> None:
        """The other nodes hear of the messages that were unread and are read now, newest first."""
        for _ in range(4):
            self.add()
        self.add(sender=self.bob)
        self.timed.note_read(self.bob, GLOBAL, 1, 3)
        self.assertEqual((self.read, self.unread(self.bob)), ([(2, GLOBAL, [3, 2], None)], [4, 1]))
        self.timed.note_read(self.bob, GLOBAL, 2, 5)
        self.assertTrue(self.timed.note_all_read(self.bob, GLOBAL, 8))
        self.assertFalse(self.timed.note_all_read(self.bob, GLOBAL, 8))
        self.assertEqual(self.read[1:], [(2, GLOBAL, [4], None), (2, GLOBAL, [1], 8)])
        self.assertEqual((self.unread(self.bob), self.unread(self.carol)), ([], [5, 4, 3, 2, 1]))

    def test_single_server(self) -> None:
        """Without other nodes reads are noted in the same way."""
        self.timed.on_read = None
        for _ in range(2):
            self.add()
        self.timed.note_read(self.bob, GLOBAL, 0, 1)
        self.assertEqual(self.unread(self.bob), [2])
        self.assertTrue(self.timed.note_all_read(self.bob, GLOBAL))
        self.assertEqual(self.unread(self.bob), [])

    def test_counts(self) -> None:
        """The live messages of each sender are counted until they end, and nothing stays of one without any."""
        self.add(2)
        timed = self.add(5)
        self.add(5, sender=self.bob)
        self.assertEqual([self.timed.count_of(user) for user in (self.alice, self.bob, self.carol)], [2, 1, 0])
        self.clock.advance(2)
        self.assertEqual(self.timed.count_of(self.alice), 1)
        self.timed.take_back(timed)
        self.assertEqual((self.timed.count_of(self.alice), dict(self.timed.of_sender)), (0, {2: 1}))

    def test_taken_back_keeps_an_earlier_end(self) -> None:
        """Taking back a message whose alarm is late does not move its end."""
        first, second = self.add(2), self.add(5)
        self.clock.rightNow = 3.0
        self.assertTrue(self.timed.take_back(first))
        self.assertTrue(self.timed.take_back(second))
        self.assertEqual((first.end, second.end), (2.0, 3.0))

    def test_taken_back_are_dropped_in_time(self) -> None:
        """Messages that were taken back make up at most half of the heap of ends, or a fixed number."""
        self.patch(timed_messages, "_TAKEN_BACK_MOST", 2)
        for live, most in (0, 2), (2, 2), (10, 10):
            self.setUp()
            for seconds in range(live, 0, -1):
                self.add(seconds)
            sizes = []
            for _ in range(2 * most + 2):
                self.timed.take_back(self.add(100))
                sizes.append(len(self.timed._ends) - live)
            self.assertEqual(sizes, [*range(1, most + 1), 0] * 2)
            self.clock.pump([1.0] * live)
            self.assertEqual(self.ended, list(range(live, 0, -1)))

    def test_ends_after_many_were_taken_back(self) -> None:
        """Each of the others ends in its second, whatever was taken back."""
        self.patch(timed_messages, "_TAKEN_BACK_MOST", 0)
        live = {seconds: self.add(seconds) for seconds in (4, 7, 5, 1, 3, 6, 2)}
        for seconds in 1, 2, 3, 6:
            self.timed.take_back(live.pop(seconds))
        ended_at = []
        for second in range(1, 8):
            before = len(self.ended)
            self.clock.advance(1)
            ended_at += [second] * (len(self.ended) - before)
        self.assertEqual(ended_at, sorted(live))

    def test_missed(self) -> None:
        """Messages of all chats of a reader come in one order, without hidden senders and other groups."""
        self.add(chat="team")
        self.add()
        self.add(chat="@bob")
        self.add(sender=self.carol)
        self.add(chat="@carol")
        self.directory.apply(Entry(BlockSet(2, 3, True)))
        self.assertEqual([one.order for one in self.timed.missed(self.bob, 0)], [1, 2, 3])
        self.assertEqual([one.order for one in self.timed.missed(self.carol, 2)], [2, 4, 5])

    def test_end_of_one_sender(self) -> None:
        """The messages of a removed user end in all chats, once, and those of others stay."""
        for chat in "GLOBAL", "team", "@bob":
            self.add(chat=chat)
        self.add(sender=self.bob)
        self.timed.end_of(self.alice)
        self.assertEqual((self.ended, self.unread(self.carol)), ([1, 2, 3], [4]))
        self.clock.advance(9)
        self.assertEqual(self.ended, [1, 2, 3, 4])

    def test_two_ends_at_once(self) -> None:
        """Ends of several senders run one after the other, and hide all of them from the first moment on."""
        self.patch(timed_messages, "_BATCHES_A_TURN", 1)
        for sender in self.alice, self.bob, self.carol, self.alice:
            self.add(sender=sender)
            self.add(chat="@carol" if sender is not self.carol else "@bob", sender=sender)
        self.timed.end_of(self.alice)
        waiting = len(self.clock.getDelayedCalls())
        self.timed.end_of(self.bob)
        self.assertEqual(len(self.clock.getDelayedCalls()), waiting)
        self.assertEqual([one.sender for one in self.timed.newest_first(GLOBAL, self.carol)], [self.carol])
        for _ in range(9):
            self.clock.advance(0)
        self.assertEqual((sorted(self.ended), self.timed._senders_cut), ([1, 2, 3, 4, 7, 8], frozenset()))
        self.timed.end_of(self.carol)
        self.clock.advance(0)
        self.assertEqual(len(self.ended), 8)
