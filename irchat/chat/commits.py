"""The commit queue: every change is checked in the order of arrival, committed in a group, then published.

Changes that arrive while a commit runs are committed together by the next one (group commit). Under load they gather
for longer, which makes fewer and longer writes to the readers. A change is checked against the committed state. Memory
is updated only after its commit, so it never shows anything that is not on disk. A change of permissions (``alone``) is
committed alone, so that changes checked later see it.

No user can delay the others: each user has at most one ``alone`` change in the queue, a group of other changes runs
between two of them, and users take turns if more changes wait than fit in a group. The messages of one user stay in
order, and a session runs no request beside an ``alone`` one, so every session sees its requests in order.

With a log that several nodes share, each group is checked and committed in a turn of this node, after all commits of
the others are applied (see `irchat.chat.following`).
"""

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import partial
from operator import attrgetter, itemgetter
from typing import Never

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from irchat.chat.changes import Reply, ResultHandler, Submittable
from irchat.chat.following import Apply, Following
from irchat.interfaces.bus import Bus, Publication
from irchat.interfaces.log import TurnLost
from irchat.interfaces.store import Store
from irchat.interfaces.writes import Entry, Write
from irchat.protocol.errors import Refusal, internal_error
from irchat.system.call_queue import CallQueue

# One turn of the reactor finishes a group, at about 15 us a change.
_GROUP_MOST = 500
# If publishing is slow, groups shrink to the number of changes that can be published in this time, but not so far that
# the fixed cost of a group dominates.
_PUBLISHING_SECONDS = 0.04
_GROUP_LEAST = 64
# Characters of message text that take about 10 ms to write, and 10 ms to send to some hundred sessions. A message waits
# for the group before its own.
_GROUP_CHARACTERS = 32_768
# The fixed cost of a change, in characters, when users take turns.
_CHANGE_CHARACTERS = 64
# In one turn, a user gets this many characters: a few short messages, which stay together, so that they are also
# answered and sent together. A group has room for a turn of 64 users.
_TURN_CHARACTERS = _GROUP_CHARACTERS // 64
# After a group of several changes, the next one gathers for this multiple of the publishing time, up to a delay that
# nobody notices. A full group never waits.
_GATHER_FACTOR = 10
_GATHER_MOST_SECONDS = 0.02

Commit = Callable[[list[Write[object]]], Deferred[list[object]]]
"""Commits writes; see `irchat.interfaces.store.Store.commit`."""

_Answer = tuple[Callable[[Never], None], object]
"""A method of a handler, and the reply or failure to call it with."""

_is_alone = attrgetter("alone")

_log = Logger()


class CommitQueue:
    """Accepts changes, commits them in groups to ``store``, updates memory, and publishes on ``bus``.

    ``apply`` is called with the entry of each ``alone`` change. With a ``clock``, a group starts at the end of the
    reactor's turn, or later under load, so all changes of one turn share a group. Without one, it starts at once. With
    a clock, those that wait for `published` go on in turn: many sessions that fell behind read at the same time.
    ``following``: the turns of a node that shares its log with others. It commits instead of the store.
    """

    def __init__(
        self,
        store: Store,
        bus: Bus,
        apply: Apply,
        clock: IReactorTime | None = None,
        following: Following | None = None,
    ) -> None:
        self._commit: Commit = store.commit if following is None else following.commit
        self._following = following
        self._bus = bus
        self._apply = apply
        self._clock = clock
        self._in_turn = None if clock is None else CallQueue(clock).add
        self._waiting: deque[Submittable[object]] = deque()
        self._characters = 0
        self._group_most = _GROUP_MOST
        self._last_was_alone = False
        # For each user with an alone change in the queue: its later alone changes.
        self._alone_later: dict[Hashable, deque[Submittable[object]]] = {}
        self._running = False
        self._unpublished = False
        self._when_idle: list[Deferred[None]] = []
        self._when_published: list[Deferred[None]] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def measure(self, measured: Callable[[Commit], Commit]) -> None:
        """Wrap the function that commits with ``measured``."""
        self._commit = measured(self._commit)

    def submit(self, change: Submittable[Reply]) -> Deferred[Reply]:
        """Queue ``change``. The Deferred fires with its reply, or fails with its Refusal."""
        done: Deferred[Reply] = Deferred()
        self.take(change, done)
        return done

    def take(self, change: Submittable[Reply], handler: ResultHandler[Reply]) -> None:
        """Queue ``change`` and pass the outcome to ``handler``. Used for messages: a Deferred would cost 5 us."""
        change.handler = handler
        if change.alone and self._must_wait(change):
            return
        self._waiting.append(change)
        self._characters += change.characters
        if not self._running:
            self._running = True
            self._begin_after(0)

    def published(self) -> Deferred[None]:
        """Return a Deferred that fires when everything committed so far is published, or soon afterwards.

        A read may return data that is not published yet. To rule that out, wait for this Deferred after the read.
        """
        if not self._unpublished:
            return succeed(None)
        published: Deferred[None] = Deferred()
        self._when_published.append(published)
        return published

    def when_idle(self) -> Deferred[None]:
        """Return a Deferred that fires when all submitted changes are committed or refused."""
        idle: Deferred[None] = Deferred()
        self._when_idle.append(idle)
        if not self._running:
            self._next()
        return idle

    def _begin_after(self, seconds: float) -> None:
        if self._clock is None:
            self._next()
        else:
            self._clock.callLater(seconds, self._next)

    def _next(self) -> None:
        while self._waiting:
            if self._following is not None and not self._following.has_turn:
                self._take_turn(self._following)
                return
            group = self._take_group()
            writes = [change.write for change in group if change.write is not None]
            if writes:
                self._unpublished = self._following is None
                committing = self._commit(writes)
                committing.addCallbacks(self._committed, self._failed, callbackArgs=(group,), errbackArgs=(group,))
                committing.addErrback(lambda failure: _log.failure("a commit's callback failed", failure))
                return
            if self._following is not None:
                self._following.cancel()
            self._finish(group, [])
        self._running = False
        idle, self._when_idle = self._when_idle, []
        for waiter in idle:
            waiter.callback(None)

    def _take_turn(self, following: Following) -> None:
        """Take a turn among the nodes, and continue in it."""
        taking = Deferred.fromCoroutine(following.take_turn())
        taking.addCallbacks(lambda _: self._next(), self._no_turn)
        taking.addErrback(lambda failure: _log.failure("a turn's callback failed", failure))

    def _no_turn(self, failure: Failure) -> None:
        """Refuse the changes of the next commit."""
        self._refuse(self._pick(), _refusal(failure))
        self._next()

    def _fire_published(self) -> None:
        waiting, self._when_published = self._when_published, []
        for published in waiting:
            if self._in_turn is None:
                published.callback(None)
            else:
                self._in_turn(partial(published.callback, None))

    def _must_wait(self, change: Submittable[object]) -> bool:
        """Return whether an alone change must wait for an earlier one of the same user."""
        if change.by is None:
            return False
        if change.by in self._alone_later:
            self._alone_later[change.by].append(change)
            return True
        self._alone_later[change.by] = deque()
        return False

    def _let_next(self, change: Submittable[object]) -> None:
        """After an alone change, queue the next one of its user."""
        if change.alone and change.by is not None:
            later = self._alone_later[change.by]
            if later:
                self._waiting.append(later.popleft())
            else:
                del self._alone_later[change.by]

    def _take_group(self) -> list[Submittable[object]]:
        """Check the changes of the next commit and return them. Answer refused changes."""
        group: list[Submittable[object]] = []
        refused: list[tuple[Submittable[object], Failure]] = []
        for change in self._pick():
            try:
                change.write = change.check()
                group.append(change)
            except Exception as error:  # an error concerns only the handler of its change
                refused.append((change, _failure(error)))
                self._let_next(change)
        self._answer([(change.handler.errback, failure) for change, failure in refused])
        return group

    def _pick(self) -> list[Submittable[object]]:
        """Return the next changes in order of arrival: one alone change, or a group of others.

        After an alone change, others come first, even if further alone changes arrived before them.
        """
        if len(self._waiting) > self._group_most or self._characters > _GROUP_CHARACTERS:
            self._take_turns()
        waiting = self._waiting
        most = self._group_most
        if len(waiting) <= most and self._characters < _GROUP_CHARACTERS and not any(map(_is_alone, waiting)):
            picked = list(waiting)
            waiting.clear()
            self._characters = 0
            self._last_was_alone = False
            return picked
        picked = []
        passed: list[Submittable[object]] = []
        characters = 0
        while waiting and len(picked) < most and characters < _GROUP_CHARACTERS:
            change = waiting[0]
            if not change.alone:
                characters += change.characters
                picked.append(waiting.popleft())
            elif self._last_was_alone:
                passed.append(waiting.popleft())
            else:
                break
        waiting.extendleft(reversed(passed))
        self._last_was_alone = not picked
        self._characters -= characters
        return picked or [waiting.popleft()]

    def _take_turns(self) -> None:
        """Sort the waiting changes by turns: users with few of them come first. Keep the order of arrival in a turn."""
        said: dict[Hashable, int] = defaultdict(int)
        turns = []
        for change in self._waiting:
            by = change.by or change
            said[by] += change.characters + _CHANGE_CHARACTERS
            turns.append(said[by] // _TURN_CHARACTERS)
        if any(turns):
            places = sorted(zip(turns, self._waiting, strict=True), key=itemgetter(0))
            self._waiting = deque(change for _, change in places)

    def _committed(self, results: list[object], group: list[Submittable[object]]) -> None:
        publishing_seconds = self._finish(group, results)
        gathers = 0 < len(self._waiting) < self._group_most and self._characters < _GROUP_CHARACTERS
        if gathers and len(group) > 1:
            self._begin_after(min(publishing_seconds * _GATHER_FACTOR, _GATHER_MOST_SECONDS))
        else:
            self._next()

    def _failed(self, failure: Failure, group: list[Submittable[object]]) -> None:
        """Refuse the changes that needed the failed commit, and finish the others. After a lost turn, take another."""
        if failure.check(TurnLost):
            self._waiting.extendleft(reversed(group))
            self._characters += sum(change.characters for change in group)
            self._last_was_alone = False
        else:
            self._refuse([change for change in group if change.write is not None], _refusal(failure))
            self._finish([change for change in group if change.write is None], [])
        self._next()

    def _refuse(self, changes: Sequence[Submittable[object]], failure: Failure) -> None:
        for change in changes:
            self._let_next(change)
        self._answer([(change.handler.errback, failure) for change in changes])

    def _finish(self, group: list[Submittable[object]], results: list[object]) -> float:
        """Apply a committed group to memory, publish and reply. Return the seconds taken by publishing."""
        publications: list[Publication] = []
        answers: list[_Answer] = []
        each_result = iter(results)
        is_alone = bool(group) and group[0].alone
        if is_alone:
            self._let_next(group[0])
        for change in group:
            try:
                result = None if change.write is None else next(each_result)
                if is_alone and change.write is not None:
                    publications += self._apply(Entry(change.write, result), change.origin)
                # The result of its own write: the only place where a result returns to its change.
                reply = change.reply(result, publications)  # type: ignore[arg-type]
                answers.append((change.handler.callback, reply))
            except Exception as error:
                answers.append((change.handler.errback, _failure(error)))
        seconds = self._publish(publications)
        if len(group) >= _GROUP_LEAST:
            published_in_time = int(len(group) * _PUBLISHING_SECONDS / max(seconds, 1e-6))
            self._group_most = max(_GROUP_LEAST, min(_GROUP_MOST, published_in_time))
        self._unpublished = False
        self._fire_published()
        if self._following is None:
            self._answer(answers)
        else:
            self._following.note_published()  # first: messages to other nodes caused by answers carry this position
            self._answer(answers)
            self._following.go_on()
        return seconds

    def _answer(self, answers: Iterable[_Answer]) -> None:
        for answer, value in answers:
            try:
                answer(value)  # type: ignore[arg-type]  # a reply of its change
            except Exception:  # the other handlers still get their outcome
                _log.failure("a handler of a change failed")

    def _publish(self, publications: list[Publication]) -> float:
        began = self._seconds()
        if publications:
            try:
                self._bus.publish(publications)
            except Exception:  # committed changes are answered, and the queue continues
                _log.failure("the bus failed")
        return self._seconds() - began

    def _seconds(self) -> float:
        return 0.0 if self._clock is None else self._clock.seconds()


def _refusal(failure: Failure) -> Failure:
    """Return the failure of a commit as a Refusal. Log what is none."""
    if failure.check(Refusal):
        return failure
    _log.failure("a commit failed", failure)
    return Failure(internal_error())


def _failure(error: Exception) -> Failure:
    """Wrap ``error``. Drop the traceback of a Refusal: it forms a cycle with the frame that holds the failure."""
    return Failure(error.with_traceback(None)) if isinstance(error, Refusal) else Failure()
