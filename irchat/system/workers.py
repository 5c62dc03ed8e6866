"""Threads for blocking calls: one that keeps their order, and pools that are fair between users."""

import errno
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Hashable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar, TypeVarTuple

from msgspec import Struct
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.failure import Failure

from irchat.protocol.errors import Code, Refusal

Given = TypeVar("Given")
Args = TypeVarTuple("Args")

# Below the reactor's thread: hashes that take all cores do not delay a message.
_NICENESS = 10
# Seconds between interrupts of a call. An interrupt has no effect on a call that has not quite begun.
_INTERRUPT_AGAIN_SECONDS = 0.1


def short_of_resources() -> Refusal:
    """Return the refusal for a system that is out of threads or memory."""
    return Refusal(
        Code.UNAVAILABLE, "The server is short of memory or threads now; nothing was changed. Try again soon."
    )


def no_thread() -> OSError:
    """Return the error of a thread that cannot be started."""
    return OSError(errno.EAGAIN, "The system cannot start another thread")


def stopping() -> Refusal:
    """Return the refusal of a call that had not begun when the server stopped."""
    return Refusal(Code.UNAVAILABLE, "The server is stopping; nothing was changed. Try again when it is back.")


class OrderedWorker:
    """One thread that runs calls in order. It starts on the first call.

    Every lone message waits for one such call. Twisted's thread pool, which grows and shrinks, takes about 20 us
    longer per call. The thread is not a daemon: call `stop` before the process can exit.
    """

    def __init__(self, reactor: IReactorFromThreads, name: str) -> None:
        self._reactor = reactor
        self._name = name
        self._calls: SimpleQueue[tuple[Deferred[Any], Callable[..., Any], tuple[Any, ...]] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread now. Raises OSError; see `FairPool.start`."""
        if self._thread is None and not self._start():
            raise no_thread()

    def do(self, call: Callable[[*Args], Given], *args: *Args) -> Deferred[Given]:
        """Run ``call``. The Deferred fails with the Refusal ``unavailable`` if no thread can be started."""
        if self._thread is None and not self._start():
            return fail(short_of_resources())
        done: Deferred[Given] = Deferred()
        self._calls.put((done, call, args))
        return done

    def stop(self) -> None:
        """Wait for all calls, and end the thread."""
        if self._thread is not None:
            self._calls.put(None)
            self._thread.join()

    def _start(self) -> bool:
        thread = threading.Thread(target=self._work, name=self._name)
        try:
            thread.start()
        except (RuntimeError, MemoryError):
            return False
        self._thread = thread
        return True

    def _work(self) -> None:
        while self._do_next():
            pass

    def _do_next(self) -> bool:
        taken = self._calls.get()
        if taken is None:
            return False
        done, call, args = taken
        try:
            given = call(*args)
        except BaseException:
            self._reactor.callFromThread(done.errback, Failure())
        else:
            self._reactor.callFromThread(done.callback, given)
        return True


class _Call(Struct, eq=False):
    """One call to a pool. ``dropped``: the result is not needed."""

    key: Hashable
    call: Callable[..., Any]
    args: tuple[Any, ...]
    done: Deferred[Any]
    dropped: bool = False

    def interrupt(self) -> None:
        """Interrupt the running call, if it has a method for that."""
        interrupt = getattr(self.call, "interrupt", None)
        if interrupt is not None:
            interrupt()


class FairPool:
    """Up to ``count`` threads, shared fairly by key (a user, an address): one call of a key runs at a time.

    A user with many calls delays others by one call at most. Each thread has up to ``ahead`` calls that run or whose
    results the reactor does not have yet: with 1, a thread waits for the reactor after each call, and one turn of the
    reactor handles at most ``count`` results. ``in_turn`` calls a function soon, and can spread the results over turns.
    Cancelling the Deferred of a call drops the call, and interrupts it if it runs and has a method ``interrupt``.

    Threads start when they are needed and are not daemons: call `stop` before the process can exit. ``nice``: they
    have a lower priority than the other threads of the process (on Linux).
    """

    def __init__(
        self,
        reactor: IReactorFromThreads,
        name: str,
        count: int,
        *,
        ahead: int = 1,
        in_turn: Callable[[Callable[[], None]], None] | None = None,
        nice: bool = False,
    ) -> None:
        self._reactor = reactor
        self._name = name
        self._count = count
        self._ahead = ahead
        self._in_turn = in_turn
        self._nice = nice
        self._to_run: SimpleQueue[_Call | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._stopped = False
        self._running: dict[Hashable, _Call] = {}
        # The waiting calls by key, and the keys in the order of their turns: those without a running call.
        self._waiting: dict[Hashable, deque[_Call]] = {}
        self._turns: deque[Hashable] = deque()

    def start(self) -> None:
        """Start all threads now. Raises OSError if one cannot be started.

        A server does this before it listens: a thread that starts while memory is short may die before it reports that
        it runs, and `threading.Thread.start` would wait for it forever.
        """
        while len(self._threads) < self._count:
            if not self._start():
                raise no_thread()

    def do(self, key: Hashable, call: Callable[[*Args], Given], *args: *Args) -> Deferred[Given]:
        """Run ``call`` on the next turn of ``key``.

        The Deferred fails with the Refusal ``unavailable`` if no thread can be started, or if the pool has stopped.
        """
        if self._stopped:
            return fail(stopping())
        done: Deferred[Given] = Deferred(lambda _: self._drop(taken))
        taken = _Call(key, call, args, done)
        waiting = self._waiting.get(key)
        if waiting is None:
            self._waiting[key] = deque((taken,))
            if key not in self._running:
                self._turns.append(key)
        else:
            waiting.append(taken)
        self._hand_out()
        return done

    def stop(self) -> None:
        """Refuse the waiting calls, interrupt the running ones, wait for them, and end the threads."""
        self._stopped = True
        self._refuse_waiting(stopping)
        for _ in self._threads:
            self._to_run.put(None)
        for thread in self._threads:
            while thread.is_alive():
                for running in list(self._running.values()):
                    running.interrupt()
                thread.join(_INTERRUPT_AGAIN_SECONDS)

    def _hand_out(self) -> None:
        while self._turns and (self._idle or self._start()):
            key = self._turns.popleft()
            waiting = self._waiting[key]
            taken = waiting.popleft()
            if not waiting:
                del self._waiting[key]
            self._running[key] = taken
            self._idle -= 1
            self._to_run.put(taken)

    def _start(self) -> bool:
        """Start one more thread. If there is none and none can be started, refuse the waiting calls."""
        if len(self._threads) == self._count:
            return False
        thread = threading.Thread(target=self._work, name=f"{self._name}-{len(self._threads)}")
        try:
            thread.start()
        except (RuntimeError, MemoryError):
            if not self._threads:
                self._refuse_waiting(short_of_resources)
            return False
        self._threads.append(thread)
        self._idle += self._ahead
        return True

    def _refuse_waiting(self, refusal: Callable[[], Refusal]) -> None:
        waiting = [taken for of_key in self._waiting.values() for taken in of_key]
        self._waiting.clear()
        self._turns.clear()
        for taken in waiting:
            taken.done.errback(refusal())

    def _drop(self, taken: _Call) -> None:
        taken.dropped = True
        if self._running.get(taken.key) is taken:
            taken.interrupt()
            return
        waiting = self._waiting[taken.key]
        waiting.remove(taken)
        if not waiting:
            del self._waiting[taken.key]
            with suppress(ValueError):  # another call of the key runs, so it has no turn
                self._turns.remove(taken.key)

    def _work(self) -> None:
        if self._nice and sys.platform == "linux":
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
        while self._do_next():
            pass

    def _do_next(self) -> bool:
        taken = self._to_run.get()
        if taken is None:
            return False
        try:
            given = taken.call(*taken.args)
        except BaseException:
            over = partial(self._over, taken, taken.done.errback, Failure())
        else:
            over = partial(self._over, taken, taken.done.callback, given)
        if self._in_turn is None:
            self._reactor.callFromThread(over)
        else:
            self._reactor.callFromThread(self._in_turn, over)
        return True

    def _over(self, taken: _Call, answer: Callable[[Any], None], given: Any) -> None:
        try:
            if not taken.dropped:
                answer(given)
        finally:
            del self._running[taken.key]
            self._idle += 1
            if taken.key in self._waiting:
                self._turns.append(taken.key)
            self._hand_out()
