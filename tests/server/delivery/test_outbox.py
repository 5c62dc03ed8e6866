"""The outbox: one write per turn, and a limited queue.

The recovery of slow readers is tested in tests/server/delivery/test_outbox_behind.py, and the whole server in
tests/whole/test_slow_readers.py.
"""

from irchat.protocol.rules import WAITING_BYTES
from irchat.server.delivery.perishable import Perishable
from tests.helpers.outboxes import OutboxTestCase, stored


class WritingTests(OutboxTestCase):
    """A reader that keeps up."""

    def test_one_write_a_turn(self) -> None:
        """All data of a turn is one write, in order, after one wake. Empty bytes do not wake."""
        self.outbox.put(b"")
        self.assertEqual(self.wakes, 0)
        self.outbox.put(b"a")
        self.outbox.offer(b"b", [stored(1)])
        self.outbox.offer_one(stored(2))
        self.assertEqual((self.wakes, self.writer.sent), (1, []))
        self.outbox.flush()
        self.assertEqual(self.writer.sent, [b"ab<2>"])

    def test_bytes_are_shared(self) -> None:
        """Bytes shared by many sessions are sent uncopied."""
        data = b"shared"
        self.outbox.offer(data, [stored(1)])
        self.outbox.flush()
        self.assertIs(self.writer.sent[0], data)

    def test_at_once(self) -> None:
        """``try_now`` exists exactly while nothing waits: nothing queued, reader not slow, not held, not closed."""
        self.assertIsNotNone(self.outbox.try_now)
        self.outbox.put(b"a")
        self.assertIsNone(self.outbox.try_now)
        self.outbox.flush()
        self.assertIsNotNone(self.outbox.try_now)
        self.stall()
        self.assertIsNone(self.outbox.try_now)
        self.writer.keeps_up = True
        self.writer.drain()
        self.assertIsNotNone(self.outbox.try_now)
        self.outbox.hold()
        self.assertIsNone(self.outbox.try_now)
        self.outbox.release({})
        self.assertIsNotNone(self.outbox.try_now)
        self.outbox.hold()
        self.outbox.drop_held()
        self.assertIsNotNone(self.outbox.try_now)
        self.outbox.close()
        self.assertIsNone(self.outbox.try_now)

    def test_not_all_at_once(self) -> None:
        """The rest of a partial write is sent automatically and counts as waiting. Later data follows it."""
        self.writer.room = 2
        given = self.outbox.try_now(b"abcd")
        self.outbox.send_rest(b"abcd", given)
        self.assertIsNone(self.outbox.try_now)
        self.outbox.put(b"e")
        self.outbox.flush()
        self.assertEqual(self.writer.sent, [b"ab", b"cd"])
        self.writer.drain()
        self.assertEqual(self.writer.sent, [b"ab", b"cd", b"e"])
        self.assertIsNotNone(self.outbox.try_now)

    def test_rest_counts_as_waiting(self) -> None:
        """The rest of an immediate write counts as waiting."""
        self.writer.room = 0
        data = b"x" * WAITING_BYTES
        self.outbox.send_rest(data, self.outbox.try_now(data))
        self.outbox.offer(b"y", [stored(1)])
        self.assertTrue(self.outbox.behind)

    def test_waits_for_the_drain(self) -> None:
        """While earlier bytes wait nothing is written. After they drained, everything gathered is one write."""
        self.stall()
        self.outbox.put(b"a")
        self.outbox.flush()
        self.outbox.put(b"b")
        self.outbox.flush()
        self.assertEqual(self.writer.sent, [])
        self.writer.drain()
        self.assertEqual(self.writer.sent, [b"ab"])

    def test_flush_of_nothing(self) -> None:
        """A flush with nothing to write writes nothing."""
        self.outbox.flush()
        self.assertEqual((self.writer.sent, self.reader.calls), ([], []))

    def test_close(self) -> None:
        """Closing sends waiting data, even to a slow reader, then closes once. Nothing is sent afterwards."""
        self.stall()
        self.outbox.put(b"bye")
        self.outbox.close()
        self.outbox.close()
        self.outbox.put(b"more")
        self.outbox.flush()
        self.outbox.abort()
        self.assertEqual((self.writer.got(), self.writer.calls), (b"bye", ["close"]))

    def test_close_with_nothing(self) -> None:
        """Closing with nothing to send only closes."""
        self.outbox.close()
        self.assertEqual((self.writer.sent, self.writer.calls), ([], ["close"]))

    def test_abort(self) -> None:
        """An abort sends nothing more and happens once."""
        self.outbox.put(b"lost")
        self.outbox.abort()
        self.outbox.abort()
        self.outbox.flush()
        self.assertEqual((self.writer.sent, self.writer.calls), ([], ["abort"]))

    def test_cut_in_what_has_ended(self) -> None:
        """A partly sent line whose message has ended cannot be completed: the next write aborts instead."""
        answers = iter([b"shorter"])
        now = [0.0]
        line = Perishable(b"x" * 1_000, lambda said_at: next(answers), lambda: 5.0, lambda: now[0])
        self.writer.keeps_up = False
        self.outbox.put_perishable(line)
        self.outbox.flush()
        self.assertTrue(self.writer.got().startswith(b"x"))
        now[0] = 5.0
        self.writer.drain()
        self.assertEqual((self.writer.sent, self.writer.calls, self.outbox.closed), ([], ["abort"], True))

    def test_what_was_taken_does_not_count(self) -> None:
        """Once the reader has taken bytes, only later ones count as waiting."""
        self.writer.keeps_up = False
        for size in 200_000, 100_000:
            self.outbox.put(b"x" * size)
            self.outbox.flush()
        self.assertTrue(self.outbox.full())
        self.writer.drain()
        self.assertFalse(self.outbox.full())

    def test_line_that_may_end(self) -> None:
        """A line with timed messages is not overtaken by what is written at once."""
        self.outbox.put_perishable(Perishable(b"line", lambda said_at: b"", lambda: 5.0, lambda: 0.0))
        self.assertEqual((self.outbox.try_now, self.wakes), (None, 1))
        self.outbox.flush()
        self.assertIsNotNone(self.outbox.try_now)
        self.assertEqual(self.writer.got(), b"line")

    def test_timed_in_this_turn(self) -> None:
        """A timed message that waits for the end of the turn may come to a reader that has stopped: it has an end."""
        self.outbox.put(b"timed")
        self.outbox.note_timed(5.0)
        self.writer.keeps_up = False
        self.outbox.flush()
        self.clock.advance(5)
        self.assertEqual((self.writer.got(), self.writer.calls), (b"timed", ["abort"]))

    def test_close_in_what_has_ended(self) -> None:
        """If a partly sent line has ended at the close, nothing follows it."""
        now = [0.0]
        line = Perishable(b"x" * 1_000, lambda said_at: b"shorter", lambda: 5.0, lambda: now[0])
        self.writer.keeps_up = False
        self.outbox.put_perishable(line)
        self.outbox.flush()
        self.writer.got()
        self.outbox.put(b"bye")
        now[0] = 5.0
        self.outbox.close()
        self.assertEqual((self.writer.got(), self.writer.calls[0]), (b"", "abort"))

    def test_reader_without_timed_messages(self) -> None:
        """A reader whose protocol shows no timed messages loses its connection to none of their ends."""
        self.reader.shows_timed = False
        self.stall()
        self.outbox.note_timed(5.0)
        self.clock.advance(6)
        self.assertEqual(self.writer.calls, [])

    def test_ends_of_what_waits(self) -> None:
        """A line that waits as a whole ends nothing, whatever comes before it. The writer's messages do."""
        for before in b"", b"reply":
            self.setUp()
            self.stall()
            self.outbox.note_timed(5.0)
            self.outbox.put(before)
            self.outbox.put_perishable(Perishable(b"line", lambda said_at: b"", lambda: 2.0, lambda: 0.0))
            self.assertEqual(self.outbox.until, 5.0)
            self.clock.advance(4.9)
            self.assertEqual(self.writer.calls, [])
            self.clock.advance(0.1)
            self.assertEqual(self.writer.calls, ["abort"])

    def test_lost(self) -> None:
        """After the connection is lost nothing is sent or closed."""
        self.outbox.put(b"lost")
        self.outbox.lost()
        self.outbox.close()
        self.outbox.flush()
        self.assertEqual((self.writer.sent, self.writer.calls), ([], []))

    def test_full(self) -> None:
        """Above 256 KiB the session is paused, and after everything is sent it is resumed, once each."""
        self.stall()
        self.outbox.put(b"x" * (WAITING_BYTES - len(b"<first>")))
        self.assertFalse(self.outbox.full())
        self.outbox.put(b"x")
        self.assertTrue(self.outbox.full())
        self.writer.drain()
        self.assertEqual(self.reader.calls, [])
        self.writer.drain()
        self.assertIsNotNone(self.outbox.try_now)
        self.writer.drain()
        self.assertEqual(self.reader.calls, ["drained"])
        self.assertFalse(self.outbox.full())
