"""Follow the other nodes: apply their commits from the shared log, and take this node's turns to commit.

Everything is applied and published in the order of the log: commits of other nodes when they are read, those of this
node when they are finished.
"""

from collections import deque
from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from irchat.interfaces.bus import Bus, Publication
from irchat.interfaces.log import Committed, LogBatch, SharedLog
from irchat.interfaces.writes import Entry, Write
from irchat.protocol.errors import Refusal, unavailable

Apply = Callable[[Entry, int | None], list[Publication]]
"""Applies an entry to memory. Its arguments: the entry, the id of its session. Returns the events to publish."""

# Maximum entries of other nodes that one turn of the reactor applies and publishes, unless one batch has more.
_ENTRIES_MOST = 500

_log = Logger()


class Following:
    """Applies the commits of other nodes in ``log`` and publishes them on ``bus``.

    ``load_again`` is called when the node can no longer follow: it ends all sessions and loads a new snapshot. With a
    ``clock``, a long catch-up leaves turns of the reactor to others.
    """

    def __init__(
        self,
        log: SharedLog,
        bus: Bus,
        apply: Apply,
        load_again: Callable[[], None],
        clock: IReactorTime | None = None,
    ) -> None:
        self.has_turn = False
        self._log = log
        self._bus = bus
        self._apply = apply
        self._load_again = load_again
        self._clock = clock
        self._unapplied: deque[LogBatch] = deque()
        self._has_news = self._reading = self._committing = False
        # The position of this node's own commit that is not published yet.
        self._own: int | None = None
        self._resets = 0
        log.on_news = self._note_news
        log.on_reset = self._reset

    async def take_turn(self) -> None:
        """Take the turn, and apply all earlier commits. Raises Refusal ``unavailable``."""
        while not self.has_turn:
            resets = self._resets
            batches = await self._log.begin()
            if resets == self._resets:
                self._add(batches)
                self.has_turn = sum(len(batch.entries) for batch in self._unapplied) <= _ENTRIES_MOST
            if self.has_turn:
                self._apply_some()
                self.has_turn = resets == self._resets
            if not self.has_turn:  # other nodes must not wait until this one has caught up
                self._log.cancel()
                await self._catch_up()

    def commit(self, writes: Sequence[Write[object]]) -> Deferred[list[object]]:
        """Commit ``writes`` in the turn and end it. Call `note_published` when the results are published, then `go_on`.

        The Deferred may fail with Refusal or `irchat.interfaces.log.TurnLost`.
        """
        self.has_turn = False
        self._committing = True
        committing = self._log.commit(writes)
        return committing.addCallbacks(self._committed, self._failed, callbackArgs=(self._resets,))

    def cancel(self) -> None:
        """End the turn without a commit."""
        self.has_turn = False
        self._log.cancel()

    def note_published(self) -> None:
        """Note that the own commit is applied and published."""
        if self._own is not None:
            position, self._own = self._own, None
            if position > self._log.position:  # a commit that wrote nothing can be overtaken by one of another node
                self._log.note_applied(position)

    def go_on(self) -> None:
        """Read what other nodes have committed meanwhile."""
        self._read_news()

    def _committed(self, committed: Committed, resets: int) -> list[object]:
        self._committing = False
        if resets != self._resets and committed.position <= self._log.position:
            raise unavailable()  # the new snapshot contains it, and the session that waits has ended
        self._own = committed.position
        return committed.results

    def _failed(self, failure: Failure) -> Failure:
        self._committing = False
        self._read_news()
        return failure

    def _note_news(self) -> None:
        self._has_news = True
        self._read_news()

    def _read_news(self) -> None:
        """Read the log. During an own commit it would return only the commits before that one."""
        if self._has_news and not (self._reading or self._committing or self._own is not None):
            self._has_news = False
            self._reading = True
            Deferred.fromCoroutine(self._read()).addErrback(self._not_read)

    async def _read(self) -> None:
        resets = self._resets
        try:
            batches = await self._log.read()
            if resets == self._resets:
                self._add(batches)
                await self._catch_up()
        finally:
            self._reading = False
        self._read_news()

    def _not_read(self, failure: Failure) -> None:
        """Log an error. The log has news again when it can be read again."""
        if not failure.check(Refusal):
            _log.failure("the log of the other nodes cannot be read", failure)

    def _add(self, batches: Sequence[LogBatch]) -> None:
        """Add batches that are not known yet."""
        known = self._unapplied[-1].position if self._unapplied else self._log.position
        self._unapplied.extend(batch for batch in batches if batch.position > known)

    async def _catch_up(self) -> None:
        """Apply and publish everything that is read, in slices."""
        while self._unapplied:
            self._apply_some()
            if self._unapplied:
                await self._next_turn()

    def _next_turn(self) -> Deferred[None]:
        return succeed(None) if self._clock is None else deferLater(self._clock, 0)

    def _apply_some(self) -> None:
        entries = 0
        while self._unapplied and (not entries or entries + len(self._unapplied[0].entries) <= _ENTRIES_MOST):
            batch = self._unapplied.popleft()
            entries += len(batch.entries)
            self._follow(batch)

    def _follow(self, batch: LogBatch) -> None:
        """Apply and publish a commit of another node."""
        publications: list[Publication] = []
        try:
            for entry in batch.entries:
                publications += self._apply(entry, None)
        except Exception:  # the memory of this node now differs from that of the others
            _log.failure("a commit of another node cannot be applied: its data is loaded again")
            self._reset()
            return
        if publications:
            try:
                self._bus.publish(publications)
            except Exception:  # later commits are still published
                _log.failure("the bus failed")
        self._log.note_applied(batch.position)

    def _reset(self) -> None:
        """Load everything again. The new snapshot contains the batches that were read before."""
        self._resets += 1
        self._unapplied.clear()
        self._load_again()
