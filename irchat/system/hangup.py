"""SIGHUP makes a server read its configuration again. The signal may come while the server starts or stops.

By default the signal would end the process: import this module before anything that is slow to import.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_noted: set[int] = set()


def note() -> None:
    """Record the signal from now on, for a server that has not started yet."""
    signal.signal(signal.SIGHUP, lambda number, _: _noted.add(number))


def answer(reload: Callable[[], None]) -> None:
    """Call ``reload`` on each signal from now on, and at once if one came while the server started."""
    signal.signal(signal.SIGHUP, lambda *_: reload())
    if _noted:
        _noted.clear()
        reload()


@contextmanager
def stopping() -> Iterator[None]:
    """Ignore the signal from now on, because the server stops.

    Inside the context, ignore SIGINT and SIGTERM too: Twisted logs an error if a reactor is stopped twice.
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
