"""The threads of a store: one writer, a few readers and scanners, and a follower; or none, without a reactor."""

from collections.abc import Callable, Hashable
from typing import Protocol, TypeVar, TypeVarTuple

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IReactorFromThreads, IReactorTime

from irchat.system.call_queue import CallQueue
from irchat.system.workers import FairPool, OrderedWorker

Given = TypeVar("Given")
Args = TypeVarTuple("Args")

_READERS = 3
# Most reads take less time than a turn of a busy reactor, which a thread would spend waiting.
_AHEAD = 8
# Two, so that the search of one user does not wait for that of another.
_SCANNERS = 2


class _Reactor(IReactorFromThreads, IReactorTime):
    """A reactor, as the threads use it."""


class Threads(Protocol):
    """Runs calls in threads: writes in order in one thread, reads in any of several."""

    def write(self, call: Callable[[*Args], Given], *args: *Args) -> Deferred[Given]:
        """Run ``call`` in the writer's thread."""

    def read(self, key: Hashable, call: Callable[[*Args], Given], *args: *Args) -> Deferred[Given]:
        """Run ``call`` in a reader thread. Calls with different ``key``, the requesting user, take turns."""

    def scan(self, key: Hashable, call: Callable[[*Args], Given], *args: *Args) -> Deferred[Given]:
        """Run a long ``call`` in a thread that is not used by `read`."""

    def stop(self) -> None:
        """Drop waiting reads, wait for the writes, and stop the threads."""


class FollowingThreads(Threads, Protocol):
    """Threads for a store that follows the log of several nodes."""

    def follow(self, call: Callable[[*Args], Given], *args: *Args) -> Deferred[Given]:
        """Run ``call`` in the thread that reads the log, in order."""


class StoreThreads:
    """A `FollowingThreads` for a server. The thread that reads the log starts on its first call."""

    def __init__(self, reactor: _Reactor) -> None:
        self._writer = OrderedWorker(reactor, "irchat-store-writer")
        in_turn = CallQueue(reactor).add
        self._readers = FairPool(reactor, "irchat-store-reader", _READERS, ahead=_AHEAD, in_turn=in_turn)
        self._scanners = FairPool(reactor, "irchat-store-scanner", _SCANNERS)
        self._follower = OrderedWorker(reactor, "irchat-store-follower")
        self.write = self._writer.do
        self.follow = self._follower.do
        self.read = self._readers.do
        self.scan = self._scanners.do

    def start(self) -> None:
        """Start all threads now. Raises OSError; see `irchat.system.workers.FairPool.start`."""
        for threads in self._writer, self._readers, self._scanners:
            threads.start()

    def stop(self) -> None:
        """Refuse the waiting reads, interrupt the running ones, wait for the writes, and end the threads."""
        for threads in self._scanners, self._readers, self._follower, self._writer:
            threads.stop()


class NoThreads:
    """A `FollowingThreads` that runs each call at once, in the calling thread."""

    def write(self, call: Callable[[*Args], Given], *args: *Args) -> Deferred[Given]:
        """Run ``call``."""
        return maybeDeferred(call, *args)

    follow = write

    def read(self, key: Hashable, call: Callable[[*Args], Given], *args: *Args) -> Deferred[Given]:
        """Run ``call``. The key is not needed."""
        return maybeDeferred(call, *args)

    scan = read

    def stop(self) -> None:
        """Do nothing."""
