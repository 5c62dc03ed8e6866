"""The outbox of a reader that fell behind, or is held during the sign-in."""

from irchat.interfaces.bus import Publication
from irchat.interfaces.stored import GLOBAL
from irchat.protocol.errors import unavailable
from irchat.protocol.events import Ok
from irchat.protocol.rules import WAITING_BYTES
from irchat.server.delivery.outbox import Outbox
from tests.helpers.outboxes import BIG, OutboxTestCase, stored, timed


class BehindTests(OutboxTestCase):
    """A slow reader."""

    def test_bound(self) -> None:
        """Events are queued up to exactly 256 KiB. Of the rest only the position is kept."""
        self.stall()
        half = b"x" * ((WAITING_BYTES - len(b"<first>")) // 2)
        self.outbox.offer(half, [stored(1)])
        self.outbox.offer(half, [stored(2)])
        self.assertFalse(self.outbox.behind)
        self.outbox.offer(half, [stored(3)])
        self.outbox.offer(b"small", [stored(4)])
        self.assertTrue(self.outbox.behind)
        self.writer.drain()
        self.assertEqual(self.writer.got(), half * 2)

    def test_timed_behind_little(self) -> None:
        """A timed message is queued behind at most 16 KiB of the same turn."""
        for size, is_behind in ((16_384, False), (16_385, True)):
            self.setUp()
            self.outbox.put(b"x" * size)
            self.offer(timed(1))
            self.assertEqual(self.outbox.behind, is_behind)

    def test_bound_of_what_one_session_is_told(self) -> None:
        """The limit includes data encoded for one session alone: it is queued at 256 KiB, above that it is not."""
        for size, is_behind in ((WAITING_BYTES, False), (WAITING_BYTES + 1, True)):
            self.setUp()
            self.outbox.put(b"x" * size)
            self.outbox.offer_one(stored(1))
            self.assertEqual(self.outbox.behind, is_behind)

    def test_caught_up_in_order(self) -> None:
        """Missed events come page by page, each after the previous one drained. Then events are direct again."""
        self.fall_behind()
        for seq in 5, 6, 7, 8:
            self.offer(stored(seq))
        self.writer.drain()
        self.assertEqual([(chat, after) for chat, after, _ in self.reader.asked], [(GLOBAL, 4)])
        self.reader.give(5, 6, more=True)
        self.assertEqual(self.writer.got(), b"<5><6>")
        self.assertEqual(self.reader.asked, [])
        self.writer.keeps_up = True
        self.writer.drain()
        self.assertEqual(self.reader.asked[0][1], 6)
        self.offer(stored(9))
        self.reader.give(7, 8)
        self.reader.give(9)
        self.assertEqual(self.writer.got(), b"<7><8><9>")
        self.assertEqual((self.outbox.behind, self.reader.calls), (False, ["caught up"]))
        self.offer(stored(10))
        self.outbox.flush()
        self.assertEqual(self.writer.got(), b"<10>")

    def test_more_than_a_page_at_once(self) -> None:
        """A run above the limit comes from the store, even for a fast reader."""
        self.outbox.offer(BIG, [stored(1), stored(2)])
        self.assertEqual(self.wakes, 1)
        self.outbox.flush()
        self.reader.give(1, 2)
        self.assertEqual(self.writer.got(), b"<1><2>")
        self.assertFalse(self.outbox.behind)

    def test_page_holds_more_than_was_missed(self) -> None:
        """If a page reaches beyond the known gap, its messages are not sent again."""
        self.ask_for_page()
        self.offer(stored(6))
        self.reader.give(5, 6)
        self.assertEqual(self.writer.got(), b"<5><6>")
        self.assertEqual((self.reader.asked, self.outbox.behind), ([], False))

    def test_hidden_messages(self) -> None:
        """A page without visible messages, or of a group that was left, is not requested again."""
        self.fall_behind()
        self.offer(stored(5, 7))
        self.writer.keeps_up = True
        self.writer.drain()
        self.reader.give(last=0)
        self.assertEqual((self.writer.got(), self.reader.asked, self.outbox.behind), (b"", [], False))

    def test_own_do_not_come_back(self) -> None:
        """The session's own messages while behind are left out, and forgotten when it has caught up."""
        self.fall_behind()
        self.offer(stored(5))
        self.outbox.note_own(stored(6))
        self.outbox.note_own(timed(2))
        self.outbox.note_own(Publication(Ok(), None))
        self.offer(stored(7), timed(3))
        self.reader.timed = [(GLOBAL, 2), (GLOBAL, 3)]
        self.writer.keeps_up = True
        self.writer.drain()
        self.reader.give(5, 6, 7)
        self.assertEqual(self.writer.got(), b"<5><7><timed 3>")
        self.outbox.note_own(stored(8))
        self.assertIsNone(self.outbox._missed)

    def test_kept(self) -> None:
        """Events that the store cannot return are kept, and sent before its pages."""
        self.fall_behind()
        self.offer(stored(5))
        self.offer(Publication(Ok(), None))
        self.outbox.offer_one(Publication(Ok(), None))
        self.writer.keeps_up = True
        self.writer.drain()
        self.reader.give(5)
        self.assertEqual(self.writer.got(), b"<ok><ok><5>")

    def test_kept_is_bounded(self) -> None:
        """A reader with more than 256 KiB of them is disconnected."""
        self.fall_behind()
        for _ in range(WAITING_BYTES // len(b"<ok>")):
            self.offer(Publication(Ok(), None))
        self.assertEqual(self.writer.calls, [])
        self.offer(Publication(Ok(), None))
        self.assertEqual(self.writer.calls, ["abort"])

    def test_timed_do_not_wait(self) -> None:
        """A timed message is not queued behind waiting bytes, because it contains the remaining time."""
        self.stall()
        self.offer(timed(1))
        self.offer(timed(2))
        self.reader.timed = [(GLOBAL, 2)]
        self.writer.keeps_up = True
        self.writer.drain()
        self.assertEqual(self.writer.got(), b"<timed 2>")
        self.offer(timed(3))
        self.outbox.flush()
        self.assertEqual(self.writer.got(), b"<timed 3>")

    def test_timed_that_the_writer_has(self) -> None:
        """If the writer still has a timed message at its end, the connection is closed, otherwise it stays."""
        for left_in_time in (True, False):
            self.setUp()
            self.stall()
            self.offer(timed(1))
            self.reader.timed, self.reader.timed_until = [(GLOBAL, 1)], 10.0
            self.writer.drain()
            self.assertEqual(self.writer.got(), b"<timed 1>")
            self.clock.advance(9)
            if left_in_time:
                self.reader.timed = []
                self.writer.keeps_up = True
                self.writer.drain()
            self.clock.advance(1)
            self.assertEqual(self.writer.calls, [] if left_in_time else ["abort"])
            self.assertEqual(self.outbox.closed, not left_in_time)

    def test_timed_page_by_page(self) -> None:
        """Many timed messages come in pages too, each after the previous one drained."""
        self.stall()
        self.offer(timed(1), timed(2), timed(3))
        self.reader.timed = [(GLOBAL, order) for order in (1, 2, 3)]
        self.reader.timed_most = 2
        self.writer.drain()
        self.assertEqual(self.writer.got(), b"<timed 1><timed 2>")
        self.writer.keeps_up = True
        self.writer.drain()
        self.assertEqual(self.writer.got(), b"<timed 3>")
        self.assertFalse(self.outbox.behind)

    def test_replies_go_on(self) -> None:
        """Replies are sent while the session catches up from the store, before the page."""
        self.ask_for_page()
        self.outbox.put(b"<reply>")
        self.outbox.flush()
        self.assertEqual(self.writer.got(), b"<reply>")
        self.outbox.put(b"<reply>")
        self.reader.give(5)
        self.assertEqual(self.writer.got(), b"<reply><5>")

    def test_closed_while_asking(self) -> None:
        """A page that arrives after the connection is closed is dropped silently."""
        for end in Outbox.close, Outbox.lost:
            self.setUp()
            self.ask_for_page()
            self.outbox.drop_held()
            end(self.outbox)
            self.reader.give(5)
            self.assertEqual(self.writer.got(), b"")

    def test_nothing_is_encoded_for_the_lost(self) -> None:
        """A page for a lost connection is not encoded: its session may no longer stand."""
        self.ask_for_page()
        self.patch(self.reader, "say_stored", None)
        self.outbox.lost()
        self.reader.give(5)
        self.assertEqual((self.writer.got(), self.writer.calls), (b"", []))

    def test_one_page_at_a_time(self) -> None:
        """A reply that is sent while a page is read does not ask for the page again."""
        self.ask_for_page()
        self.outbox.put(b"<reply>")
        self.outbox.flush()
        self.assertEqual(len(self.reader.asked), 1)
        self.reader.give(5)
        self.assertEqual((self.writer.got(), self.reader.calls), (b"<reply><5>", ["caught up"]))

    def test_pages_count_as_waiting(self) -> None:
        """What waits of a page counts, so that requests stop, and what was taken does not."""
        for keeps_up in True, False:
            self.setUp()
            self.fall_behind()
            self.offer(stored(5), stored(6))
            self.writer.keeps_up = keeps_up
            self.patch(self.reader, "say_stored", lambda message: BIG)
            self.writer.drain()
            self.reader.give(5, more=True)
            self.assertEqual(self.outbox.full(), not keeps_up)

    def test_timed_that_were_taken(self) -> None:
        """A timed message that came with what was missed, and was taken, closes nothing at its end."""
        self.stall()
        self.offer(timed(1))
        self.reader.timed, self.reader.timed_until = [(GLOBAL, 1)], 10.0
        self.writer.keeps_up = True
        self.writer.drain()
        self.assertEqual(self.writer.got(), b"<timed 1>")
        self.clock.advance(10)
        self.assertEqual(self.writer.calls, [])

    def test_timed_after_timed(self) -> None:
        """A timed message that was taken in time does not end the next one that waits."""
        for end in 10.0, 30.0:
            self.stall()
            self.offer(timed(1))
            self.reader.timed, self.reader.timed_until = [(GLOBAL, 1)], end
            self.writer.drain()
            self.assertEqual(self.writer.got(), b"<timed 1>")
            self.clock.advance(9)
            self.reader.timed = []
            self.writer.keeps_up = True
            self.writer.drain()
            self.clock.advance(1)
            self.assertEqual(self.writer.calls, [])

    def test_store_does_not_answer(self) -> None:
        """If the store cannot be read, the connection is aborted, so that the client reconnects."""
        self.fall_behind()
        self.offer(stored(5))
        self.writer.drain()
        self.reader.asked.pop()[2].errback(unavailable())
        self.assertEqual(self.writer.calls, ["abort"])

    def test_unexpected_error(self) -> None:
        """An internal error is logged, and the connection aborted."""
        self.fall_behind()
        self.offer(stored(5))
        self.writer.drain()
        self.reader.asked.pop()[2].errback(KeyError())
        self.assertEqual(self.writer.calls, ["abort"])
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)


class HoldTests(OutboxTestCase):
    """Between joining and the welcome."""

    def test_release(self) -> None:
        """Events during the hold are sent after the welcome, except those that it includes."""
        self.outbox.hold()
        self.offer(stored(5), stored(6))
        self.offer(stored(8, 7))
        self.offer(Publication(Ok(), None))
        self.outbox.flush()
        self.assertEqual((self.writer.sent, self.reader.asked), ([], []))
        self.outbox.put(b"<welcome>")
        self.outbox.release({GLOBAL: 5, 7: 8, 9: 1})
        self.assertEqual(self.reader.asked[0][:2], (GLOBAL, 5))
        self.reader.give(6)
        self.assertEqual(self.writer.got(), b"<welcome><ok><6>")
        self.assertEqual((self.reader.asked, self.outbox.behind), ([], False))

    def test_release_of_nothing(self) -> None:
        """Without events the session continues at once, and the welcome is written at the end of the turn."""
        self.outbox.hold()
        self.outbox.put(b"<welcome>")
        self.outbox.release({})
        self.assertFalse(self.outbox.behind)
        self.outbox.flush()
        self.assertEqual(self.writer.got(), b"<welcome>")

    def test_unseen(self) -> None:
        """What a session has not seen comes from the store, at the end of the turn and after all waiting bytes."""
        self.outbox.put(b"<reply>")
        self.outbox.flush()
        self.outbox.send_unseen(GLOBAL, 3, 5)
        self.assertEqual((self.wakes, self.outbox.try_now, self.reader.asked), (2, None, []))
        self.outbox.flush()
        self.assertEqual(self.reader.asked[0][:2], (GLOBAL, 2))
        self.reader.give(3, 4, 5)
        self.assertEqual((self.writer.got(), self.outbox.behind), (b"<reply><3><4><5>", False))

    def test_drop_while_bytes_wait(self) -> None:
        """If a sign-in fails while bytes wait for a slow reader, nothing is written at once before they are sent."""
        for waits_in_this_turn in False, True:
            self.setUp()
            self.stall()
            if waits_in_this_turn:
                self.writer.idle = True
                self.outbox.put(b"<reply>")
            self.outbox.hold()
            self.outbox.drop_held()
            self.assertIsNone(self.outbox.try_now)

    def test_drop_while_asking(self) -> None:
        """If a sign-in fails while a page is read, that is no error."""
        self.ask_for_page()
        self.outbox.drop_held()
        self.reader.give(last=5)
        self.assertEqual(self.writer.calls, [])

    def test_drop(self) -> None:
        """If the sign-in fails, nothing held is ever sent."""
        self.outbox.hold()
        self.offer(stored(5), timed(1), Publication(Ok(), None))
        self.outbox.drop_held()
        self.outbox.put(b"<error>")
        self.outbox.flush()
        self.assertEqual((self.writer.got(), self.reader.asked), (b"<error>", []))
        self.outbox.hold()
        self.outbox.release({})
        self.assertEqual((self.writer.got(), self.outbox.behind), (b"", False))
