"""SIGHUP, which asks a server to read its configuration again, also while the server starts and stops.

Left to itself the signal ends the process. Import this module before what takes long to import.
"""

import signal
from collections.abc import Callable

_noted: set[int] = set()


def note() -> None:
    """Note the signal from now on, for a server that has yet to start."""
    signal.signal(signal.SIGHUP, lambda number, _: _noted.add(number))


class Hangup:
    """The signal handler of a running server."""

    def answer(self, reload: Callable[[], None]) -> None:
        """Call ``reload`` on each signal from now on, and at once if one was noted while the server started."""
        signal.signal(signal.SIGHUP, lambda *_: reload())
        if _noted:
            _noted.clear()
            reload()

    def ignore(self) -> None:
        """Ignore the signal: the server stops."""
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
