"""The port for clients. It can be closed for a while, so that a balancer sends clients to other nodes."""

from collections.abc import Callable

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IListeningPort, IReactorTime
from twisted.logger import Logger

from irchat.server.listeners.listener import CannotBind

_AGAIN_SECONDS = 1.0

_log = Logger()


class ChatPort:
    """Listens by calling ``listen`` with a port number, unless there is a reason to be closed.

    ``number`` is the port number, which stays the same. Raises the errors of ``listen``.
    """

    def __init__(self, listen: Callable[[int], IListeningPort], number: int, clock: IReactorTime) -> None:
        self._listen = listen
        self._clock = clock
        self._reasons: set[str] = set()
        self._again: IDelayedCall | None = None
        port = listen(number)
        self._port: IListeningPort | None = port
        self.number: int = port.getHost().port  # type: ignore[attr-defined]  # of a TCP port

    @property
    def is_open(self) -> bool:
        """Whether it listens."""
        return self._port is not None

    def set_closed(self, reason: str, is_closed: bool) -> None:
        """Add or remove a ``reason`` to close the port. It opens again when none is left."""
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
        stopping = None if port is None else port.stopListening()
        return succeed(None) if stopping is None else stopping

    def _open(self) -> None:
        try:
            self._port = self._listen(self.number)
        except CannotBind as error:
            _log.error("the port cannot be opened again: {error}; trying again each second", error=error)
            self._again = self._clock.callLater(_AGAIN_SECONDS, self._open)
        else:
            _log.info("the port is open again")
