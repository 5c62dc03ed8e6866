"""Threads that run what may block: one that keeps the order of its calls, and pools that take turns by user."""

import errno
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Hashable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.failure import Failure

from irchat.protocol.errors import Code, Refusal

Given = TypeVar("Given")

# Below the reactor's thread: a hash that takes all cores of the machine does not delay a message.
_NICENESS = 10
# A call that began at the moment of an interrupt is interrupted once more after so long.
_INTERRUPT_AGAIN_SECONDS = 0.1


def short_of_resources() -> Refusal:
    """The refusal while the system gives no thread or no memory."""
    return Refusal(
        Code.UNAVAILABLE, "The server is short of memory or threads now; nothing was changed. Try again soon."
    )


def no_thread() -> OSError:
    """Return the error of a start for which the system gives no thread."""
    return OSError(errno.EAGAIN, "The system gives no thread; raise TasksMax, ulimit -u or the limit on memory")


def stopping() -> Refusal:
    """The refusal of a call that had not begun when the server stopped."""
    return Refusal(Code.UNAVAILABLE, "The server stops; nothing was changed. Try again when it is back.")


class OrderedWorker:
    """One thread that runs calls in the order in which they are given. It starts with the first.

    Every lone message waits for one such call. A thread pool of Twisted's, which grows and shrinks, takes some 20 us
    longer to bring a call to its thread and to bring back the result. The thread is not a daemon: call `stop` before
    the process can exit.
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

    def do(self, call: Callable[..., Given], *args: Any) -> Deferred[Given]:
        """Run ``call``. The Deferred fails with the Refusal ``unavailable`` while no thread can be started."""
        if self._thread is None and not self._start():
            return fail(short_of_resources())
        done: Deferred[Given] = Deferred()
        self._calls.put((done, call, args))
        return done

    def stop(self) -> None:
        """Wait for all that was given, and end the thread."""
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


class _Call:
    """One call to a pool. ``dropped``: nobody waits for its result."""

    __slots__ = ("args", "call", "done", "dropped", "key")

    def __init__(self, key: Hashable, call: Callable[..., Any], args: tuple[Any, ...], done: Deferred[Any]) -> None:
        self.key = key
        self.call = call
        self.args = args
        self.done = done
        self.dropped = False

    def interrupt(self) -> None:
        """Break the call off while it runs, where it can be."""
        interrupt = getattr(self.call, "interrupt", None)
        if interrupt is not None:
            interrupt()


class FairPool:
    """Up to ``count`` threads whose calls take turns by key (a user, an address): one call of a key runs at a time.

    So whoever asks for much waits for oneself, and others for one call at most. A thread takes its next call when the
    reactor has the result of the last one: however many calls wait, a turn of the reactor has at most ``count``
    results to work on. Cancelling the Deferred of a call drops the call, and interrupts it where it runs already and
    has a method ``interrupt``.

    Threads start when they are needed and are not daemons: call `stop` before the process can exit. ``nice``: they
    have a lower priority than the others of the process (on Linux).
    """

    def __init__(self, reactor: IReactorFromThreads, name: str, count: int, *, nice: bool = False) -> None:
        self._reactor = reactor
        self._name = name
        self._count = count
        self._nice = nice
        self._to_run: SimpleQueue[_Call | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._stopped = False
        self._running: dict[Hashable, _Call] = {}
        # What waits, by key; and the keys whose turn it is, one after another: those of which nothing runs.
        self._waiting: dict[Hashable, deque[_Call]] = {}
        self._turns: deque[Hashable] = deque()

    def start(self) -> None:
        """Start all threads now. Raises OSError where the system gives none.

        A server does so before it listens: a thread that is started while memory is short may die before it reports
        that it runs, and `threading.Thread.start` then waits for it for ever.
        """
        while len(self._threads) < self._count:
            if not self._start():
                raise no_thread()

    def do(self, key: Hashable, call: Callable[..., Given], *args: Any) -> Deferred[Given]:
        """Run ``call`` when it is the turn of ``key``.

        The Deferred fails with the Refusal ``unavailable`` while no thread can be started, and once the pool stops.
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
        """Refuse what waits, interrupt what runs where it can be, wait for the rest, and end the threads."""
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
        """Start one more thread. Where there is none at all and none can be had, refuse what waits."""
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
        self._idle += 1
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
            with suppress(ValueError):  # one of the key runs, so it has no turn
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
            self._reactor.callFromThread(self._over, taken, taken.done.errback, Failure())
        else:
            self._reactor.callFromThread(self._over, taken, taken.done.callback, given)
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
