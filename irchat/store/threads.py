"""The threads of the store: one that writes, a few that read, one that looks through everything; or none, for a process
that does nothing else."""

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

Given = TypeVar("Given")

_READERS = 3


class StoreThreads:
    """Runs the store's calls in threads of their own, started with the first of them; see `irchat.store.sqlite`."""

    def __init__(self, reactor: IReactorFromThreads) -> None:
        self._reactor = reactor
        self._writer = ThreadPool(0, 1, "irchat-store-writer")
        self._readers = ThreadPool(0, _READERS, "irchat-store-reader")
        self._scanner = ThreadPool(0, 1, "irchat-store-scanner")
        for pool in self._writer, self._readers, self._scanner:
            pool.start()

    def write(self, call: Callable[..., Given], *args: Any) -> Deferred[Given]:
        """Run ``call`` in the writer's thread, after what was given before."""
        return deferToThreadPool(self._reactor, self._writer, call, *args)

    def read(self, call: Callable[..., Given], *args: Any) -> Deferred[Given]:
        """Run ``call`` in one of the readers' threads."""
        return deferToThreadPool(self._reactor, self._readers, call, *args)

    def scan(self, call: Callable[..., Given], *args: Any) -> Deferred[Given]:
        """Run ``call``, which may take long, in a thread that no `read` waits for."""
        return deferToThreadPool(self._reactor, self._scanner, call, *args)

    def local(self) -> Any:
        """An object whose attributes each thread has for itself."""
        return threading.local()

    def stop(self) -> None:
        """Wait for what runs and stop."""
        for pool in self._writer, self._readers, self._scanner:
            pool.stop()


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
