"""SIGHUP, which asks a server to read its configuration again, also while the server starts and stops.

Left to itself the signal ends the process. Import this module before what takes long to import.
"""

import signal
from collections.abc import Callable

_noted: set[int] = set()


def note() -> None:
    """Note the signal from now on, for a server that is still to start."""
    signal.signal(signal.SIGHUP, lambda number, _: _noted.add(number))


class Hangup:
    """The signal of one server that runs."""

    def answer(self, reload: Callable[[], None]) -> None:
        """Call ``reload`` on each signal from now on; at once where one was noted while the server started."""
        signal.signal(signal.SIGHUP, lambda *_: reload())
        if _noted:
            _noted.clear()
            reload()

    def ignore(self) -> None:
        """The server stops: the signal changes nothing any more."""
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
