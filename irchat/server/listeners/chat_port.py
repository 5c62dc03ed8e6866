"""The port for clients, which can be closed for a while, so that a balancer sends them to other nodes."""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from irchat.server.listeners.listener import CannotBind

_AGAIN_SECONDS = 1.0

_log = Logger()


class ChatPort:
    """Listens with the function ``listen``, which takes a port number, except for as long as a reason stands.

    ``number`` is the port number, which stays the same. Raises what ``listen`` raises.
    """

    def __init__(self, listen: Callable[[int], Any], number: int, clock: IReactorTime) -> None:
        self._listen = listen
        self._clock = clock
        self._reasons: set[str] = set()
        self._again: IDelayedCall | None = None
        self._port: Any = listen(number)
        self.number: int = self._port.getHost().port

    @property
    def is_open(self) -> bool:
        """Whether it listens."""
        return self._port is not None

    def set_closed(self, reason: str, is_closed: bool) -> None:
        """Close the port for ``reason``, or end that reason. It opens again when none is left."""
        if is_closed == (reason in self._reasons):
            return
        if is_closed:
            self._reasons.add(reason)
            _log.error("the port is closed, so that users go to other nodes: {reason}", reason=reason)
            self.stop()
        else:
            self._reasons.discard(reason)
            if not self._reasons:
                self._open()

    def stop(self) -> Deferred[None]:
        """Stop listening."""
        if self._again is not None and self._again.active():
            self._again.cancel()
        port, self._port = self._port, None
        return maybeDeferred(lambda: None if port is None else port.stopListening())

    def _open(self) -> None:
        try:
            self._port = self._listen(self.number)
        except CannotBind as error:
            _log.error("the port cannot be opened again yet: {error}", error=error)
            self._again = self._clock.callLater(_AGAIN_SECONDS, self._open)
        else:
            _log.info("the port is open again")
