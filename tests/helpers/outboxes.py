"""An outbox between a fake writer and a fake reader."""

import math
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.bus import ChangePlace, Publication, StoredPlace, TimedPlace
from irchat.interfaces.stored import GLOBAL, ChatKey, Page, StoredMessage
from irchat.protocol.events import Ok
from irchat.protocol.rules import WAITING_BYTES
from irchat.server.delivery.outbox import Outbox
from irchat.server.delivery.perishable import Watch


class FakeOutlet:
    """A fake writer. With ``keeps_up`` false, bytes wait until the test drains them."""

    on_drained: Any = None

    def __init__(self) -> None:
        self.idle = True
        self.keeps_up = True
        self.room = 1 << 30
        self.sent: list[bytes] = []
        self.calls: list[str] = []

    def send(self, data: bytes) -> None:
        self.sent.append(data)
        self.idle = self.keeps_up

    def try_now(self, data: bytes) -> int:
        self.sent.append(data[: self.room])
        return len(self.sent[-1])

    def send_rest(self, data: bytes, given: int) -> None:
        self.sent.append(data[given:])
        self.idle = False

    def drain(self) -> None:
        """Write everything that waits."""
        self.idle = True
        self.on_drained()

    def got(self) -> bytes:
        """Return what was sent since the last call."""
        data = b"".join(self.sent)
        self.sent.clear()
        return data

    def close(self) -> None:
        self.calls.append("close")

    def abort(self) -> None:
        self.calls.append("abort")


class FakeReader:
    """A fake reader. It encodes a publication as ``<seq>``, and the test answers its pages."""

    shows_timed = True

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.asked: list[tuple[ChatKey, int, Deferred[Page]]] = []
        self.asked_changes: list[tuple[ChatKey, int, Deferred[Page]]] = []
        self.missed_changes: list[Publication] = []
        self.timed: list[tuple[ChatKey, int]] = []
        self.timed_most = 100
        self.timed_until = math.inf

    def say(self, publication: Publication) -> bytes:
        match publication.place:
            case ChangePlace(rev=rev):
                return b"<change %d>" % rev
            case TimedPlace(order=order):
                return b"<timed %d>" % order
            case StoredPlace(seq=seq):
                return b"<%d>" % seq
        return b"<ok>"

    def say_stored(self, message: StoredMessage) -> bytes:
        return b"<%d>" % message.seq

    def say_timed_since(
        self, order: int, own: set[tuple[ChatKey, int]], page_bytes: int
    ) -> tuple[bytes, int | None, float]:
        alive = [place for place in self.timed if place[1] >= order and place not in own]
        rest = alive[self.timed_most :]
        said = b"".join(b"<timed %d>" % place[1] for place in alive[: self.timed_most])
        return said, rest[0][1] if rest else None, self.timed_until

    def missed_page(self, chat: ChatKey, after: int | None = None, after_rev: int | None = None) -> Deferred[Page]:
        page: Deferred[Page] = Deferred()
        if after is not None:
            self.asked.append((chat, after, page))
        else:
            assert after_rev is not None
            self.asked_changes.append((chat, after_rev, page))
        return page

    def missed(self, change: Publication) -> None:
        self.missed_changes.append(change)

    def say_changes(self, chat: ChatKey, page: Page) -> bytes:
        return b"".join(b"<change %d>" % message.rev for message in page.messages)

    def give_changes(self, *revs: int, more: bool = False, rev: int | None = None) -> None:
        """Answer the oldest request for changes with a page of these revs, which covers all up to ``rev``."""
        chat, after, page = self.asked_changes.pop(0)
        messages = [StoredMessage(chat, change, 1, 0, "text", rev=change) for change in revs]
        page.callback(Page(messages, more, 0, rev=max(revs, default=after) if rev is None else rev))

    def give(self, *seqs: int, more: bool = False, last: int | None = None) -> None:
        """Answer the oldest request with a page of these seqs."""
        chat, after, page = self.asked.pop(0)
        end = max(seqs, default=after) if last is None else last
        page.callback(Page([StoredMessage(chat, seq, 1, 0, "text") for seq in seqs], more, end))

    def caught_up(self) -> None:
        self.calls.append("caught up")

    def drained(self) -> None:
        self.calls.append("drained")


def stored(seq: int, chat: ChatKey = GLOBAL) -> Publication:
    """Return a publication of a stored message."""
    return Publication(Ok(), None, place=StoredPlace(chat, seq))


def timed(order: int, chat: ChatKey = GLOBAL) -> Publication:
    """Return a publication of a timed message."""
    return Publication(Ok(), None, place=TimedPlace(chat, order))


def change(rev: int, chat: ChatKey = GLOBAL) -> Publication:
    """Return a publication of a change."""
    return Publication(Ok(), None, place=ChangePlace(chat, rev, 1))


BIG = b"x" * (WAITING_BYTES + 1)


class OutboxTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        """An outbox that records its wakes."""
        self.writer, self.reader = FakeOutlet(), FakeReader()
        self.wakes = 0
        self.clock = Clock()
        self.outbox = Outbox(self.writer, self.reader, self._wake, Watch(self.clock))

    def _wake(self, outbox: Outbox) -> None:
        self.assertIs(outbox, self.outbox)
        self.wakes += 1

    def offer(self, *publications: Publication) -> None:
        self.outbox.offer(b"".join(map(self.reader.say, publications)), publications)

    def stall(self) -> None:
        """Make something wait for a slow reader."""
        self.writer.keeps_up = False
        self.outbox.put(b"<first>")
        self.outbox.flush()
        self.writer.got()

    def ask_for_page(self) -> None:
        """Fall behind by one message, and catch up as far as the request for it."""
        self.fall_behind()
        self.offer(stored(5))
        self.writer.keeps_up = True
        self.writer.drain()

    def fall_behind(self) -> None:
        """Make so much wait that the next event exceeds the limit."""
        self.writer.keeps_up = False
        self.outbox.put(BIG)
        self.outbox.flush()
        self.writer.got()
