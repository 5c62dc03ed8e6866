"""The timed messages of one chat at the edges: late members, read spans, and mentions."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.chat.state.entities import DirectoryChat, User
from irchat.chat.timed import timed_chat
from irchat.chat.timed.timed_chat import TimedChat, TimedMessage, left_ms
from irchat.interfaces.stored import GLOBAL


class EdgesTests(SynchronousTestCase):
    """Five messages of alice, for bob and carol, in blocks of two. Their orders are 2, 4, 6, 8 and 10."""

    def setUp(self) -> None:
        """Send them. They mention bob."""
        self.patch(timed_chat, "_BLOCK_MOST", 2)
        self.alice, self.bob, self.carol = (
            User(id, name, name) for id, name in enumerate(("alice", "bob", "carol"), 1)
        )
        self.chat = TimedChat(DirectoryChat(GLOBAL))
        self.sent = [self.add(order, self.alice) for order in (2, 4, 6, 8, 10)]

    def add(self, order: int, sender: User) -> TimedMessage:
        """Send a message."""
        timed = TimedMessage("id", self.chat.chat, sender, "", 0, 1, 1.0, order, (self.bob,))
        self.chat.add(timed)
        return timed

    def unread(self, reader: User) -> list[int]:
        """Return the orders of the unread messages, and check their number."""
        orders = [timed.order for timed in self.chat.newest_first(reader, reader.hidden, unread=True)][::-1]
        self.assertEqual(self.chat.unread(reader, reader.hidden), len(orders))
        return orders

    def test_exclude(self) -> None:
        """A message that late members may not see counts as read by them, and no other one does."""
        self.chat.exclude(self.sent[2], [self.bob])
        self.assertEqual((self.unread(self.bob), self.unread(self.carol)), ([2, 4, 8, 10], [2, 4, 6, 8, 10]))
        self.assertEqual(self.chat.mentions(self.bob, ()), 4)
        seen = [[one.order for one in self.chat.since(4, user, ())] for user in (self.bob, self.carol)]
        self.assertEqual(seen, [[4, 8, 10], [4, 6, 8, 10]])
        self.assertNotIn(self.sent[2], list(self.chat.newest_first(self.bob, frozenset())))

    def test_exclude_among_neighbours(self) -> None:
        """The messages right before and after it stay unread."""
        sent = [self.add(order, self.alice) for order in (11, 12, 13)]
        self.chat.exclude(sent[1], [self.bob])
        self.assertEqual(self.unread(self.bob)[-2:], [11, 13])

    def test_exclude_from_a_read_span(self) -> None:
        """That holds also for a user that has read the others around it, while their sender was hidden."""
        self.bob.hidden = frozenset({self.alice.id})
        self.chat.note_all_read(self.bob)
        self.bob.hidden = frozenset()
        self.chat.exclude(self.sent[2], [self.bob])
        self.assertEqual(self.unread(self.bob), [2, 4, 8, 10])

    def test_audience(self) -> None:
        """Those that joined before a message may see it, except its late members."""
        self.chat.exclude(self.sent[0], [self.carol])
        self.assertEqual(self.chat.audience(self.sent[0], (1, 2, 3)), (1, 2))
        self.chat.begin_sight(self.bob)
        self.assertEqual([self.chat.audience(one, (1, 2, 3)) for one in self.sent[::4]], [(1,), (1, 3)])
        self.assertEqual(self.chat.audience(self.add(12, self.alice), (1, 2, 3)), (1, 2, 3))
        self.assertEqual((self.unread(self.bob), self.chat.mentions(self.bob, ())), ([12], 1))

    def test_reads(self) -> None:
        """The read spans between two orders are cut to them. Spans that only touch them are left out."""
        self.chat.note_read(self.bob, 3, 6)
        self.chat.note_read(self.carol, 1, 2)
        self.chat.note_read(self.carol, 7, 10)
        for between, wanted in (
            ((0, 10), [(2, 3, 6), (3, 1, 2), (3, 7, 10)]), ((4, 8), [(2, 4, 6), (3, 7, 8)]), ((6, 7), []), ((2, 3), []),
        ):  # fmt: skip
            self.assertEqual([read[:3] for read in self.chat.reads(*between)], wanted, between)

    def test_spans(self) -> None:
        """Spans are cut by later ones whose hidden senders differ, and joined when nothing unread is between."""
        self.add(12, self.carol)
        self.chat.note_read(self.bob, 1, 12, frozenset({self.carol.id}))
        self.assertEqual(self.unread(self.bob), [12])
        self.chat.note_read(self.bob, 3, 8, frozenset())
        self.assertEqual((self.unread(self.bob), len(self.chat._spans(self.bob))), ([12], 3))
        self.chat.note_read(self.bob, 11, 12, frozenset())
        self.assertEqual(self.unread(self.bob), [])
        self.chat.note_read(self.carol, 1, 4)
        self.chat.note_read(self.carol, 7, 8)
        self.assertEqual((self.unread(self.carol), len(self.chat._spans(self.carol))), ([6, 10], 2))
        self.chat.remove(self.sent[2])
        self.chat.note_read(self.carol, 9, 10)
        self.assertEqual((self.unread(self.carol), len(self.chat._spans(self.carol))), ([], 1))

    def test_spans_of_ended_messages(self) -> None:
        """Spans before the first live message are dropped with the next read."""
        self.chat.note_read(self.bob, 1, 2)
        self.chat.note_read(self.bob, 5, 6)
        for timed in self.sent[:2]:
            self.chat.remove(timed)
        self.chat.note_read(self.bob, 9, 10)
        self.assertEqual([span[:2] for span in self.chat._spans(self.bob)], [(5, 6), (9, 10)])

    def test_mentions(self) -> None:
        """Unread mentions do not count those of hidden senders, and end with their messages."""
        last = self.add(12, self.carol)
        self.chat.note_read(self.bob, 3, 6)
        self.assertEqual((self.chat.mentions(self.bob, ()), self.chat.mentions(self.bob, {3})), (4, 3))
        for timed in self.sent:
            self.assertTrue(self.chat.remove(timed))
            self.assertFalse(self.chat.remove(timed))
        self.assertEqual((self.chat.mentions(self.bob, ()), self.chat.mentions(self.carol, ())), (1, 0))
        self.chat.remove(last)
        self.assertEqual((self.chat.mentions(self.bob, ()), self.chat._calls), (0, {}))

    def test_removed_twice(self) -> None:
        """A message that precedes all live ones is removed already."""
        self.chat.remove(self.sent[0])
        self.chat.remove(self.sent[1])
        self.assertFalse(self.chat.remove(self.sent[0]))
        self.assertEqual([[one.order for one in batch] for batch in self.chat.batches()], [[6, 8], [10]])

    def test_batches(self) -> None:
        """The messages of a sender come in batches without those of others, which may be removed meanwhile."""
        self.add(12, self.carol)
        self.assertEqual([[one.order for one in batch] for batch in self.chat.batches(self.carol)], [[12]])
        for batch in self.chat.batches(self.alice):
            for timed in batch:
                self.chat.remove(timed)
        self.assertEqual([one.order for one in self.chat.newest_of(self.carol)], [12])
        self.assertEqual(list(self.chat.newest_of(self.alice)), [])

    def test_remaining_time(self) -> None:
        """The remaining time is in whole milliseconds, never negative."""
        self.assertEqual([left_ms(end, 1.0) for end in (3.5, 1.0009, 1.0, 0.5)], [2_500, 0, 0, 0])
