"""The threads of the store: one that writes, a few that read, one that looks through everything; or none, for a process
that does nothing else."""

import threading
from collections.abc import Callable
from queue import SimpleQueue
from types import SimpleNamespace
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.failure import Failure

Given = TypeVar("Given")

_READERS = 3


class _Workers:
    """Threads that take calls in the order in which they are given. They begin with the first, and keep the process.

    Every lone message waits for one such call. A thread pool of Twisted's, which grows and shrinks, takes some 20 us
    longer to bring a call to its thread and to bring back what it gives.
    """

    def __init__(self, reactor: IReactorFromThreads, name: str, count: int) -> None:
        self._reactor = reactor
        self._calls: SimpleQueue[tuple[Deferred[Any], Callable[..., Any], tuple[Any, ...]] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._name = name
        self._count = count

    def do(self, call: Callable[..., Given], *args: Any) -> Deferred[Given]:
        """Run ``call`` in one of the threads."""
        done: Deferred[Given] = Deferred()
        self._calls.put((done, call, args))
        if not self._threads:
            self._start()
        return done

    def stop(self) -> None:
        """Wait for all that was given, and end the threads."""
        for _ in self._threads:
            self._calls.put(None)
        for thread in self._threads:
            thread.join()

    def _start(self) -> None:
        for _ in range(self._count):
            thread = threading.Thread(target=self._work, name=f"irchat-store-{self._name}")
            self._threads.append(thread)
            thread.start()

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


class StoreThreads:
    """Runs the store's calls in threads of their own; see `irchat.store.sqlite`."""

    def __init__(self, reactor: IReactorFromThreads) -> None:
        self._writer = _Workers(reactor, "writer", 1)
        self._readers = _Workers(reactor, "reader", _READERS)
        self._scanner = _Workers(reactor, "scanner", 1)
        self.write = self._writer.do
        self.read = self._readers.do
        self.scan = self._scanner.do

    def local(self) -> Any:
        """An object whose attributes each thread has for itself."""
        return threading.local()

    def stop(self) -> None:
        """Wait for what runs and stop."""
        for workers in self._writer, self._readers, self._scanner:
            workers.stop()


class NoThreads:
    """Runs the store's calls at once."""

    def write(self, call: Callable[..., Given], *args: Any) -> Deferred[Given]:
        """Run ``call``."""
        return maybeDeferred(call, *args)

    read = scan = write

    def local(self) -> Any:
        """An object for attributes."""
        return SimpleNamespace()

    def stop(self) -> None:
        """Nothing runs."""
