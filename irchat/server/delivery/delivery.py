"""Deliver publications to sessions: encoded once per protocol, with one write per connection and turn."""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Protocol

from msgspec.structs import replace
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from irchat.interfaces.bus import MemberIds, Publication, TimedPlace, sign_in_id
from irchat.protocol import events
from irchat.protocol.rules import WAITING_BYTES
from irchat.server.delivery.outbox import Outbox
from irchat.server.delivery.perishable import Watch
from irchat.server.delivery.run import Encode, Run
from irchat.system.call_queue import CallQueue

_log = Logger()

# Seconds per turn of the reactor for writing. 10,000 writes would take over 100 ms.
_SLICE_SECONDS = 0.02
_WRITES_BETWEEN_LOOKS = 32
# The bytes for a smaller audience are not written at once but joined with the others of the turn.
_MANY = 16
_GROUPS_KEPT = 1_000


class Recipient(Protocol):
    """The interface of a session to delivery."""

    id: int
    outbox: Outbox
    user_id: int
    token: bytes | None

    @property
    def wants_asides(self) -> bool:
        """Whether its protocol shows asides."""

    def end(self, reason: str) -> None:
        """Send ``bye`` and close the connection."""

    def published_to(self, count: int) -> None:
        """Note that a publication of this session goes to ``count`` sessions."""


class Delivery:
    """Keeps the sessions of each user and writes to them. ``delivered``: the number of events handed to sessions."""

    def __init__(self, clock: IReactorTime) -> None:
        self.watch = Watch(clock)
        self.delivered = 0
        self.gives_way: Callable[[], bool] = lambda: False
        """Whether something that must not wait is due: then the slice of this turn ends."""
        self._clock = clock
        self._sessions: dict[int, Recipient] = {}
        self._outboxes: dict[int, Outbox] = {}
        self._of_user: dict[int, list[Recipient]] = {}
        # The sessions that want asides, by user.
        self._listening: dict[int, list[Recipient]] = {}
        # The outboxes of groups with messages since a session was last added or removed.
        self._of_group: dict[MemberIds, list[Outbox]] = {}
        self._dirty: deque[Outbox] = deque()
        self.in_turn = CallQueue(clock).add
        """Runs a call soon. The calls of all sessions share a time slice of each turn."""
        self._flushing = False
        self._has_written = False
        # The used part of the time slice of the next flush, which may run in the same turn.
        self._spent_seconds = 0.0

    def add(self, session: Recipient) -> None:
        """Start delivery to a session."""
        self._of_group.clear()
        self._sessions[session.id] = session
        self._outboxes[session.id] = session.outbox
        self._of_user.setdefault(session.user_id, []).append(session)
        if session.wants_asides:
            self._listening.setdefault(session.user_id, []).append(session)

    def remove(self, session: Recipient) -> None:
        """Stop delivery to a session."""
        self._of_group.clear()
        del self._sessions[session.id]
        del self._outboxes[session.id]
        of_user = self._of_user[session.user_id]
        of_user.remove(session)
        if not of_user:
            del self._of_user[session.user_id]
        listening = self._listening.get(session.user_id, [])
        if session in listening:
            listening.remove(session)
            if not listening:
                del self._listening[session.user_id]

    def publish(self, publications: Sequence[Publication]) -> None:
        """Queue publications for all sessions of their audiences, in order. Those with one audience are joined.

        A goodbye ends the sessions of its audience after everything else is queued.
        """
        by_audience: dict[int, list[Publication]] = {}
        goodbyes = []
        for publication in publications:
            if isinstance(publication.event, events.Bye):
                goodbyes.append(publication)
            elif publication.audience is not None and len(publication.audience) == 1:
                self.delivered += self._publish_to_user(publication)
            else:
                by_audience.setdefault(id(publication.audience), []).append(publication)
        self._offer([self._audience_of(Run(of_one)) for of_one in by_audience.values()])
        for publication in goodbyes:
            bye = publication.event
            for session in self._of(publication.audience):
                if session.id != publication.origin and isinstance(bye, events.Bye) and _is_for(session, publication):
                    session.end(bye.reason)

    def publish_asides(self, publications: Sequence[Publication]) -> None:
        """Queue publications for the sessions of their audiences that want asides. Those that are behind miss them."""
        for publication in publications:
            run = Run([publication])
            listeners = [
                session
                for session in self._listeners(publication.audience)
                if session.id != publication.origin and session.user_id not in publication.hidden
            ]
            if publication.origin in self._sessions:
                self._sessions[publication.origin].published_to(len(listeners))
            for session in listeners:
                encode = session.outbox.encode
                session.outbox.offer_aside(publication, None if encode is None else run.bytes_for(encode))

    def _listeners(self, audience: Collection[int] | None) -> list[Recipient]:
        listening = self._listening
        users: Iterable[int] = listening
        if audience is not None and len(audience) < len(listening):
            users = (user for user in audience if user in listening)
        elif audience is not None:
            users = (user for user in listening if user in audience)
        return [session for user in users for session in listening[user]]

    def __len__(self) -> int:
        return len(self._sessions)

    def behind(self) -> int:
        """Return the number of sessions that have fallen behind."""
        return sum(outbox.behind for outbox in self._outboxes.values())

    def send(self, sessions: Iterable[Recipient], event: events.Event) -> None:
        """Queue an event for these sessions."""
        self._offer([(Run([Publication(event, ())]), [session.outbox for session in sessions])])

    def wake(self, outbox: Outbox) -> None:
        """Flush ``outbox`` at the end of this turn."""
        self._dirty.append(outbox)
        if not self._flushing:
            self._flushing = True
            self._clock.callLater(0, self._flush)

    def _publish_to_user(self, publication: Publication) -> int:
        """Queue a publication for one user, such as a private message. Return the number of sessions.

        A user with one session needs no run.
        """
        assert publication.audience is not None
        (user,) = publication.audience
        sessions = self._of_user.get(user, ())
        if len(sessions) < 2:
            for session in sessions:
                self._offer_one(session, publication)
            return len(sessions)
        run = Run([publication])
        for session in sessions:
            outbox = session.outbox
            if outbox.encode is None or publication.origin == session.id or run.hidden:
                self._offer_one(session, publication)
            else:
                data = run.bytes_for(outbox.encode)
                if data is None:
                    self._offer_one(session, publication)
                else:
                    outbox.offer(data, run.publications)
        return len(sessions)

    def _audience_of(self, run: Run) -> tuple[Run, list[Outbox]]:
        """Return the run and the outboxes that get all of it. Offer parts of it to the other outboxes here."""
        audience = run.publications[0].audience
        outboxes = self._outboxes_of(audience)
        excepted = set(self._of(run.hidden))
        for origin, count in run.origins.items():
            if (session := self._sessions.get(origin)) is not None:
                session.published_to(count * len(outboxes))
                excepted.add(session)
        if excepted and audience is not None:
            excepted = {session for session in excepted if session.user_id in audience}
        for session in excepted:
            if run.origins.get(session.id) == len(run.publications) and not session.outbox.behind:
                continue  # all of it is its own
            if len(run.origins) == 1 or not self._offer_others(session, run):
                for publication in run.publications:
                    self._offer_one(session, publication)
        not_to = {session.outbox for session in excepted}
        return run, [outbox for outbox in outboxes if outbox not in not_to]

    def _outboxes_of(self, audience: Collection[int] | None) -> Collection[Outbox]:
        """Return the outboxes of an audience. Those of a group are cached: collecting them costs as much as writing."""
        if audience is None:
            return self._outboxes.values()
        if not isinstance(audience, MemberIds):
            return [session.outbox for session in self._of(audience)]
        outboxes = self._of_group.get(audience)
        if outboxes is None:
            if len(self._of_group) >= _GROUPS_KEPT:
                self._of_group.clear()
            outboxes = self._of_group[audience] = [session.outbox for session in self._of(audience)]
        return outboxes

    def _of(self, audience: Collection[int] | None) -> list[Recipient]:
        if audience is None:
            return list(self._sessions.values())
        of_user = self._of_user
        return [session for user in audience if user in of_user for session in of_user[user]]

    def _offer(self, runs: Sequence[tuple[Run, Sequence[Outbox]]]) -> None:
        """Offer all of each run to all of its outboxes."""
        writes = self._may_write(runs)
        began = self._clock.seconds() if writes else 0.0
        for run, outboxes in runs:
            self.delivered += len(run.publications) * len(outboxes)
            rest = outboxes
            if writes and len(outboxes) >= _MANY:
                rest = self._write_at_once(outboxes, run, began + _SLICE_SECONDS)
            encode: Encode | None = None
            data: bytes | None = b""
            for outbox in rest:
                if outbox.encode is None:
                    outbox.offer_run(run.publications, stored=run.is_stored)
                    continue
                if outbox.encode is not encode:
                    encode = outbox.encode
                    data = run.bytes_for(encode)
                if data is None:
                    outbox.offer_run(run.publications, stored=run.is_stored)
                else:
                    outbox.offer(data, run.publications)
            if TimedPlace in run.kinds and (until := self._end_of(run.publications)) is not None:
                for outbox in outboxes:
                    outbox.note_timed(until)
        if writes:
            self._spent_seconds = self._clock.seconds() - began

    def _may_write(self, runs: Sequence[tuple[Run, Sequence[Outbox]]]) -> bool:
        """Return whether to write at once: only once a turn, and only if no session is in two of the audiences."""
        if self._has_written or not any(len(outboxes) >= _MANY for _, outboxes in runs):
            return False
        if len(runs) > 1 and len(set().union(*(of_one for _, of_one in runs))) < sum(len(of_one) for _, of_one in runs):
            return False
        self._has_written = True
        self._clock.callLater(0, self._turn_over)
        return True

    def _write_at_once(self, outboxes: Sequence[Outbox], run: Run, until: float) -> Sequence[Outbox]:
        """Write the run to idle outboxes until the time ``until``. Return the other outboxes.

        This writes the same bytes as `Outbox.offer` and `Outbox.flush` in a third of the time: most messages go to many
        idle sessions, and this loop reads only a few fields of each.
        """
        others: list[Outbox] = []
        encode, data, size = None, b"", 0
        for begin in range(0, len(outboxes), _WRITES_BETWEEN_LOOKS):
            if self._clock.seconds() > until or self.gives_way():
                return others + list(outboxes[begin:])
            for outbox in outboxes[begin : begin + _WRITES_BETWEEN_LOOKS]:
                try_now = outbox.try_now
                if outbox.encode is not encode and outbox.encode is not None:
                    encode = outbox.encode
                    data = run.bytes_for(encode) or b""
                    size = len(data) or WAITING_BYTES + 1
                if try_now is None or outbox.encode is None or size > WAITING_BYTES:
                    others.append(outbox)
                    continue
                try:
                    given = try_now(data)
                except OSError:
                    given = 0
                except Exception:
                    self._cannot_write(outbox)
                    continue
                if given != size:
                    outbox.send_rest(data, given)
        return others

    def _offer_one(self, session: Recipient, publication: Publication) -> None:
        if publication.origin == session.id:
            session.outbox.note_own(publication)
        elif session.user_id not in publication.hidden:
            session.outbox.offer_one(publication)
            if isinstance(publication.place, TimedPlace) and (until := self._end_of((publication,))) is not None:
                session.outbox.note_timed(until)
        elif publication.instead is not None and session.user_id in publication.instead:
            session.outbox.offer_one(replace(publication, event=publication.instead[session.user_id]))

    def _offer_others(self, session: Recipient, run: Run) -> bool:
        """Offer a run to one of its origins, without its own publications. Return False if it is encoded one by one."""
        outbox = session.outbox
        if outbox.encode is None or session.user_id in run.hidden:
            return False
        others = run.of_others(outbox.encode, session.id)
        if others is None:
            return False
        data, publications = others
        outbox.offer(data, publications)
        for publication in run.publications:
            if publication.origin == session.id:
                outbox.note_own(publication)  # last: the outbox may only now have fallen behind
        if (until := self._end_of(publications)) is not None:
            outbox.note_timed(until)
        return True

    def _end_of(self, publications: Sequence[Publication]) -> float | None:
        """Return the earliest end of their timed messages, or None if there are none."""
        until = None
        for publication in publications:
            if isinstance(publication.place, TimedPlace) and isinstance(publication.event, events.Message):
                end = self._clock.seconds() + (publication.event.left_ms or 0) / 1000
                until = end if until is None else min(until, end)
        return until

    def _cannot_write(self, outbox: Outbox) -> None:
        """Abort the connection after an error, so that it does not delay the others."""
        _log.failure("a connection could not be written")
        outbox.abort()

    def _turn_over(self) -> None:
        self._has_written = False

    def _flush(self) -> None:
        """Write for the rest of the time slice, then return to the reactor."""
        deadline = self._clock.seconds() + _SLICE_SECONDS - self._spent_seconds
        self._spent_seconds = 0.0
        dirty = self._dirty
        while dirty:
            for _ in range(min(_WRITES_BETWEEN_LOOKS, len(dirty))):
                outbox = dirty.popleft()
                try:
                    outbox.flush()
                except Exception:
                    self._cannot_write(outbox)
            if dirty and (self._clock.seconds() > deadline or self.gives_way()):
                self._clock.callLater(0, self._flush)
                return
        self._flushing = False


def _is_for(session: Recipient, goodbye: Publication) -> bool:
    """Return whether the session has the sign-in that a goodbye ends, if it ends only one."""
    return goodbye.sign_in is None or (session.token is not None and sign_in_id(session.token) == goodbye.sign_in)
