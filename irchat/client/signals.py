"""Signals that would kill the client at once, with secrets still on the terminal. The client leaves in good order."""

import signal
from collections.abc import Callable
from types import FrameType

from twisted.internet.interfaces import IReactorFromThreads

# Beside SIGINT and SIGTERM, which the reactor takes. SIGHUP comes when the terminal is closed.
_ENDING = (
    signal.SIGHUP, signal.SIGQUIT, signal.SIGABRT, signal.SIGALRM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGVTALRM,
    signal.SIGPROF, signal.SIGXCPU,
)  # fmt: skip


def leave_on_signals(
    reactor: IReactorFromThreads, leave: Callable[[], None], interrupt: Callable[[], None] | None = None
) -> None:
    """Call ``leave`` in the reactor on each signal that ends processes, but for those ignored now (``nohup``).

    ``interrupt`` is called on SIGINT in its place. Without it SIGINT is left to the reactor.
    """
    calls = dict.fromkeys(_ENDING, leave)
    if interrupt is not None:
        calls[signal.SIGINT] = interrupt

    def handle(number: int, frame: FrameType | None) -> None:
        reactor.callFromThread(calls[signal.Signals(number)])

    for number in calls:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handle)
