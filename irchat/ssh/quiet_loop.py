"""The asyncio loop of the SSH door: no screen takes the signals of the process, and ended ones are freed soon."""

import asyncio
import contextvars
from collections.abc import Callable
from typing import TypeVarTuple, Unpack

from irchat.client.terminal.loop import ForwardLoop

_Ts = TypeVarTuple("_Ts")


class _Timer(asyncio.TimerHandle):
    """A timer that drops its context when it is cancelled, as asyncio drops only the callback.

    asyncio keeps cancelled timers until they would be due, up to a minute here. The context holds a whole screen.
    """

    __slots__ = ()

    def cancel(self) -> None:
        """Cancel the call."""
        super().cancel()
        self._context = contextvars.Context()


class QuietLoop(ForwardLoop):
    """A loop without signal handlers.

    Each application would take SIGWINCH, and put the handler of an ended one back. A terminal over SSH reports its size
    by a request.
    """

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[_Ts]], object],
        *args: *_Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call ``callback`` at a time of the clock."""
        timer = super().call_at(when, callback, *args, context=context)
        timer.__class__ = _Timer
        return timer

    def add_signal_handler(self, sig: int, callback: Callable[[Unpack[_Ts]], object], *args: *_Ts) -> None:
        """Do nothing."""

    def remove_signal_handler(self, sig: int) -> bool:
        """Do nothing."""
        return False
