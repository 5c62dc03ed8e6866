"""The outbox: the bytes that wait for one session. It is bounded, and written once a turn.

A session with a slow reader falls *behind*: stored messages are no longer queued for it. The outbox only notes what is
missing (see `irchat.server.delivery.missed`). When all sent bytes have drained, the session catches up from the store,
in order.
"""

import math
import weakref
from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from irchat.interfaces.bus import Publication, TimedPlace
from irchat.interfaces.stored import ChatKey
from irchat.net.socket_writer import Outgoing, nothing
from irchat.protocol.errors import Refusal
from irchat.protocol.rules import WAITING_BYTES
from irchat.server.delivery.missed import Missed
from irchat.server.delivery.perishable import Perishable, Watch
from irchat.server.delivery.reader import Reader
from irchat.server.delivery.write_fields import WriteFields

_log = Logger()

# Lines with timed messages go to the socket writer in pieces of this size, each after the previous one has drained.
_TIMED_BYTES = 16_384
# The first piece tests whether the kernel accepts anything, and is too short to contain text.
_FIRST_BYTES = 16


class Outbox(WriteFields):
    """The bytes that wait for one session: at most `WAITING_BYTES` of events, and one reply.

    ``wake`` is called with the outbox when it has something to write. Call `flush` at the end of that turn.
    """

    __slots__ = (
        "_catching_up", "_held", "_missed", "_perishables", "_reader", "_stalled", "_timed_until", "_wake", "_watch",
    )  # fmt: skip

    def __init__(self, writer: Outgoing, reader: Reader, wake: "Callable[[Outbox], None]", watch: Watch) -> None:
        self.encode = None
        self.try_now = writer.try_now
        self.behind = False
        self.closed = False
        self._writer = writer
        self._reader: Reader = weakref.proxy(reader)  # the session has the outbox: avoid a cycle
        self._wake = wake
        self._watch = watch
        self._pending: list[bytes | Perishable] = []
        self._perishables = 0
        # The earliest end of the timed messages that the socket writer holds.
        self._timed_until = math.inf
        self._size = 0
        self._stalled = False
        self._held = False
        self._catching_up = False
        # None while the session keeps up: idle sessions are many.
        self._missed: Missed | None = None
        writer.on_drained = self._drained

    def put(self, data: bytes) -> None:
        """Queue bytes that must arrive, such as a reply. They are written at the end of the turn."""
        if data and not self.closed:
            pending = self._pending
            if not pending:
                self.try_now = None
                self._wake(self)
            pending.append(data)
            self._size += len(data)

    def put_perishable(self, line: Perishable) -> None:
        """Queue a reply with timed messages. Omit those that end while it waits."""
        if not self.closed:
            if not self._pending:
                self.try_now = None
                self._wake(self)
            self._pending.append(line)
            self._perishables += 1
            self._size += len(line)

    def note_timed(self, until: float) -> None:
        """Note that the last offer has a timed message that ends at ``until`` and must not be sent later."""
        if not (self.closed or self.behind) and (self._pending or not self._writer.idle) and self._reader.shows_timed:
            self._hold_until(until)

    @property
    def until(self) -> float:
        """The earliest end of a timed message that the socket writer may still hold."""
        begun = self._begun
        return self._timed_until if begun is None else min(self._timed_until, begun.until())

    def expire(self, now: float) -> None:
        """Drop messages that have ended. Close the connection if the socket writer holds one of them."""
        begun = self._begun
        if self._timed_until <= now or (begun is not None and not begun.renew()):
            self._over()
            self._writer.abort()

    @property
    def _begun(self) -> Perishable | None:
        """The line that is partly taken."""
        line = self._pending[0] if self._perishables else None
        return line if isinstance(line, Perishable) and line.begun else None

    def send_rest(self, data: bytes, given: int | BaseException) -> None:
        """Send the rest of ``data`` after ``try_now`` (see `irchat.net.socket_writer.Outgoing`)."""
        self.try_now = None
        self._size = len(data)
        self._writer.send_rest(data, given)

    def offer(self, data: bytes, run: Sequence[Publication]) -> None:
        """Queue ``data``, the encoded ``run``. If too much waits, the session falls behind."""
        if self.try_now is not None and len(data) <= WAITING_BYTES:
            self.put(data)
        elif self.behind or self._falls_behind(len(data), run):
            self._skip(run)
        else:
            self.put(data)

    def offer_one(self, publication: Publication) -> None:
        """Queue one publication, encoded for this session."""
        if self.try_now is None and (self.behind or self._falls_behind(0, (publication,))):
            self._skip((publication,))
        else:
            data = None if self.encode is None else self.encode(publication)
            self.put(self._reader.say(publication) if data is None else data)

    def offer_run(self, run: Sequence[Publication], *, stored: bool) -> None:
        """Queue the publications of ``run``, encoded for this session. ``stored``: all are stored messages."""
        if stored and self.try_now is not None:
            self.put(self._reader.say_run(run))
        else:
            for publication in run:
                self.offer_one(publication)

    def offer_aside(self, publication: Publication, data: bytes | None) -> None:
        """Queue a publication that is dropped if too much waits. ``data``: its bytes, if shared with other sessions."""
        if not self.behind:
            data = self._reader.say(publication) if data is None else data
            if self._size + len(data) <= WAITING_BYTES:
                self.put(data)

    def note_own(self, publication: Publication) -> None:
        """Note a publication by the session itself, so that catching up does not repeat it."""
        if self._missed is not None:
            self._missed.note_own(publication)

    def send_unseen(self, chat: ChatKey, first: int, last: int) -> None:
        """Send the stored messages of a chat from the seq ``first`` to ``last``, after all waiting bytes.

        Until then the session is behind. It must not be behind before.
        """
        assert not self.behind
        if not self.closed:
            self._fall_behind()
            assert self._missed is not None
            self._missed.note_unseen(chat, first, last)
            self._wake(self)

    def full(self) -> bool:
        """Return whether too much waits. If so, `Reader.drained` is called once there is room."""
        self._stalled = self._size > WAITING_BYTES
        return self._stalled

    def hold(self) -> None:
        """Hold events until `release`, as if the session were behind."""
        self._held = True
        self._fall_behind()

    def release(self, seen: dict[ChatKey, int]) -> None:
        """Send the held events, except those up to the seqs in ``seen``, which the session has."""
        self._held = False
        if self._missed is not None:
            self._missed.seen(seen)
        self._catch_up()

    def drop_held(self) -> None:
        """Drop the held events after a failed sign-in."""
        self._held = self.behind = False
        self._missed = None
        self._look_idle()

    def flush(self) -> None:
        """Write all waiting bytes in one write, if the reader keeps up."""
        writer = self._writer
        if self.closed or not writer.idle:
            return
        if self._pending:
            self._write()
        if writer.idle:
            self._size = 0
            if self._timed_until < math.inf:
                self._all_timed_sent()
            if self.behind or self._stalled:
                self._all_sent()
            else:
                self.try_now = writer.try_now

    def close(self) -> None:
        """Close the connection after sending all waiting bytes."""
        if not self.closed:
            if self._perishables:
                self._write_last()
            elif self._pending:
                self._write()
            self._over()
            self._writer.close()

    def abort(self) -> None:
        """Close the connection at once."""
        if not self.closed:
            self._over()
            self._writer.abort()

    def lost(self) -> None:
        """Drop everything after the connection is lost."""
        self._over()
        self._pending = []
        self._perishables = 0
        self._all_timed_sent()
        self._writer.on_drained = nothing

    def _over(self) -> None:
        self.closed = True
        self.try_now = None

    def _look_idle(self) -> None:
        """Enable writing at once if nothing waits."""
        if self._writer.idle and not (self._pending or self.behind or self.closed):
            self.try_now = self._writer.try_now

    def _write(self) -> None:
        if self._perishables:
            self._write_with_care()
            return
        pending: list[bytes] = self._pending  # type: ignore[assignment]  # none is perishable
        if len(pending) == 1:
            data = pending.pop()
        else:
            data = b"".join(pending)
            pending.clear()
        self._writer.send(data)

    def _write_with_care(self) -> None:
        """Write until the reader is slow. Write lines with timed messages in pieces."""
        pending, writer = self._pending, self._writer
        while pending and writer.idle and not self.closed:
            line = pending[0]
            if not isinstance(line, Perishable):
                writer.send(line)
                pending.pop(0)
            elif not line.renew():
                self.abort()
            else:
                while line and writer.idle:
                    writer.send(line.take(_TIMED_BYTES if line.begun else _FIRST_BYTES))
                if not line:
                    pending.pop(0)
                    self._perishables -= 1
                if not writer.idle:
                    self._hold_until(math.inf if line else line.until())

    def _write_last(self) -> None:
        """Send all waiting bytes before closing the connection."""
        pending, self._pending, self._perishables = self._pending, [], 0
        for line in pending:
            if not isinstance(line, Perishable):
                self._writer.send(line)
            elif line.renew():
                self._writer.send(line.take(len(line)))
                self._hold_until(line.until())
            else:
                self.abort()
                return

    def _hold_until(self, until: float) -> None:
        self._timed_until = min(self._timed_until, until)
        self._watch.add(self)

    def _all_timed_sent(self) -> None:
        self._timed_until = math.inf
        self._watch.remove(self)

    def _drained(self) -> None:
        self._size = sum(map(len, self._pending))
        self.flush()

    def _all_sent(self) -> None:
        if self.behind:
            self._catch_up()
        if self._stalled:
            self._stalled = False
            self._reader.drained()
        self._look_idle()

    def _falls_behind(self, size: int, run: Sequence[Publication]) -> bool:
        """Return whether too many events wait. Timed messages never wait: their remaining time must be exact."""
        too_many = self._size + size > WAITING_BYTES or (
            (not self._writer.idle or self._size > _TIMED_BYTES)
            and any(isinstance(publication.place, TimedPlace) for publication in run)
        )
        if too_many:
            self._fall_behind()
            self._wake(self)
        return too_many

    def _fall_behind(self) -> None:
        self.behind = True
        self.try_now = None
        self._missed = Missed(_TIMED_BYTES)

    def _skip(self, run: Sequence[Publication]) -> None:
        assert self._missed is not None, "it is behind"
        if not self._missed.note(run, self._reader):
            self.abort()

    def _catch_up(self) -> None:
        if not (self._catching_up or self._held):
            self._catching_up = True
            Deferred.fromCoroutine(self._feed()).addErrback(self._cannot_catch_up)

    def _cannot_catch_up(self, failure: Failure) -> None:
        """Abort because the store fails. The client reconnects and gets the missed messages."""
        if not failure.check(Refusal):
            _log.failure("a session that fell behind could not be brought up to date", failure)
        self.abort()

    async def _feed(self) -> None:
        """Send missed events page by page while the reader keeps up. Called again after each drain."""
        try:
            while self._writer.idle and not self.closed:
                missed = self._missed
                if missed is None or missed.is_empty:
                    self.behind = False
                    self._missed = None
                    self._look_idle()
                    self._reader.caught_up()
                    return
                take = await missed.next(self._reader)
                if self.closed:
                    return
                data, until = take()
                self._send_now(data)
                if until < math.inf and not self._writer.idle:
                    self._hold_until(until)
        finally:
            self._catching_up = False

    def _send_now(self, data: bytes) -> None:
        """Send ``data`` after all waiting bytes, before the end of the turn."""
        if not self.closed and (data or self._pending):
            self._pending.append(data)
            self._size += len(data)
            self._write()
            if self._writer.idle:
                self._size = 0
