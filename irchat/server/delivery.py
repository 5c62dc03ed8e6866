"""Brings what the core publishes to the sessions: encoded once for each face, one write a turn for each connection."""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Protocol

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from irchat import events
from irchat.interfaces import Publication
from irchat.server.outbox import Outbox

_log = Logger()

# A turn of the reactor writes for at most this long; 10,000 writes would take over 120 ms.
_SLICE_SECONDS = 0.02
_WRITES_BETWEEN_LOOKS = 32

Encode = Callable[[events.Event], bytes]


class Recipient(Protocol):
    """A session, as delivery sees it. ``encode`` is None where its face says each event in a way of its own."""

    outbox: Outbox
    encode: Encode | None
    user_id: int

    def end(self, reason: str) -> None:
        """Say ``bye`` and close the connection."""


class _Run:
    """Publications with one audience: joined to bytes once for each encoding, when the first session wants them."""

    def __init__(self, publications: Sequence[Publication]) -> None:
        self.publications = publications
        self.origins = {id(p.origin) for p in publications if p.origin is not None}
        first = publications[0].hidden
        self.hidden = first if len(publications) == 1 else frozenset(first).union(*(p.hidden for p in publications))
        self._joined: dict[Encode, bytes] = {}

    def bytes_for(self, encode: Encode) -> bytes:
        joined = self._joined.get(encode)
        if joined is None:
            joined = self._joined[encode] = b"".join(encode(p.event) for p in self.publications)
        return joined


class Delivery:
    """Knows the sessions of each user and writes to them."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._sessions: dict[Recipient, None] = {}
        self._of_user: dict[int, list[Recipient]] = {}
        self._dirty: deque[Outbox] = deque()
        self._flushing = False

    def add(self, session: Recipient) -> None:
        """A session begins to get events."""
        self._sessions[session] = None
        self._of_user.setdefault(session.user_id, []).append(session)

    def remove(self, session: Recipient) -> None:
        """A session gets no more events."""
        del self._sessions[session]
        of_user = self._of_user[session.user_id]
        of_user.remove(session)
        if not of_user:
            del self._of_user[session.user_id]

    def publish(self, publications: Sequence[Publication]) -> None:
        """Queue publications for all sessions of their audiences, in order. Those of one audience are joined.

        A goodbye ends the sessions of its audience, after all else is queued.
        """
        by_audience: dict[int, list[Publication]] = {}
        goodbyes = []
        for publication in publications:
            if isinstance(publication.event, events.Bye):
                goodbyes.append((publication.event, publication.audience))
            else:
                by_audience.setdefault(id(publication.audience), []).append(publication)
        for publications_of_one in by_audience.values():
            self._deliver(_Run(publications_of_one), publications_of_one[0].audience)
        for bye, audience in goodbyes:
            for session in self._of(audience):
                session.end(bye.reason)

    def tell(self, sessions: Iterable[Recipient], event: events.Event) -> None:
        """Queue an event for these sessions."""
        self._offer(sessions, _Run([Publication(event, ())]))

    def wake(self, outbox: Outbox) -> None:
        """Have ``outbox`` flushed at the end of this turn."""
        self._dirty.append(outbox)
        if not self._flushing:
            self._flushing = True
            self._clock.callLater(0, self._flush)

    def _deliver(self, run: _Run, audience: Collection[int] | None) -> None:
        sessions = self._of(audience)
        if run.origins or run.hidden:
            excepted: list[Recipient] = []
            alike: list[Recipient] = []
            for session in sessions:
                is_excepted = id(session) in run.origins or session.user_id in run.hidden
                (excepted if is_excepted else alike).append(session)
            for session in excepted:
                self._offer_some(session, run)
            sessions = alike
        self._offer(sessions, run)

    def _of(self, audience: Collection[int] | None) -> list[Recipient]:
        if audience is None:
            return list(self._sessions)
        of_user = self._of_user
        return [session for user in audience if user in of_user for session in of_user[user]]

    def _offer(self, sessions: Iterable[Recipient], run: _Run) -> None:
        """Offer all of the run to all of ``sessions``."""
        encode, data = None, b""
        for session in sessions:
            if session.encode is None:
                for publication in run.publications:
                    session.outbox.offer_one(publication)
                continue
            if session.encode is not encode:
                encode = session.encode
                data = run.bytes_for(encode)
            session.outbox.offer(data, run.publications)

    def _offer_some(self, session: Recipient, run: _Run) -> None:
        """Offer what is not the session's own and not hidden from its user, one by one."""
        for publication in run.publications:
            if publication.origin is session:
                session.outbox.note_own(publication)
            elif session.user_id not in publication.hidden:
                session.outbox.offer_one(publication)

    def _flush(self) -> None:
        """Write for at most a slice of time, then let the reactor turn."""
        deadline = self._clock.seconds() + _SLICE_SECONDS
        dirty = self._dirty
        while dirty:
            for _ in range(min(_WRITES_BETWEEN_LOOKS, len(dirty))):
                outbox = dirty.popleft()
                try:
                    outbox.flush()
                except Exception:  # what goes wrong with one connection is not to keep all others waiting
                    _log.failure("a connection could not be written")
                    outbox.abort()
            if dirty and self._clock.seconds() > deadline:
                self._clock.callLater(0, self._flush)
                return
        self._flushing = False
