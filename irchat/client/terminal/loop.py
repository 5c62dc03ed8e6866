"""The asyncio loop under Twisted's reactor, on the clock that only goes forward."""

import asyncio
import signal
from collections.abc import Callable
from typing import TypeVarTuple, Unpack

from irchat.system.clock import forward_seconds

_Ts = TypeVarTuple("_Ts")


class ForwardLoop(asyncio.SelectorEventLoop):
    """A loop that keeps its timers by `forward_seconds`, as the reactor on it does.

    Its signal handlers are those of `signal.signal`: asyncio's own take over the descriptor by which Twisted learns
    that a process has ended.
    """

    def time(self) -> float:
        """Now."""
        return forward_seconds()

    def add_signal_handler(self, sig: int, callback: Callable[[Unpack[_Ts]], object], *args: *_Ts) -> None:
        """Call ``callback`` from the loop when the signal comes."""
        signal.signal(sig, lambda number, frame: self.call_soon_threadsafe(callback, *args) and None)

    def remove_signal_handler(self, sig: int) -> bool:
        """Let the signal do what it does by default."""
        return signal.signal(sig, signal.SIG_DFL) is not None
