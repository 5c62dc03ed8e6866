"""The events that a session missed while it was behind."""

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.bus import Publication
from irchat.interfaces.stored import GLOBAL
from irchat.protocol.events import Ok
from irchat.protocol.rules import WAITING_BYTES
from irchat.server.delivery.missed import Encoded, Missed
from tests.helpers.outboxes import FakeReader, OutboxTestCase, change, stored, timed


class MissedTests(SynchronousTestCase):
    """`Missed`."""

    def setUp(self) -> None:
        """Nothing is missed."""
        self.reader = FakeReader()
        self.missed = Missed(100)

    def note(self, *publications: Publication) -> bool:
        return self.missed.note(publications, self.reader)

    def next(self) -> Deferred[bytes]:
        """Take what comes next."""

        async def take() -> bytes:
            encode = await self.missed.next(self.reader)
            data: Encoded = encode()
            return data[0]

        return ensureDeferred(take())

    def test_order(self) -> None:
        """Events that no store holds come first, then messages, changes, and timed messages."""
        self.note(timed(3), change(2), stored(7), Publication(Ok(), None))
        self.reader.timed = [(GLOBAL, 3)]
        self.assertEqual(self.successResultOf(self.next()), b"<ok>")
        for give, said in ((self.reader.give, b"<7>"), (self.reader.give_changes, b"<change 7>")):
            given = self.next()
            give(7)
            self.assertEqual(self.successResultOf(given), said)
        self.assertFalse(self.missed.is_empty)
        self.assertEqual(self.successResultOf(self.next()), b"<timed 3>")
        self.assertTrue(self.missed.is_empty)

    def test_changes_page_by_page(self) -> None:
        """Changes are asked for after the last one that was sent, up to the newest that was missed, in each chat."""
        self.note(change(3), change(4, 9), change(8))
        given = self.next()
        self.assertEqual(self.reader.asked_changes[0][:2], (GLOBAL, 2))
        self.reader.give_changes(3, 5, more=True)
        self.assertEqual(self.successResultOf(given), b"<change 3><change 5>")
        given = self.next()
        self.assertEqual(self.reader.asked_changes[0][:2], (GLOBAL, 5))
        self.note(change(11))
        self.reader.give_changes(8, rev=10)
        self.assertEqual(self.successResultOf(given), b"<change 8>")
        self.next()
        self.reader.give_changes(11)
        self.next()
        self.assertEqual(self.reader.asked_changes[0][:2], (9, 3))
        self.reader.give_changes(rev=0)  # the session has left the chat
        self.assertTrue(self.missed.is_empty)

    def test_noted_by_the_reader(self) -> None:
        """The reader notes each change that is missed, and nothing else."""
        missed = [change(3), change(4, 9)]
        self.note(stored(1), missed[0], timed(2), missed[1], Publication(Ok(), None))
        self.assertEqual(self.reader.missed_changes, missed)

    def test_kept(self) -> None:
        """At most 256 KiB are kept of events that no store holds."""
        run = [Publication(Ok(), None)]
        for _ in range(WAITING_BYTES // len(b"<ok>")):
            self.assertTrue(self.note(*run))
        self.assertFalse(self.note(*run))

    def test_kept_again(self) -> None:
        """Kept events that were sent count no longer."""
        run = [Publication(Ok(), None)]
        self.assertTrue(self.missed.is_empty)
        for _ in range(2):
            for _ in range(WAITING_BYTES // len(b"<ok>")):
                self.assertTrue(self.note(*run))
            self.assertFalse(self.missed.is_empty)
            self.assertEqual(len(self.successResultOf(self.next())), WAITING_BYTES)
            self.assertTrue(self.missed.is_empty)

    def test_messages_page_by_page(self) -> None:
        """Messages are read after the last one that was sent, up to the newest that was missed."""
        self.note(stored(3), stored(9))
        given = self.next()
        self.assertEqual(self.reader.asked[0][:2], (GLOBAL, 2))
        self.reader.give(3, 6, more=True, last=9)
        self.assertEqual(self.successResultOf(given), b"<3><6>")
        self.assertFalse(self.missed.is_empty)
        given = self.next()
        self.assertEqual(self.reader.asked[0][:2], (GLOBAL, 6))
        self.note(stored(12))
        self.reader.give(8, 9, last=11)
        self.assertEqual(self.successResultOf(given), b"<8><9>")
        given = self.next()
        self.assertEqual(self.reader.asked[0][:2], (GLOBAL, 11))
        self.reader.give(last=12)
        self.assertEqual(self.successResultOf(given), b"")
        self.assertTrue(self.missed.is_empty)

    def test_removed_messages(self) -> None:
        """Missed messages that the store no longer has are not asked for again."""
        self.note(stored(3), stored(9))
        given = self.next()
        self.reader.give(last=0)
        self.assertEqual(self.successResultOf(given), b"")
        self.assertTrue(self.missed.is_empty)

    def test_own(self) -> None:
        """The session's own messages are not repeated, and those of the same number in other chats are sent."""
        for own in stored(2), stored(3, 9), timed(5), timed(6, 9), change(7):
            self.missed.note_own(own)
        self.note(stored(1), stored(3), timed(5))
        self.reader.timed = [(GLOBAL, 5), (GLOBAL, 6), (9, 6)]
        given = self.next()
        self.reader.give(1, 2, 3)
        self.assertEqual(self.successResultOf(given), b"<1><3>")
        self.assertEqual(self.successResultOf(self.next()), b"<timed 6>")
        self.assertTrue(self.missed.is_empty)

    def test_seen(self) -> None:
        """Messages that the session has otherwise are not sent, and those of other chats do not count."""
        self.note(stored(3), stored(9), stored(4, 5))
        self.missed.seen({GLOBAL: 6, 7: 100})
        self.next()
        self.assertEqual(self.reader.asked[0][:2], (GLOBAL, 6))
        self.missed.seen({GLOBAL: 1})
        self.next()
        self.assertEqual(self.reader.asked[1][:2], (GLOBAL, 6))
        self.missed.seen({GLOBAL: 9})
        self.next()
        self.assertEqual(self.reader.asked[2][:2], (5, 3))
        self.missed.seen({5: 4})
        self.assertTrue(self.missed.is_empty)

    def test_first_timed(self) -> None:
        """Timed messages are sent from the first that was missed, page by page."""
        self.note(timed(0), timed(4))
        self.assertFalse(self.missed.is_empty)
        self.reader.timed = [(GLOBAL, order) for order in range(3)]
        self.reader.timed_most = 2
        self.assertEqual(self.successResultOf(self.next()), b"<timed 0><timed 1>")
        self.assertFalse(self.missed.is_empty)
        self.assertEqual(self.successResultOf(self.next()), b"<timed 2>")
        self.assertTrue(self.missed.is_empty)


class OutboxTests(OutboxTestCase):
    """Changes in an outbox."""

    def test_behind(self) -> None:
        """A slow reader gets the states of changed messages after the messages. Then changes are direct again."""
        self.fall_behind()
        self.offer(stored(5), change(1), change(2))
        self.outbox.note_own(change(3))
        self.writer.keeps_up = True
        self.writer.drain()
        self.reader.give(5)
        self.reader.give_changes(2)
        self.assertEqual(self.writer.got(), b"<5><change 2>")
        self.assertEqual((self.outbox.behind, self.reader.calls), (False, ["caught up"]))
        self.offer(change(4))
        self.outbox.flush()
        self.assertEqual(self.writer.got(), b"<change 4>")

    def test_unseen(self) -> None:
        """The messages of a chat from a seq to another come after what waits, and later ones after them."""
        self.outbox.send_unseen(GLOBAL, 3, 4)
        self.outbox.put(b"<reply>")
        self.offer(stored(5))
        self.assertEqual(self.writer.got(), b"")
        self.outbox.flush()
        self.assertEqual(self.reader.asked[0][:2], (GLOBAL, 2))
        self.reader.give(3, 5)
        self.assertEqual((self.writer.got(), self.outbox.behind), (b"<reply><3><5>", False))

    def test_hold(self) -> None:
        """Changes during a sign-in come after the welcome."""
        self.outbox.hold()
        self.offer(change(4))
        self.outbox.put(b"<welcome>")
        self.outbox.release({GLOBAL: 5})
        self.reader.give_changes(4)
        self.assertEqual(self.writer.got(), b"<welcome><change 4>")
