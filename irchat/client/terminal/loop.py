"""The asyncio loop under Twisted's reactor, on the forward clock."""

import asyncio
import signal
from collections.abc import Callable
from typing import TypeVarTuple, Unpack

from irchat.system.clock import forward_seconds

_Ts = TypeVarTuple("_Ts")


class ForwardLoop(asyncio.SelectorEventLoop):
    """A loop whose timers use `forward_seconds`, like the reactor on it.

    Signal handlers are set by `signal.signal`. The handlers of asyncio would take over the descriptor through which
    Twisted learns that a child process has ended.
    """

    def time(self) -> float:
        """Return the time of the forward clock in seconds."""
        return forward_seconds()

    def add_signal_handler(self, sig: int, callback: Callable[[Unpack[_Ts]], object], *args: *_Ts) -> None:
        """Call ``callback`` in the loop on each signal ``sig``."""
        signal.signal(sig, lambda number, frame: self.call_soon_threadsafe(callback, *args) and None)

    def remove_signal_handler(self, sig: int) -> bool:
        """Restore the default action of the signal."""
        return signal.signal(sig, signal.SIG_DFL) is not None
