"""The asyncio loop of the SSH door: no screen takes the signals of the process."""

from collections.abc import Callable
from typing import TypeVarTuple, Unpack

from irchat.client.terminal.loop import ForwardLoop

_Ts = TypeVarTuple("_Ts")


class QuietLoop(ForwardLoop):
    """A loop without signal handlers.

    Each application would take SIGWINCH, and put the handler of an ended one back. A terminal over SSH reports its size
    by a request.
    """

    def add_signal_handler(self, sig: int, callback: Callable[[Unpack[_Ts]], object], *args: *_Ts) -> None:
        """Do nothing."""

    def remove_signal_handler(self, sig: int) -> bool:
        """Do nothing."""
        return False
