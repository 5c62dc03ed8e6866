"""SIGHUP makes a server read its configuration again. The signal may come while the server starts or stops.

By default the signal would end the process: import this module before anything that is slow to import.
"""

import signal
from collections.abc import Callable

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


def ignore() -> None:
    """Ignore the signal from now on, because the server stops."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
