"""The outbox: one write a turn, a bounded wait, and the way back from behind; the whole server's is in
test_server_slow_readers.py."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from irchat.errors import unavailable
from irchat.events import Ok
from irchat.interfaces import GLOBAL, ChatKey, Page, Publication, StoredMessage
from irchat.rules import WAITING_BYTES
from irchat.server.outbox import Outbox


class FakeOutlet:
    """Takes bytes; ``keeps_up`` false: what is sent waits until the test drains it."""

    on_drained: Any = None

    def __init__(self) -> None:
        self.idle = True
        self.keeps_up = True
        self.sent: list[bytes] = []
        self.calls: list[str] = []

    def send(self, data: bytes) -> None:
        self.sent.append(data)
        self.idle = self.keeps_up

    def drain(self) -> None:
        """All that waited was written."""
        self.idle = True
        self.on_drained()

    def got(self) -> bytes:
        """What was sent since the last call."""
        data = b"".join(self.sent)
        self.sent.clear()
        return data

    def close(self) -> None:
        self.calls.append("close")

    def abort(self) -> None:
        self.calls.append("abort")


class FakeReader:
    """Says a publication as ``<seq>`` and answers pages when the test says so."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.asked: list[tuple[ChatKey, int, Deferred[Page]]] = []
        self.timed: list[tuple[ChatKey, int]] = []
        self.timed_most = 100

    def say(self, publication: Publication) -> bytes:
        if publication.timed is not None:
            return b"<timed %d>" % publication.timed[1]
        return b"<%d>" % publication.position[1] if publication.position is not None else b"<ok>"

    def say_stored(self, message: StoredMessage) -> bytes:
        return b"<%d>" % message.seq

    def say_timed_since(
        self, order: int, own: set[tuple[ChatKey, int]], page_bytes: int
    ) -> tuple[bytes, int | None]:
        alive = [place for place in self.timed if place[1] >= order and place not in own]
        rest = alive[self.timed_most :]
        said = b"".join(b"<timed %d>" % place[1] for place in alive[: self.timed_most])
        return said, rest[0][1] if rest else None

    def page_after(self, chat: ChatKey, seq: int, limit: int, page_bytes: int) -> Deferred[Page]:
        page: Deferred[Page] = Deferred()
        self.asked.append((chat, seq, page))
        return page

    def give(self, *seqs: int, more: bool = False, last: int | None = None) -> None:
        """Answer the oldest question with a page of these seqs."""
        chat, after, page = self.asked.pop(0)
        end = max(seqs, default=after) if last is None else last
        page.callback(Page([StoredMessage(chat, seq, 1, 0, "text") for seq in seqs], more, end))

    def caught_up(self) -> None:
        self.calls.append("caught up")

    def drained(self) -> None:
        self.calls.append("drained")


def stored(seq: int, chat: ChatKey = GLOBAL) -> Publication:
    """A publication of a stored message."""
    return Publication(Ok(), None, position=(chat, seq))


def timed(order: int, chat: ChatKey = GLOBAL) -> Publication:
    """A publication of a timed message."""
    return Publication(Ok(), None, timed=(chat, order))


BIG = b"x" * (WAITING_BYTES + 1)


class _OutboxTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        """An outbox, whose wakes are noted."""
        self.outlet, self.reader = FakeOutlet(), FakeReader()
        self.wakes = 0
        self.outbox = Outbox(self.outlet, self.reader, self._wake)

    def _wake(self, outbox: Outbox) -> None:
        self.assertIs(outbox, self.outbox)
        self.wakes += 1

    def _offer(self, *publications: Publication) -> None:
        self.outbox.offer(b"".join(map(self.reader.say, publications)), publications)

    def _stall(self) -> None:
        """Have something wait for a slow reader."""
        self.outlet.keeps_up = False
        self.outbox.put(b"<first>")
        self.outbox.flush()
        self.outlet.got()

    def _fall_behind(self) -> None:
        """Have so much wait that the next event is too much."""
        self.outlet.keeps_up = False
        self.outbox.put(BIG)
        self.outbox.flush()
        self.outlet.got()


class WritingTests(_OutboxTestCase):
    """While the reader keeps up."""

    def test_one_write_a_turn(self) -> None:
        """All that is put in a turn is one write, in order, after one wake; empty bytes wake nobody."""
        self.outbox.put(b"")
        self.assertEqual(self.wakes, 0)
        self.outbox.put(b"a")
        self.outbox.offer(b"b", [stored(1)])
        self.outbox.offer_one(stored(2))
        self.assertEqual((self.wakes, self.outlet.sent), (1, []))
        self.outbox.flush()
        self.assertEqual(self.outlet.sent, [b"ab<2>"])

    def test_bytes_are_shared(self) -> None:
        """What many sessions get alike is sent as it is, not copied."""
        data = b"shared"
        self.outbox.offer(data, [stored(1)])
        self.outbox.flush()
        self.assertIs(self.outlet.sent[0], data)

    def test_waits_for_the_drain(self) -> None:
        """While earlier bytes wait nothing is written; after they drained, all that gathered is one write."""
        self._stall()
        self.outbox.put(b"a")
        self.outbox.flush()
        self.outbox.put(b"b")
        self.outbox.flush()
        self.assertEqual(self.outlet.sent, [])
        self.outlet.drain()
        self.assertEqual(self.outlet.sent, [b"ab"])

    def test_flush_of_nothing(self) -> None:
        """A flush with nothing to write writes nothing."""
        self.outbox.flush()
        self.assertEqual((self.outlet.sent, self.reader.calls), ([], []))

    def test_close(self) -> None:
        """Closing sends what waits, also where the reader is slow, then closes, once; nothing is sent after."""
        self._stall()
        self.outbox.put(b"bye")
        self.outbox.close()
        self.outbox.close()
        self.outbox.put(b"more")
        self.outbox.flush()
        self.outbox.abort()
        self.assertEqual((self.outlet.got(), self.outlet.calls), (b"bye", ["close"]))

    def test_close_with_nothing(self) -> None:
        """Closing with nothing to send only closes."""
        self.outbox.close()
        self.assertEqual((self.outlet.sent, self.outlet.calls), ([], ["close"]))

    def test_abort(self) -> None:
        """An abort sends nothing more and happens once."""
        self.outbox.put(b"lost")
        self.outbox.abort()
        self.outbox.abort()
        self.outbox.flush()
        self.assertEqual((self.outlet.sent, self.outlet.calls), ([], ["abort"]))

    def test_lost(self) -> None:
        """After the connection is lost nothing is sent or closed."""
        self.outbox.put(b"lost")
        self.outbox.lost()
        self.outbox.close()
        self.outbox.flush()
        self.assertEqual((self.outlet.sent, self.outlet.calls), ([], []))

    def test_full(self) -> None:
        """Past 256 KiB the session is told to ask for no more, and once all is sent it is told to go on, once."""
        self._stall()
        self.outbox.put(b"x" * (WAITING_BYTES - len(b"<first>")))
        self.assertFalse(self.outbox.full())
        self.outbox.put(b"x")
        self.assertTrue(self.outbox.full())
        self.outlet.drain()
        self.assertEqual(self.reader.calls, [])
        self.outlet.drain()
        self.outlet.drain()
        self.assertEqual(self.reader.calls, ["drained"])
        self.assertFalse(self.outbox.full())


class BehindTests(_OutboxTestCase):
    """A slow reader."""

    def test_bound(self) -> None:
        """Events are queued up to 256 KiB and not a byte more; the rest is only remembered by its place."""
        self._stall()
        half = b"x" * ((WAITING_BYTES - len(b"<first>")) // 2)
        self.outbox.offer(half, [stored(1)])
        self.outbox.offer(half, [stored(2)])
        self.assertFalse(self.outbox.behind)
        self.outbox.offer(half, [stored(3)])
        self.outbox.offer(b"small", [stored(4)])
        self.assertTrue(self.outbox.behind)
        self.outlet.drain()
        self.assertEqual(self.outlet.got(), half * 2)

    def test_caught_up_in_order(self) -> None:
        """What was missed comes page by page, each after the last has drained, and then events come directly again."""
        self._fall_behind()
        for seq in 5, 6, 7, 8:
            self._offer(stored(seq))
        self.outlet.drain()
        self.assertEqual([(chat, after) for chat, after, _ in self.reader.asked], [(GLOBAL, 4)])
        self.reader.give(5, 6, more=True)
        self.assertEqual(self.outlet.got(), b"<5><6>")
        self.assertEqual(self.reader.asked, [])
        self.outlet.keeps_up = True
        self.outlet.drain()
        self.assertEqual(self.reader.asked[0][1], 6)
        self._offer(stored(9))
        self.reader.give(7, 8)
        self.reader.give(9)
        self.assertEqual(self.outlet.got(), b"<7><8><9>")
        self.assertEqual((self.outbox.behind, self.reader.calls), (False, ["caught up"]))
        self._offer(stored(10))
        self.outbox.flush()
        self.assertEqual(self.outlet.got(), b"<10>")

    def test_more_than_a_page_at_once(self) -> None:
        """A run that is longer than what may wait comes from the store, also to a reader that keeps up."""
        self.outbox.offer(BIG, [stored(1), stored(2)])
        self.assertEqual(self.wakes, 1)
        self.outbox.flush()
        self.reader.give(1, 2)
        self.assertEqual(self.outlet.got(), b"<1><2>")
        self.assertFalse(self.outbox.behind)

    def test_page_holds_more_than_was_missed(self) -> None:
        """Where the page reaches beyond what was known to be missing, what it held does not come again."""
        self._fall_behind()
        self._offer(stored(5))
        self.outlet.keeps_up = True
        self.outlet.drain()
        self._offer(stored(6))
        self.reader.give(5, 6)
        self.assertEqual(self.outlet.got(), b"<5><6>")
        self.assertEqual((self.reader.asked, self.outbox.behind), ([], False))

    def test_hidden_messages(self) -> None:
        """A page without what is hidden, or of a group that was left, is not asked for again."""
        self._fall_behind()
        self._offer(stored(5, 7))
        self.outlet.keeps_up = True
        self.outlet.drain()
        self.reader.give(last=0)
        self.assertEqual((self.outlet.got(), self.reader.asked, self.outbox.behind), (b"", [], False))

    def test_own_do_not_come_back(self) -> None:
        """What the session sent itself while behind is left out, and forgotten when it is up to date."""
        self._fall_behind()
        self._offer(stored(5))
        self.outbox.note_own(stored(6))
        self.outbox.note_own(timed(2))
        self.outbox.note_own(Publication(Ok(), None))
        self._offer(stored(7), timed(3))
        self.reader.timed = [(GLOBAL, 2), (GLOBAL, 3)]
        self.outlet.keeps_up = True
        self.outlet.drain()
        self.reader.give(5, 6, 7)
        self.assertEqual(self.outlet.got(), b"<5><7><timed 3>")
        self.outbox.note_own(stored(8))
        self.assertEqual((self.outbox._own, self.outbox._own_timed), (set(), set()))

    def test_kept(self) -> None:
        """What the store cannot give again is kept, and comes before what it gives."""
        self._fall_behind()
        self._offer(stored(5))
        self._offer(Publication(Ok(), None))
        self.outbox.offer_one(Publication(Ok(), None))
        self.outlet.keeps_up = True
        self.outlet.drain()
        self.reader.give(5)
        self.assertEqual(self.outlet.got(), b"<ok><ok><5>")

    def test_kept_is_bounded(self) -> None:
        """Who lets more than 256 KiB of it gather is disconnected."""
        self._fall_behind()
        for _ in range(WAITING_BYTES // len(b"<ok>")):
            self._offer(Publication(Ok(), None))
        self.assertEqual(self.outlet.calls, [])
        self._offer(Publication(Ok(), None))
        self.assertEqual(self.outlet.calls, ["abort"])

    def test_timed_do_not_wait(self) -> None:
        """A timed message is not queued behind bytes that wait, for it tells what is left of it; it comes after them."""
        self._stall()
        self._offer(timed(1))
        self._offer(timed(2))
        self.reader.timed = [(GLOBAL, 2)]
        self.outlet.keeps_up = True
        self.outlet.drain()
        self.assertEqual(self.outlet.got(), b"<timed 2>")
        self._offer(timed(3))
        self.outbox.flush()
        self.assertEqual(self.outlet.got(), b"<timed 3>")

    def test_timed_page_by_page(self) -> None:
        """Many timed messages come in pages too, each after the last has drained."""
        self._stall()
        self._offer(timed(1), timed(2), timed(3))
        self.reader.timed = [(GLOBAL, order) for order in (1, 2, 3)]
        self.reader.timed_most = 2
        self.outlet.drain()
        self.assertEqual(self.outlet.got(), b"<timed 1><timed 2>")
        self.outlet.keeps_up = True
        self.outlet.drain()
        self.assertEqual(self.outlet.got(), b"<timed 3>")
        self.assertFalse(self.outbox.behind)

    def test_replies_go_on(self) -> None:
        """Replies are sent while the session is behind and asks the store, before the page that comes later."""
        self._fall_behind()
        self._offer(stored(5))
        self.outlet.keeps_up = True
        self.outlet.drain()
        self.outbox.put(b"<reply>")
        self.outbox.flush()
        self.assertEqual(self.outlet.got(), b"<reply>")
        self.outbox.put(b"<reply>")
        self.reader.give(5)
        self.assertEqual(self.outlet.got(), b"<reply><5>")

    def test_closed_while_asking(self) -> None:
        """A page that comes after the connection is closed is dropped, without complaint."""
        for end in Outbox.close, Outbox.lost:
            self.setUp()
            self._fall_behind()
            self._offer(stored(5))
            self.outlet.keeps_up = True
            self.outlet.drain()
            self.outbox.drop_held()
            end(self.outbox)
            self.reader.give(5)
            self.assertEqual(self.outlet.got(), b"")

    def test_store_does_not_answer(self) -> None:
        """Where the store cannot be read the connection is given up, so that the client comes back and asks."""
        self._fall_behind()
        self._offer(stored(5))
        self.outlet.drain()
        self.reader.asked.pop()[2].errback(unavailable())
        self.assertEqual(self.outlet.calls, ["abort"])

    def test_unexpected_error(self) -> None:
        """An error of our own is logged, and the connection given up."""
        self._fall_behind()
        self._offer(stored(5))
        self.outlet.drain()
        self.reader.asked.pop()[2].errback(KeyError())
        self.assertEqual(self.outlet.calls, ["abort"])
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)


class HoldTests(_OutboxTestCase):
    """Between joining and the welcome."""

    def test_release(self) -> None:
        """What came during the hold comes after the welcome; what the welcome told of does not come again."""
        self.outbox.hold()
        self._offer(stored(5), stored(6))
        self._offer(stored(8, 7))
        self._offer(Publication(Ok(), None))
        self.outbox.flush()
        self.assertEqual((self.outlet.sent, self.reader.asked), ([], []))
        self.outbox.put(b"<welcome>")
        self.outbox.release({GLOBAL: 5, 7: 8, 9: 1})
        self.assertEqual(self.reader.asked[0][:2], (GLOBAL, 5))
        self.reader.give(6)
        self.assertEqual(self.outlet.got(), b"<welcome><ok><6>")
        self.assertEqual((self.reader.asked, self.outbox.behind), ([], False))

    def test_release_of_nothing(self) -> None:
        """Where nothing came the session goes on at once, and the welcome is written at the end of the turn."""
        self.outbox.hold()
        self.outbox.put(b"<welcome>")
        self.outbox.release({})
        self.assertFalse(self.outbox.behind)
        self.outbox.flush()
        self.assertEqual(self.outlet.got(), b"<welcome>")

    def test_drop(self) -> None:
        """Where nobody is let in, nothing of what was held ever comes."""
        self.outbox.hold()
        self._offer(stored(5), timed(1), Publication(Ok(), None))
        self.outbox.drop_held()
        self.outbox.put(b"<error>")
        self.outbox.flush()
        self.assertEqual((self.outlet.got(), self.reader.asked), (b"<error>", []))
        self.outbox.hold()
        self.outbox.release({})
        self.assertEqual((self.outlet.got(), self.outbox.behind), (b"", False))
