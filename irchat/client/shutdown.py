"""Shut down either client cleanly, whether the user leaves, a signal arrives or something fails."""

import signal
from collections.abc import Callable
from types import FrameType
from typing import Any

from twisted.internet.defer import Deferred, DeferredList, TimeoutError
from twisted.internet.interfaces import IReactorCore, IReactorFromThreads, IReactorTime

# Seconds to wait for a terminal that accepts no output, or a server that does not read.
LEAVING_SECONDS = 2.0

# Signals that by default kill the client and leave secrets on the terminal. The reactor itself handles SIGINT and
# SIGTERM. The kernel sends SIGHUP when the terminal is closed.
_ENDING = (
    signal.SIGHUP, signal.SIGQUIT, signal.SIGABRT, signal.SIGALRM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGVTALRM,
    signal.SIGPROF, signal.SIGXCPU,
)  # fmt: skip


class Shutdown:
    """Stop the reactor once, and close everything first.

    ``close`` is called when the reactor is about to stop, for any reason. It returns a Deferred for each part that it
    closes, which fires when that part is closed. The reactor waits for them at most `LEAVING_SECONDS`.
    """

    def __init__(self, reactor: IReactorCore, clock: IReactorTime, close: Callable[[], list[Deferred[Any]]]) -> None:
        self.has_begun = False
        self._reactor = reactor
        self._clock = clock
        self._close = close
        reactor.addSystemEventTrigger("before", "shutdown", self._wait)

    def begin(self) -> None:
        """Stop the reactor, unless it is stopping already."""
        if not self.has_begun:
            self.has_begun = True
            self._reactor.stop()

    def _wait(self) -> Deferred[Any]:
        self.has_begun = True
        closed: Deferred[Any] = DeferredList(self._close(), consumeErrors=True)
        closed.addTimeout(LEAVING_SECONDS, self._clock)
        return closed.addErrback(lambda failure: failure.trap(TimeoutError))


def leave_on_signals(
    reactor: IReactorFromThreads, leave: Callable[[], None], interrupt: Callable[[], None] | None = None
) -> None:
    """Call ``leave`` in the reactor on each signal that would end the process.

    A signal that the process already ignores stays ignored (``nohup``). ``interrupt`` is called on SIGINT; without it,
    the reactor handles SIGINT.
    """
    calls = dict.fromkeys(_ENDING, leave)
    if interrupt is not None:
        calls[signal.SIGINT] = interrupt

    def handle(number: int, frame: FrameType | None) -> None:
        reactor.callFromThread(calls[signal.Signals(number)])

    for number in calls:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handle)
