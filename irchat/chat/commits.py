"""The queue through which every change goes: checked in the order of arrival, committed in groups, then published.

While one commit runs, changes gather; the next commit takes all of them (group commit). Under load they gather for a
while longer, so that what must be told to many is told in fewer and longer writes. A change is checked against
what is committed at that moment and applied to memory only after its own commit, so memory never shows what the disk
does not hold. A change of who may do what (``alone``) is a commit of its own: what is checked after it sees it.

Nobody waits for one user: of the changes that are alone each user has one in the queue at a time, between two of them
comes a group of all others, and where more waits than a group may hold, the users take turns. The order of one user's
messages stays, and a session has no other request beside one that is alone, so no session sees another order than its
own.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable
from operator import itemgetter
from typing import Any, Protocol

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from irchat.interfaces.store import Publication, Publish, Store, Write
from irchat.protocol.errors import Code, Refusal

# What follows from a group is done in one turn of the reactor, at about 15 us for each change.
_GROUP_MOST = 500
# Where many are told, and each in a way of its own, a group is smaller: as many changes as were last told in so many
# seconds, but not so few that what a group costs by itself is what counts.
_TELLING_SECONDS = 0.02
_GROUP_LEAST = 64
# Characters of messages: so many are written, indexed and sent in some 20 ms.
_GROUP_CHARACTERS = 65_536
# What a change counts for besides its characters, where users take turns.
_CHANGE_CHARACTERS = 64
# Where more than one message came at a time, what comes next gathers for so many times what the telling of the last
# took, in a time that nobody notices; but not where a whole group waits.
_GATHER_FACTOR = 10
_GATHER_MOST_SECONDS = 0.02

_log = Logger()


class ResultHandler(Protocol):
    """Who is told how a change went, once: a Deferred, or what has as much of one as the path of a message needs."""

    def callback(self, result: Any, /) -> None:
        """It is made: ``result`` is what its ``apply`` gave."""

    def errback(self, failure: Failure, /) -> None:
        """It is not; the failure is mostly a Refusal."""


class Change:
    """One change: what it needs, what it writes, and what follows from it."""

    __slots__ = ("handler", "write")

    alone = False
    characters = 0
    """The length of the text that is said."""
    handler: ResultHandler
    """Set by the queue, as is what `check` gave: ``write``."""
    write: Write | None

    def whose(self) -> Hashable | None:
        """The user, or where nobody is signed in the address, whose changes take turns with those of others."""
        return None

    def check(self) -> Write | None:
        """What to write, None where there is nothing to. Raises Refusal where the change cannot be made."""
        raise NotImplementedError

    def apply(self, result: Any, publications: list[Publication]) -> Any:
        """Change memory by what the commit gave, add what is to be told, and return what the handler is to have."""
        raise NotImplementedError


class CommitQueue:
    """Takes changes, commits them in groups to ``store`` and gives what follows from them to ``publish``.

    With a ``clock`` a group begins at the end of the reactor's turn: so all that one turn brings is one group, where
    else its first change would be committed alone and all others wait for that; and under load it begins after a while.
    Without one it begins at once.
    """

    def __init__(self, store: Store, publish: Publish, clock: IReactorTime | None = None) -> None:
        self._store = store
        self._publish = publish
        self._clock = clock
        self._waiting: deque[Change] = deque()
        self._characters = 0
        self._group_most = _GROUP_MOST
        self._last_was_alone = False
        # Of those who have a change that is alone in the queue, the others that they have.
        self._alone_later: dict[Hashable, deque[Change]] = {}
        self._running = False
        self._unpublished = False
        self._when_idle: list[Deferred[None]] = []
        self._when_published: list[Deferred[None]] = []

    def submit(self, change: Change) -> Deferred[Any]:
        """Queue ``change``; fires with what its ``apply`` gives, or fails with the Refusal that met it."""
        done: Deferred[Any] = Deferred()
        self.take(change, done)
        return done

    def take(self, change: Change, handler: ResultHandler) -> None:
        """Queue ``change`` and tell ``handler`` how it went: so are messages taken, for each a Deferred costs 5 us."""
        change.handler = handler
        if change.alone and self._must_wait(change):
            return
        self._waiting.append(change)
        self._characters += change.characters
        if not self._running:
            self._running = True
            self._begin_after(0)

    def published(self) -> Deferred[None]:
        """Fires when all that is committed by now is published as well.

        A reader may see on the disk what is not published yet; who waits for this knows that it is no more so.
        """
        if not self._unpublished:
            return succeed(None)
        published: Deferred[None] = Deferred()
        self._when_published.append(published)
        return published

    def when_idle(self) -> Deferred[None]:
        """Fires when all that was submitted is committed or refused."""
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
        self._running = True
        while self._waiting:
            group = self._take_group()
            writes = [change.write for change in group if change.write is not None]
            if writes:
                self._unpublished = True
                committing = self._store.commit(writes)
                committing.addCallbacks(self._committed, self._failed, callbackArgs=(group,), errbackArgs=(group,))
                committing.addErrback(lambda failure: _log.failure("a commit's callback failed", failure))
                return
            self._finish(group, [])
        self._running = False
        idle, self._when_idle = self._when_idle, []
        for waiter in idle:
            waiter.callback(None)

    def _tell_published(self) -> None:
        waiting, self._when_published = self._when_published, []
        for published in waiting:
            published.callback(None)

    def _must_wait(self, change: Change) -> bool:
        """Whether a change that is alone has to wait for another one of the same user."""
        whose = change.whose()
        if whose is None:
            return False
        if whose in self._alone_later:
            self._alone_later[whose].append(change)
            return True
        self._alone_later[whose] = deque()
        return False

    def _let_next(self, change: Change) -> None:
        """A change is over: where it was alone, the next one of its user comes into the queue."""
        whose = change.whose() if change.alone else None
        if whose is not None:
            later = self._alone_later[whose]
            if later:
                self._waiting.append(later.popleft())
            else:
                del self._alone_later[whose]

    def _take_group(self) -> list[Change]:
        """The changes of the next commit, checked; those that are refused are answered."""
        group: list[Change] = []
        refused: list[tuple[Change, Failure]] = []
        for change in self._pick():
            try:
                change.write = change.check()
                group.append(change)
            except Exception as error:  # whatever one change meets is its own handler's
                refused.append((change, _failure(error)))
                self._let_next(change)
        self._answer([(change.handler.errback, failure) for change, failure in refused])
        return group

    def _pick(self) -> list[Change]:
        """The next changes: one that is alone, or a group of others, in the order of arrival. After one that was alone
        come others, also from behind those that are alone."""
        if len(self._waiting) > self._group_most or self._characters > _GROUP_CHARACTERS:
            self._take_turns()
        waiting = self._waiting
        picked: list[Change] = []
        passed: list[Change] = []
        characters = 0
        most = self._group_most
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
        """Order what waits so that whoever says little comes before whoever says much; the order of each user stays."""
        said: dict[Hashable, int] = defaultdict(int)
        places = []
        for change in self._waiting:
            whose = change.whose() or change
            said[whose] += change.characters + _CHANGE_CHARACTERS
            places.append((said[whose], change))
        places.sort(key=itemgetter(0))
        self._waiting = deque(change for _, change in places)

    def _committed(self, results: list[Any], group: list[Change]) -> None:
        telling_seconds = self._finish(group, results)
        gathers = 0 < len(self._waiting) < self._group_most and self._characters < _GROUP_CHARACTERS
        if gathers and len(group) > 1:
            self._begin_after(min(telling_seconds * _GATHER_FACTOR, _GATHER_MOST_SECONDS))
        else:
            self._next()

    def _failed(self, failure: Failure, group: list[Change]) -> None:
        """The store could not write: what needed it is refused, what did not goes on."""
        if not failure.check(Refusal):
            _log.failure("a commit failed", failure)
            failure = Failure(Refusal(Code.INTERNAL, "The server met an error of its own; nothing was changed."))
        for change in group:
            if change.write is not None:
                self._let_next(change)
        self._answer([(change.handler.errback, failure) for change in group if change.write is not None])
        self._finish([change for change in group if change.write is None], [])
        self._next()

    def _finish(self, group: list[Change], results: list[Any]) -> float:
        """Do what follows from a group; gives the seconds that the telling took."""
        publications: list[Publication] = []
        answers: list[tuple[Callable[[Any], None], Any]] = []
        each_result = iter(results)
        if group and group[0].alone:
            self._let_next(group[0])
        for change in group:
            try:
                result = None if change.write is None else next(each_result)
                answers.append((change.handler.callback, change.apply(result, publications)))
            except Exception as error:
                answers.append((change.handler.errback, _failure(error)))
        telling_seconds = self._tell(publications)
        if len(group) >= _GROUP_LEAST:
            told_in_time = int(len(group) * _TELLING_SECONDS / max(telling_seconds, 1e-6))
            self._group_most = max(_GROUP_LEAST, min(_GROUP_MOST, told_in_time))
        self._unpublished = False
        self._tell_published()
        self._answer(answers)
        return telling_seconds

    def _answer(self, answers: Iterable[tuple[Callable[[Any], None], Any]]) -> None:
        for answer, value in answers:
            try:
                answer(value)
            except Exception:  # the others are to have theirs
                _log.failure("who asked for a change could not be told how it went")

    def _tell(self, publications: list[Publication]) -> float:
        began = self._seconds()
        if publications:
            try:
                self._publish(publications)
            except Exception:  # what is committed is answered, and the queue goes on
                _log.failure("the bus failed")
        return self._seconds() - began

    def _seconds(self) -> float:
        return 0.0 if self._clock is None else self._clock.seconds()


def _failure(error: Exception) -> Failure:
    """A refusal needs no traceback, which would hold the frame that holds the failure, until garbage is collected."""
    return Failure(error.with_traceback(None)) if isinstance(error, Refusal) else Failure()
