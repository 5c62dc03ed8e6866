"""What one session is still to be sent: joined to one write a turn, bounded, and fed from the store after falling behind.

A session whose reader is slow is *behind*: stored messages are no longer queued for it, only the place in each chat
from which it misses them. When all that was sent has drained, it is brought up to date from the store, in order.
"""

from collections import deque
from collections.abc import Awaitable, Sequence
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from irchat.interfaces import ChatKey, Page, Publication, StoredMessage
from irchat.outlet import Outgoing
from irchat.rules import WAITING_BYTES

_log = Logger()

# A page of messages for a session that fell behind.
_PAGE_MESSAGES = 200
_PAGE_BYTES = 65_536


class Reader(Protocol):
    """The session behind an outbox: what it may see, and how its face says it."""

    def page_after(self, chat: ChatKey, seq: int, limit: int, page_bytes: int) -> Awaitable[Page]:
        """Stored messages of a chat after ``seq``."""

    def say_stored(self, message: StoredMessage) -> bytes:
        """A stored message in the session's face; nothing where it is not for this session."""

    def say_missed_timed(self, since: int) -> bytes:
        """The timed messages alive from that order on."""

    def say(self, publication: Publication) -> bytes:
        """A publication in the session's face."""

    def caught_up(self) -> None:
        """The session is no longer behind."""

    def drained(self) -> None:
        """All that waited was sent."""


class Outbox:
    """The bytes that wait for one session, at most `WAITING_BYTES` of events."""

    __slots__ = (
        "_catching_up", "_dirty", "_held", "_missed", "_missed_timed", "_others", "_others_bytes", "_outlet", "_pending",
        "_reader", "behind", "closed", "size",
    )

    def __init__(self, outlet: Outgoing, reader: Reader, dirty: "deque[Outbox]") -> None:
        self._outlet = outlet
        self._reader = reader
        self._dirty = dirty
        self._pending: list[bytes] = []
        self.size = 0
        self.closed = False
        self.behind = False
        self._held = False
        self._catching_up = False
        # By chat: the seq after which messages are missing, and the newest that is.
        self._missed: dict[ChatKey, list[int]] = {}
        self._missed_timed: int | None = None
        self._others: list[bytes] = []
        self._others_bytes = 0
        outlet.on_drained = self._drained

    def put(self, data: bytes) -> None:
        """Queue bytes that must arrive (a reply); they go out at the end of the turn."""
        if not self.closed:
            if not self._pending:
                self._dirty.append(self)
            self._pending.append(data)
            self.size += len(data)

    def offer(self, data: bytes, run: Sequence[Publication]) -> None:
        """Queue the bytes of a run of publications; where they do not fit, the session falls behind."""
        if self.behind:
            self._skip(run)
        elif self.size + len(data) > WAITING_BYTES or (not self._outlet.idle and any(p.timed for p in run)):
            # What is left of a timed message is told at the moment of sending: it does not wait behind other bytes.
            self.behind = True
            self._skip(run)
        else:
            self.put(data)

    def hold(self) -> None:
        """Keep what comes until `release`, as for a session that is behind."""
        self.behind = self._held = True

    def release(self, seen: dict[ChatKey, int]) -> None:
        """Go on. The session was told of these chats up to these seqs in another way."""
        self._held = False
        for chat, seq in seen.items():
            if chat in self._missed:
                after, newest = self._missed[chat]
                if newest <= seq:
                    del self._missed[chat]
                else:
                    self._missed[chat][0] = max(after, seq)
        if self._outlet.idle:
            self._catch_up()

    def flush(self) -> None:
        """Write what waits, in one write, where the reader keeps up."""
        if self._pending and self._outlet.idle and not self.closed:
            data = self._pending[0] if len(self._pending) == 1 else b"".join(self._pending)
            self._pending = []
            self._outlet.send(data)
            if self._outlet.idle:
                self._sent_all()
            else:
                self.size = len(data)

    def close(self) -> None:
        """Close the connection after what waits now."""
        if not self.closed:
            if self._pending:
                self._outlet.send(b"".join(self._pending))
            self.closed = True
            self._outlet.close()

    def abort(self) -> None:
        """Close the connection at once."""
        self.closed = True
        self._outlet.abort()

    def lost(self) -> None:
        """The connection is gone."""
        self.closed = True

    def _drained(self) -> None:
        if self._pending:
            self.flush()
        else:
            self._sent_all()

    def _sent_all(self) -> None:
        self.size = 0
        if self.behind and not self._held:
            self._catch_up()
        self._reader.drained()

    def _skip(self, run: Sequence[Publication]) -> None:
        for publication in run:
            if publication.position is not None:
                chat, seq = publication.position
                self._missed.setdefault(chat, [seq - 1, seq])[1] = seq
            elif publication.timed is not None:
                if self._missed_timed is None:
                    self._missed_timed = publication.timed[1]
            else:
                self._keep(self._reader.say(publication))

    def _keep(self, data: bytes) -> None:
        """Keep the bytes of an event that no store can give again; who lets too many gather is to connect anew."""
        self._others.append(data)
        self._others_bytes += len(data)
        if self._others_bytes > WAITING_BYTES and not self.closed:
            self.abort()

    def _catch_up(self) -> None:
        if not self._catching_up:
            self._catching_up = True
            Deferred.fromCoroutine(self._feed()).addErrback(self._cannot_catch_up)

    def _cannot_catch_up(self, failure: Failure) -> None:
        """The store does not answer: let the client come back, when it will find all that it missed."""
        _log.failure("a slow session could not be brought up to date", failure)
        if not self.closed:
            self.abort()

    async def _feed(self) -> None:
        """Send what was missed, page by page, each when the one before has drained; `_catch_up` is called again then."""
        try:
            while self._outlet.idle and not self.closed:
                if self._others:
                    self._send(self._take_others())
                elif self._missed:
                    await self._feed_page()
                elif self._missed_timed is not None:
                    since, self._missed_timed = self._missed_timed, None
                    self._send(self._reader.say_missed_timed(since))
                else:
                    self.behind = False
                    self._reader.caught_up()
                    return
        finally:
            self._catching_up = False

    async def _feed_page(self) -> None:
        chat, (after, newest) = next(iter(self._missed.items()))
        page = await self._reader.page_after(chat, after, _PAGE_MESSAGES, _PAGE_BYTES)
        last = page.messages[-1].seq if page.more else max(page.last_seq, newest)
        still_missed = self._missed[chat]
        still_missed[0] = last
        if still_missed[1] <= last:
            del self._missed[chat]
        if not self.closed:
            self._send(b"".join(map(self._reader.say_stored, page.messages)))

    def _take_others(self) -> bytes:
        data = b"".join(self._others)
        self._others, self._others_bytes = [], 0
        return data

    def _send(self, data: bytes) -> None:
        if data:
            self.size += len(data)
            self._outlet.send(data)
            if self._outlet.idle:
                self.size -= len(data)


