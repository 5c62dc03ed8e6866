"""Sessions and outboxes that record deliveries."""

from collections.abc import Callable, Collection, Sequence
from itertools import count

from twisted.internet.task import Clock

from irchat.interfaces.bus import Publication
from irchat.protocol import wire
from irchat.protocol.events import Message
from irchat.server.delivery.run import Encode


def _encode(publication: Publication) -> bytes:
    return wire.encode(publication.event)


class FakeOutbox:
    """Records offered publications. ``seconds`` is the duration of a write. ``try_now`` is absent by default."""

    behind = False

    def __init__(self, clock: Clock | None = None, seconds: float = 0.0, *, encodes: bool = True) -> None:
        self.encode: Encode | None = _encode if encodes else None
        self.try_now: Callable[[bytes], int] | None = None
        self.written: list[bytes] = []
        self.rest: list[tuple[bytes, int]] = []
        self.room = 1 << 30
        self.offered: list[bytes] = []
        self.timed: list[float] = []
        self.own: list[Publication] = []
        self.runs = 0
        self.flushed: list[float] = []
        self.aborted = False
        self.error: Exception | None = None
        self._clock = clock
        self._seconds = seconds

    def offer(self, data: bytes, run: Collection[Publication]) -> None:
        self.offered.append(data)

    def offer_one(self, publication: Publication) -> None:
        data = None if self.encode is None else self.encode(publication)
        self.offered.append(wire.encode(publication.event) if data is None else data)

    def offer_aside(self, publication: Publication, data: bytes | None) -> None:
        self.offered.append(wire.encode(publication.event) if data is None else data)

    def offer_run(self, run: Sequence[Publication], *, stored: bool) -> None:
        self.runs += len(run)
        for publication in run:
            self.offer_one(publication)

    def note_timed(self, until: float) -> None:
        self.timed.append(until)

    def note_own(self, publication: Publication) -> None:
        self.own.append(publication)

    def write_at_once(self, data: bytes) -> int:
        """Write immediately, up to ``room`` bytes: the ``try_now`` of an outbox with nothing waiting."""
        if self.error is not None:
            raise self.error
        self.written.append(data[: self.room])
        if self._clock is not None:
            self._clock.rightNow += self._seconds
        return min(len(data), self.room)

    def send_rest(self, data: bytes, given: int) -> None:
        self.rest.append((data, given))

    def flush(self) -> None:
        if self.error is not None:
            raise self.error
        self.flushed.append(self._clock.seconds())
        self._clock.rightNow += self._seconds

    def abort(self) -> None:
        self.aborted = True


class FakeSession:
    """A session of a user."""

    ids = count(1)
    token: bytes | None = None

    def published_to(self, count: int) -> None:
        """Count them in ``reached``."""
        self.reached += count

    def __init__(self, user_id: int, *, encodes: bool = True, outbox: FakeOutbox | None = None) -> None:
        self.id = next(self.ids)
        self.user_id = user_id
        self.outbox = outbox or FakeOutbox(encodes=encodes)
        self.ended: list[str] = []
        self.reached = 0
        self.wants_asides = False

    def end(self, reason: str) -> None:
        """Record the end."""
        self.ended.append(reason)

    @property
    def got(self) -> bytes:
        """Return all offered publications."""
        return b"".join(self.outbox.offered)


def message(seq: int) -> Message:
    """Return a message in GLOBAL."""
    return Message(chat="GLOBAL", sender="alice", at="2026-11-22T14:00:00.000Z", text=f"text {seq}", seq=seq)
